r"""The page of speed: what render, decode, train, steps, predict, report and overhead measured, as tables.

    python benchmarks/render.py --audio FOLDER --jobs 2 --efficiency 1000 --output docs/benchmarks/render.json
    python benchmarks/decode.py --audio FOLDER --output docs/benchmarks/decode.json
    python benchmarks/train.py --threads 1 2 --side-by-side --repeats 2 --tracks 24 \
        --output docs/benchmarks/train.json
    taskset -c 0 python benchmarks/train.py --threads 1 --kinds plain float32 --tracks 16 24 32 40 48 \
        --output docs/benchmarks/epochs.json
    python benchmarks/steps.py --output docs/benchmarks/steps.json
    python benchmarks/predict.py --output docs/benchmarks/predict.json
    python benchmarks/report.py --output docs/benchmarks/report.json
    python benchmarks/overhead.py --output docs/benchmarks/overhead.json
    python benchmarks/speed_page.py

Each section is there if its file is.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import train

from genredag.runtime.files import write_text

ROOT = Path(__file__).resolve().parents[1]
HEAD = """\
# Speed

Made by `benchmarks/speed_page.py` from the results of the benchmarks, in `docs/benchmarks/`. Times depend on
the machine and on what else it does, so compare the ratios, whose two sides were measured in the same run.
[scale.md](scale.md) has memory and disk space by number of tracks.
"""
SLICES_OF_A_TRACK = 19  # of 3 s, with half overlap, of 30 s


def frame(rows: list[dict[str, Any]]) -> str:
    """Return rows as a Markdown table; missing values are empty."""
    return pd.DataFrame(rows).astype(object).fillna("").to_markdown(index=False)


def rendering(found: dict[str, Any]) -> str:
    """Return the section of `render.py`."""
    mel = next(row for row in found["rows"] if row["representation"] == "mel")
    one = found["picture_ms"]
    three = next(row for row in found["rows"] if row["representation"] == "stft, mel and cqt")
    once = three["plain_ms"] - 2 * found["load_ms"]
    track = SLICES_OF_A_TRACK * one
    text = f"""\
Milliseconds for a track of 30 s, {found["n_tracks"]} tracks. *Ours* decodes, transforms and encodes one track
after the other, on one core; *decode* is the first of these alone. *Plain* is the same loop over librosa,
which returns decibels and stores nothing. *Store* is the stage itself; data sets as small as this one are
rendered by one process.

{frame(found["rows"])}

STFT, mel and CQT load each track three times, ours and plain. A plain loop that loads it once would take
{once:.1f} ms; ours takes {three["ours_ms"] / once:.2f} times that
([why](decisions/data.md#each-representation-decodes-the-audio-itself)).

A picture of a slice of mel by `librosa.display` takes {one:.0f} ms. The {SLICES_OF_A_TRACK} of a track take
{track:,.0f} ms, {track / mel["ours_ms"]:.0f} times as long as our mel of the track.
"""
    if "efficiency" in found:
        row = found["efficiency"]
        text += f"""
STFT, mel and CQT of {row["n_tracks"]:,} tracks take {row["one_process_s"]} s with one process and
{row["n_jobs_s"]} s with {row["n_jobs"]}: a parallel efficiency of {row["efficiency"]:.2f}.
"""
    return text


def decoding(found: dict[str, Any]) -> str:
    """Return the section of `decode.py`."""
    return f"""\
Milliseconds of processor time for a track of 30 s (median of {found["n_tracks"]}): decoding, the check by the
download stage, and libsndfile alone.

{frame(found["rows"])}
"""


def training(found: list[dict[str, Any]]) -> str:
    """Return the section of `train.py`."""
    return f"""\
Slices per second, and their ratio to plain Keras (`model.fit`, float32) with as many threads in one job.

{train.table(found)}
"""


def epochs(found: list[dict[str, Any]]) -> str:
    """Return the section of `train.py` with epochs of several lengths."""
    return f"""\
Epochs of several lengths on one processor; seven eighths of the tracks are trained on. Plain Keras often
waits at the end of an epoch
([why](decisions/training.md#on-one-processor-tensorflow-does-not-wait-between-epochs)).

{train.table(found)}
"""


def steps(found: list[dict[str, Any]]) -> str:
    """Return the section of `steps.py`."""
    rows = [
        {
            key: round(value, 2 if key == "times_as_fast" else 1) if isinstance(value, float) else value
            for key, value in row.items()
        }
        for row in found
    ]
    return f"""\
Milliseconds of a step of 32 slices on one thread, of networks as they are built and as training rewrites
them ([how](decisions/training.md#training-rewrites-networks)).

{frame(rows)}
"""


def prediction(found: list[dict[str, Any]]) -> str:
    """Return the section of `predict.py`."""
    rounded = [
        {key: round(value, 2) if isinstance(value, float) else value for key, value in row.items()}
        for row in found
    ]
    return f"""\
Songs of 30 s; latency is that of a song of four minutes, and the long song lasts two hours. *wall_seconds*
are those of the whole process, *song_seconds* those of a second song in it. *times* is how many times as many
songs one run predicts in a second.

{frame(rounded)}
"""


def reporting(found: list[dict[str, Any]]) -> str:
    """Return the section of `report.py`."""
    rows = [{key: round(value, 1) for key, value in row.items()} for row in found]
    return f"""\
Seconds to evaluate all runs of a matrix (without predicting) and to report them.

{frame(rows)}
"""


def overheads(found: list[dict[str, Any]]) -> str:
    """Return the section of `overhead.py`."""
    return f"""\
Median seconds of a command. A peer imports the same library and does nothing.

{frame(found)}
"""


SECTIONS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "render": ("Rendering", rendering),
    "decode": ("Decoding", decoding),
    "train": ("Training", training),
    "epochs": ("Training on one processor", epochs),
    "steps": ("A training step", steps),
    "predict": ("Prediction", prediction),
    "report": ("Evaluation and report", reporting),
    "overhead": ("Runners", overheads),
}


def page(results: Path) -> str:
    """Return the page as Markdown."""
    parts = [HEAD]
    for name, (title, section) in SECTIONS.items():
        file = results / f"{name}.json"
        if file.is_file():
            found = json.loads(file.read_text(encoding="utf-8"))
            parts.append(f"## {title}\n\n{section(found)}")
    return "\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=ROOT / "docs/benchmarks")
    parser.add_argument("--page", type=Path, default=ROOT / "docs/benchmarks.md")
    args = parser.parse_args()
    write_text(args.page, page(args.results))


if __name__ == "__main__":
    main()
