"""Your own music: one folder per genre, or a CSV table of files."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from genredag.errors import DataError, ParameterError
from genredag.params.groups.datasets import Folder
from genredag.tracks.audio import SUFFIXES
from genredag.tracks.manifest import LISTED

HOMEPAGE = "your own"
LICENSE = "that of your files"
CITATION = "% cite where your files come from\n"


def list_tracks(params: Folder) -> pd.DataFrame:
    """List the audio files of a folder ``<genre>/**/*``, or of a CSV with path, genre and optionally artist.

    Raises
    ------
    ParameterError
        No folder is given.
    DataError
        There is no such folder or file, it contains no audio, or the CSV can't be used.
    """
    if params.path is None:
        raise ParameterError(
            "no folder",
            where="datasets.folder.path",
            expected="a folder <genre>/**/*.mp3, or a CSV: path,genre",
        )
    root = Path(params.path)
    tracks = _from_folder(root) if root.is_dir() else _from_table(root)
    return tracks.assign(subset=None, subgenres=None)[LISTED].reset_index(drop=True)


def read_table(path: Path, *, required: Sequence[str], optional: Sequence[str]) -> pd.DataFrame:
    """Read a user's CSV of text columns, indexed by line number; empty values are None.

    The optional columns are always present.

    Raises
    ------
    DataError
        There is no such file, it is not a UTF-8 CSV, or a required column or value is missing.
    """
    expected = f"a CSV in UTF-8 with the columns {','.join(required)}[,{'][,'.join(optional)}]"
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True, skipinitialspace=True)
            header = next(reader, [])
            rows = dict((reader.line_num, row) for row in reader if row)
    except FileNotFoundError:
        raise DataError("no such file or folder", where=str(path)) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"unreadable: {error}", where=str(path), expected=expected) from None
    missing = [name for name in required if name not in header]
    if missing:
        raise DataError(f"no column {missing[0]!r}", where=str(path), expected=expected)
    for line, row in rows.items():
        if len(row) != len(header):
            raise DataError(f"{len(row)} values", where=f"{path}, line {line}", expected=f"{len(header)}")
        values = dict(zip(header, row, strict=True))
        empty = [name for name in required if not values[name].strip()]
        if empty:
            raise DataError(f"no {empty[0]}", where=f"{path}, line {line}", expected=expected)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=header, dtype=object)
    table = table.reindex(columns=[*required, *optional], fill_value="").map(str.strip)
    return table.mask(table == "", None)


def _from_folder(root: Path) -> pd.DataFrame:
    rows = []
    for genre in sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")):
        rows += [
            {"genre": genre.name, "path": path}
            for path in sorted(genre.rglob("*"))
            if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
        ]
    if not rows:
        suffixes = ", ".join(sorted(suffix[1:] for suffix in SUFFIXES))
        raise DataError("no audio files", where=str(root), expected=f"<genre>/**/*.<{suffixes}>")
    return _with_ids(pd.DataFrame(rows).assign(artist=None), root)


def _from_table(path: Path) -> pd.DataFrame:
    table = read_table(path, required=["path", "genre"], optional=["artist"])
    table["path"] = [path.parent / file for file in table["path"]]
    twice = table["path"].duplicated()
    if twice.any():
        first = table.loc[twice, "path"].iloc[0]
        raise DataError(f"{first} is listed twice", where=f"{path}, line {twice.idxmax()}")
    return _with_ids(table, path.parent)


def _with_ids(tracks: pd.DataFrame, root: Path) -> pd.DataFrame:
    """Name each track by its path under `root`, without its suffix where that is unique."""
    names = [path.relative_to(root) if path.is_relative_to(root) else path for path in tracks["path"]]
    shared = Counter(name.with_suffix("") for name in names)
    ids = [name if shared[name.with_suffix("")] > 1 else name.with_suffix("") for name in names]
    return tracks.assign(track_id=[name.as_posix() for name in ids], path=tracks["path"].map(str))
