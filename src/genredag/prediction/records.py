"""Predictions as records with fixed columns, and as files: JSON, CSV, Parquet and Audacity labels.

docs/predict.md documents the columns. `SCHEMA` changes when a column changes its name or meaning.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

from genredag.errors import ParameterError
from genredag.prediction.fetching import is_address
from genredag.prediction.song import SongPrediction, UnreadableSong
from genredag.runtime.files import atomic_path, check_outputs
from genredag.runtime.folders import printable

SCHEMA = 1
Result = SongPrediction | UnreadableSong
Value = str | float | int | bool | None
Format = Literal["table", "json", "jsonl", "csv", "parquet", "audacity"]
FORMATS: tuple[Format, ...] = get_args(Format)
FILES = FORMATS[1:]
_N_TOP = 3


def song_record(song: Result, class_names: Sequence[str], models: str) -> dict[str, Value]:
    """Return the columns of a song; None where it has no value."""
    found = song if isinstance(song, SongPrediction) else None
    trust = found.trust if found else None
    top: list[tuple[str | None, float | None]] = [*(found.top(_N_TOP) if found else [])]
    top += [(None, None)] * (_N_TOP - len(top))
    record: dict[str, Value] = {
        "schema": SCHEMA,
        "source": printable(song.source),
        "status": "ok" if found else "unreadable",
        "reason": None if isinstance(song, SongPrediction) else printable(song.reason),
        "genre": top[0][0],
        "probability": top[0][1],
        "second": top[1][0],
        "second_probability": top[1][1],
        "third": top[2][0],
        "third_probability": top[2][1],
        "set": "; ".join(trust.genres) if trust else None,
        "coverage": trust.coverage if trust else None,
        "unsure": trust.unsure if trust else None,
        "unlike_training": trust.unlike_training if trust else None,
        "seconds": found.duration if found else None,
        "n_slices": len(found.timeline.start) if found else None,
        "models": models,
    }
    led = found.led() if found else {}
    for i, name in enumerate(class_names):
        record[f"p_{name}"] = float(found.probabilities[i]) if found else None
    return record | {f"led_{name}": led.get(name) for name in class_names}


def slice_records(song: SongPrediction) -> Iterator[dict[str, Value]]:
    """Yield the columns of each slice of a song."""
    line = song.timeline
    for i, probabilities in enumerate(line.probabilities):
        best = int(probabilities.argmax())
        yield {
            "schema": SCHEMA,
            "source": printable(song.source),
            "slice": i,
            "start": float(line.start[i]),
            "end": float(line.end[i]),
            "genre": song.class_names[best],
            "probability": float(probabilities[best]),
            **{f"p_{name}": float(p) for name, p in zip(song.class_names, probabilities, strict=True)},
        }


def json_record(song: Result, class_names: Sequence[str], models: str, timeline: bool) -> dict[str, object]:
    """Return the columns of a song as nested JSON."""
    flat = song_record(song, class_names, models)
    record: dict[str, object] = {
        key: value for key, value in flat.items() if not key.startswith(("p_", "led_"))
    }
    record["set"] = list(song.trust.genres) if isinstance(song, SongPrediction) and song.trust else None
    for key, prefix in (("probabilities", "p_"), ("led", "led_")):
        values = {name: flat[f"{prefix}{name}"] for name in class_names}
        record[key] = values if isinstance(song, SongPrediction) else None
    if timeline:
        slices = slice_records(song) if isinstance(song, SongPrediction) else []
        record["timeline"] = [
            {key: row[key] for key in ("start", "end", "genre", "probability")}
            | {"probabilities": {name: row[f"p_{name}"] for name in class_names}}
            for row in slices
        ]
    return record


def segments(song: SongPrediction) -> list[tuple[float, float, str]]:
    """Return start, end and leading genre of each part of a song; parts adjoin, and span the whole song.

    Where slices overlap, the border is between their centres.
    """
    line = song.timeline
    leaders = [song.class_names[i] for i in line.probabilities.argmax(axis=1)]
    centres = (line.start + line.end) / 2
    borders = [0.0, *((centres[1:] + centres[:-1]) / 2), song.duration]
    found: list[tuple[float, float, str]] = []
    for i, genre in enumerate(leaders):
        start = found.pop()[0] if found and found[-1][2] == genre else float(borders[i])
        found.append((start, float(borders[i + 1]), genre))
    return found


def audacity_text(song: SongPrediction) -> str:
    """Return a label track for Audacity: start, end and genre of each part."""
    return "".join(f"{start:.6f}\t{end:.6f}\t{genre}\n" for start, end, genre in segments(song))


def check_formats(formats: Sequence[str] | None, output: Path | None) -> list[Format]:
    """Return the formats; without a file to write to, one besides the table at most.

    Parameters
    ----------
    formats
        None: the table, and what the suffix of `output` says.

    Raises
    ------
    ParameterError
        There is no format, or one is unknown or needs ``--output``, or `output` needs one.
    """
    if formats is None:
        named = _format_of(output) if output else None
        formats = ["table", named] if named else ["table"]
    for name in formats or [""]:
        if name not in FORMATS:
            raise ParameterError(repr(name), where="--format", expected=", ".join(FORMATS))
    known = [name for name in FORMATS if name in formats]
    if output is None and (len(known) > 1 or "parquet" in known):
        what = f"{','.join(known)} can't be printed together" if len(known) > 1 else "parquet is binary"
        raise ParameterError(what, where="--format", hint="--output DIR/NAME writes a file for each format")
    if output is not None and known == ["table"] and not output.is_dir():
        stem = output.with_suffix("") if _format_of(output) else output
        hint = f"--format csv writes {stem}.csv"
        raise ParameterError("no format to write", where=f"--output {output}", hint=hint)
    return known


def _format_of(path: Path) -> Format | None:
    """Return the format that the suffix of a path names."""
    return next((name for name in FILES if path.suffix.lower() == f".{name}"), None)


def check_output(output: Path, formats: Sequence[Format], inputs: Iterable[Path]) -> Path:
    """Return the common part of the names of the files: `output` without the suffix of a format.

    Raises
    ------
    ParameterError
        `output` has no name, or one of the `inputs` or something else is where a file would be written.
    """
    where, hint = f"--output {output}", f"--output {Path(output, 'genres')}"
    if output.name in ("", "..") or output.is_dir():
        raise ParameterError("a folder", where=where, expected="DIR/NAME, a name for the files", hint=hint)
    if _format_of(output) in formats:
        output = output.with_suffix("")
    check_outputs(output_files(output, formats), inputs)
    return output


def output_files(stem: Path, formats: Sequence[Format]) -> list[Path]:
    """Return the files that are written for these formats, but for those of a timeline and of Audacity."""
    return [_with(stem, f".{name}") for name in formats if name not in ("table", "audacity")]


def render_text(
    name: Format, songs: Sequence[Result], class_names: Sequence[str], models: str, timeline: bool
) -> str:
    """Return songs in a text format."""
    read = [song for song in songs if isinstance(song, SongPrediction)]
    if name == "audacity":
        return "".join(audacity_text(song) for song in read)
    if name == "csv":
        return csv_text([song_record(song, class_names, models) for song in songs])
    records = [json_record(song, class_names, models, timeline) for song in songs]
    if name == "jsonl":
        return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    return json.dumps(records, indent=2, ensure_ascii=False) + "\n"


def csv_text(records: Sequence[dict[str, Value]]) -> str:
    """Return records as CSV, with empty cells for None, and true and false for booleans."""
    file = io.StringIO()
    if records:
        writer = csv.DictWriter(file, list(records[0]), lineterminator="\n")
        writer.writeheader()
        for record in records:
            writer.writerow({k: str(v).lower() if isinstance(v, bool) else v for k, v in record.items()})
    return file.getvalue()


def write_files(
    stem: Path,
    formats: Sequence[Format],
    songs: Sequence[Result],
    class_names: Sequence[str],
    models: str,
    timeline: bool,
) -> list[Path]:
    """Write a file for each format: ``<stem>.json`` and so on. Return their paths, or that of their folder.

    With `timeline`, CSV and Parquet get a second file, ``<stem>.timeline.csv``. Audacity reads one song at a
    time: several songs make a folder ``<stem>.audacity``.
    """
    written = []
    for name in formats:
        if name == "parquet":
            written += _write_parquets(stem, songs, class_names, models, timeline)
        elif name == "audacity":
            written += _write_labels(stem, songs)
        elif name != "table":
            text = render_text(name, songs, class_names, models, timeline)
            written.append(_write(_with(stem, f".{name}"), text))
            if name == "csv" and timeline:
                rows = [
                    row for song in songs if isinstance(song, SongPrediction) for row in slice_records(song)
                ]
                written.append(_write(_with(stem, ".timeline.csv"), csv_text(rows)))
    return written


def _write(path: Path, text: str) -> Path:
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def _write_labels(stem: Path, songs: Sequence[Result]) -> list[Path]:
    read = [song for song in songs if isinstance(song, SongPrediction)]
    if len(songs) == 1:
        return [_write(_with(stem, ".audacity.txt"), audacity_text(song)) for song in read]
    names, folder = file_names([song.source for song in read]), _with(stem, ".audacity")
    for name, song in zip(names, read, strict=True):
        _write(folder / f"{name}.txt", audacity_text(song))
    return [folder] if read else []


def file_names(sources: Sequence[str]) -> list[str]:
    """Return a name without suffix for each song: that of its file, with a number if it is taken."""
    taken: set[str] = set()
    names = []
    for source in sources:
        address = is_address(source)
        base = re.sub(r"[^\w .()-]+", "_", Path(urlsplit(source).path if address else source).stem)
        number, name = 1, base.strip(" .") or "song"
        while name.lower() in taken:
            number += 1
            name = f"{base} ({number})"
        taken.add(name.lower())
        names.append(name)
    return names


def _write_parquets(
    stem: Path, songs: Sequence[Result], class_names: Sequence[str], models: str, timeline: bool
) -> list[Path]:
    import pyarrow as pa
    from pyarrow import parquet

    numbers = [(f"{prefix}{name}", pa.float64()) for prefix in ("p_", "led_") for name in class_names]
    types = {"schema": pa.int32(), "n_slices": pa.int64(), "slice": pa.int64()} | dict(numbers)
    types |= dict.fromkeys(("unsure", "unlike_training"), pa.bool_())
    floats = ("probability", "second_probability", "third_probability", "coverage", "seconds", "start", "end")
    types |= dict.fromkeys(floats, pa.float64())
    tables = {".parquet": [song_record(song, class_names, models) for song in songs]}
    if timeline:
        read = [song for song in songs if isinstance(song, SongPrediction)]
        tables[".timeline.parquet"] = [row for song in read for row in slice_records(song)]
    paths = []
    for suffix, records in tables.items():
        names = list(records[0]) if records else []
        columns = {
            name: pa.array([record[name] for record in records], types.get(name, pa.string()))
            for name in names
        }
        paths.append(_with(stem, suffix))
        with atomic_path(paths[-1]) as temporary, temporary.open("wb") as file:
            parquet.write_table(pa.table(columns), file)
    return paths


def _with(stem: Path, suffix: str) -> Path:
    return stem.with_name(stem.name + suffix)
