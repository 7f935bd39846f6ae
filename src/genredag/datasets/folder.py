"""Your own music: one folder per genre, or a CSV table of files."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from genredag.errors import DataError
from genredag.params.groups.datasets import Folder
from genredag.runtime.folders import as_on_disk, is_unicode, printable, walk_folder
from genredag.tracks.audio import SUFFIXES
from genredag.tracks.manifest import LEFT_OUT, LISTED

HOMEPAGE = "your own"
LICENSE = "that of your files"
CITATION = "% cite where your files come from\n"
EXPECTED = "<genre>/**/*.mp3, wav, flac, ogg, m4a, ..."
NOT_UNICODE = "its name is not UTF-8: rename the file or its folder"
# Folders that operating systems and network drives create, with copies or remains of other files.
SYSTEM_FOLDER = re.compile(
    r"\.Trash(-.*|es)?|__MACOSX|\.AppleDouble|\.Spotlight-V100|\.fseventsd|\$RECYCLE\.BIN|RECYCLER"
    r"|System Volume Information|lost\+found|@eaDir|#recycle",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Listing:
    """What a folder or a CSV contains.

    Attributes
    ----------
    tracks
        Columns `LISTED`, and ``problem``: why a file can't even be opened, or an empty string.
    left_out
        Columns `LEFT_OUT`: the files that are no tracks, counted by suffix and reason, each with an example.
    """

    tracks: pd.DataFrame
    left_out: pd.DataFrame


def list_tracks(params: Folder) -> Listing:
    """List the audio files of a folder ``<genre>/**/*``, or of a CSV with path, genre and optionally artist.

    Raises
    ------
    ParameterError
        No folder is given.
    DataError
        There is no such folder or file, it contains no audio, a genre has none, or the CSV can't be used.
    """
    root = Path(params.given_path())
    if root.suffix.lower() in SUFFIXES and root.is_file():
        expected = f"the folder {EXPECTED}, or a CSV: path,genre"
        raise DataError("an audio file", where=str(root), expected=expected)
    if root.is_dir():
        tracks, left_out = list_folder(root)
    else:
        tracks, left_out = _from_table(root), pd.DataFrame(columns=LEFT_OUT)
    genres = [unicodedata.normalize("NFC", genre) for genre in tracks["genre"]]
    tracks = tracks.assign(genre=genres, subset=None, subgenres=None)
    return Listing(tracks[[*LISTED, "problem"]].reset_index(drop=True), left_out)


def read_table(path: Path, *, required: Sequence[str], optional: Sequence[str]) -> pd.DataFrame:
    """Read a user's CSV of text columns, indexed by line number; empty values are None.

    The optional columns are always present.

    Raises
    ------
    DataError
        There is no such file, it is not a UTF-8 CSV, has no rows, or lacks a required column or value.
    """
    expected = f"a CSV in UTF-8 with the columns {','.join(required)}[,{'][,'.join(optional)}]"
    if path.exists() and not path.is_file():  # a pipe would wait for a writer
        raise DataError("not a regular file", where=str(path), expected=expected)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True, skipinitialspace=True)
            header = next(reader, [])
            rows = dict((reader.line_num, row) for row in reader if row)
    except FileNotFoundError:
        raise DataError("no such file or folder", where=str(path)) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"unreadable: {error}", where=str(path), expected=expected) from None
    wanted = [*required, *optional]
    twice = [name for name in wanted if header.count(name) > 1]
    if twice:
        raise DataError(f"the column {twice[0]!r} is there twice", where=str(path), expected=expected)
    missing = [name for name in required if name not in header]
    if missing:
        raise DataError(f"no column {missing[0]!r}", where=str(path), expected=expected)
    if not rows:
        raise DataError("no rows", where=str(path), expected=expected)
    for line, row in rows.items():
        if len(row) != len(header):
            raise DataError(f"{len(row)} values", where=f"{path}, line {line}", expected=f"{len(header)}")
        values = dict(zip(header, row, strict=True))
        empty = [name for name in required if not values[name].strip()]
        if empty:
            raise DataError(f"no {empty[0]}", where=f"{path}, line {line}", expected=expected)
    table = pd.DataFrame.from_dict(rows, orient="index", dtype=object)
    table = table.set_axis(header, axis=1)[[name for name in wanted if name in header]]
    table = table.reindex(columns=wanted, fill_value="").map(str.strip)
    return table.mask(table == "", None)


def list_folder(root: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """List the audio files below the folders of genres, and count what is left out (columns `LEFT_OUT`).

    Raises
    ------
    DataError
        There is no audio at all, or none of one of the genres.
    """
    tracks: list[dict[str, object]] = []
    others: list[dict[str, str]] = []
    for found in walk_folder(root):
        parts = found.path.relative_to(root).parts
        if reason := _unused(parts, found.problem):
            others.append({"genre": parts[0], "reason": reason} | _suffix_and_example(parts))
        else:
            problem = "" if is_unicode("/".join(parts)) else NOT_UNICODE
            row = {"genre": printable(parts[0]), "path": found.path, "artist": None, "problem": problem}
            tracks.append(row)
    _refuse_vanished(root, {str(track["genre"]) for track in tracks}, others)
    examples = {(file["suffix"], file["reason"]): file["example"] for file in reversed(others)}
    rows = [(*kind, n, examples[kind]) for kind, n in _counts(others)]
    return with_ids(pd.DataFrame(tracks), root), pd.DataFrame(rows, columns=LEFT_OUT)


def _unused(parts: tuple[str, ...], problem: str) -> str:
    """Return why a file is no track, from its path under the root; "" if it is one."""
    if any(SYSTEM_FOLDER.fullmatch(part) for part in parts):
        return "in a system folder"
    if parts[-1].startswith("._"):
        return "metadata of macOS (._*)"
    if any(part.startswith(".") for part in parts):
        return "hidden"
    if problem:
        return problem
    if Path(parts[-1]).suffix.lower() not in SUFFIXES:
        return "not audio by its suffix"
    return "outside the folders of genres" if len(parts) == 1 else ""


def _suffix_and_example(parts: tuple[str, ...]) -> dict[str, str]:
    suffix = Path(parts[-1]).suffix.lower()
    known = suffix if re.fullmatch(r"\.\w{1,8}", suffix, re.ASCII) else "no suffix"
    return {"suffix": known, "example": printable("/".join(parts))}


def _refuse_vanished(root: Path, genres: set[str], left_out: list[dict[str, str]]) -> None:
    if not genres:
        hint = f"left out: {_summary(left_out)}" if left_out else ""
        raise DataError("no audio files", where=str(root), expected=EXPECTED, hint=hint)
    for path in sorted(root.iterdir()):
        is_genre = path.is_dir() or (path.is_symlink() and path.suffix.lower() not in SUFFIXES)
        hidden = path.name.startswith(".") or SYSTEM_FOLDER.fullmatch(path.name)
        if is_genre and not path.is_file() and not hidden and printable(path.name) not in genres:
            own = (file for file in left_out if file["genre"] == path.name)
            why = _summary(own) or "the folder is empty"
            name = printable(path.name)
            raise DataError(
                f"genre {name} has no audio files ({why})",
                where=str(root),
                expected=EXPECTED,
                hint=f"add audio, or remove the folder or rename it to .{name} if it is no genre",
            )


def _counts(files: Iterable[dict[str, str]]) -> list[tuple[tuple[str, str], int]]:
    """Count files left out by suffix and reason, in order."""
    return sorted(Counter((file["suffix"], file["reason"]) for file in files).items())


def _summary(files: Iterable[dict[str, str]]) -> str:
    return ", ".join(f"{n} x {suffix}: {reason}" for (suffix, reason), n in _counts(files))


def _from_table(path: Path) -> pd.DataFrame:
    table = read_table(path, required=["path", "genre"], optional=["artist"])
    names = table["path"]
    table["path"] = pd.Series([as_on_disk(path.parent / file) for file in names], table.index, object)
    twice = table["path"].duplicated()
    if twice.any():
        first = table.loc[twice, "path"].iloc[0]
        raise DataError(f"{first} is listed twice", where=f"{path}, line {twice.idxmax()}")
    windows = ["\\" in name and not file.exists() for name, file in zip(names, table["path"], strict=True)]
    table["problem"] = np.where(windows, "missing: write / instead of \\ in its path", "")
    return with_ids(table, path.parent)


def with_ids(tracks: pd.DataFrame, root: Path) -> pd.DataFrame:
    """Name each track by its path under `root`, without its suffix where no other track has that name."""
    relative = [path.relative_to(root) if path.is_relative_to(root) else path for path in tracks["path"]]
    names = [printable(path.as_posix()) for path in relative]
    stems = [name.removesuffix(Path(name).suffix) for name in names]
    taken = Counter(stems) + Counter(names)  # `s.mp3.wav` can't be `s.mp3` beside `s.mp3` and `s.wav`
    ids = [name if taken[stem] > 1 else stem for name, stem in zip(names, stems, strict=True)]
    return tracks.assign(track_id=ids, path=[printable(str(path)) for path in tracks["path"]])
