"""The user's own music: whether it is there, and fingerprints, so that a change reruns what depends on it."""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel

from genredag.errors import DataError
from genredag.params.groups.datasets import Folder, Spectrograms
from genredag.runtime.folders import Found, as_on_disk, user_path, walk_folder

PATHS = ("path", "metadata_path", "tracks")
SOURCES = ("gtzan", "fma")


def source_state(group: BaseModel) -> str:
    """Return a fingerprint of the user's own files that a data set is read from, or "" if there are none.

    It covers names, sizes and modification times: of files, of everything in folders, and of the files in
    the column ``path`` of a CSV.

    Parameters
    ----------
    group
        The values of the data set: its `path`, `metadata_path`, `files` and `tracks`, and those of the data
        sets that it mixes.
    """
    return files_state(_own_paths(group).values())


def check_there(paths: Mapping[str, str | None]) -> None:
    """Check that the user's files and folders exist; `paths` has them by the keys that name them.

    Raises
    ------
    DataError
        One of them does not exist. A key without a path is left to whoever needs it.
    """
    for key, path in paths.items():
        if path and not user_path(path).exists():
            raise DataError("no such file or folder", where=f"{key}: {user_path(path)}")


def check_source(group: BaseModel, dataset: str) -> None:
    """Check that the user's own files are given and exist from which the data set named `dataset` is read.

    Raises
    ------
    ParameterError
        No folder, or no file of spectrograms, is given.
    DataError
        One of the files does not exist.
    """
    match group:
        case Folder():
            group.given_path()
        case Spectrograms():
            group.given_files()
    check_there({f"datasets.{dataset}.{key}": path for key, path in _own_paths(group).items()})


def _own_paths(group: BaseModel) -> dict[str, str]:
    """Return the user's paths in the values of a data set, by their keys."""
    own = group.model_dump()
    found: dict[str, str] = {}
    for prefix, values in {"": own, **{f"{source}.": own.get(source, {}) for source in SOURCES}}.items():
        found |= {f"{prefix}{key}": values[key] for key in PATHS if values.get(key)}
        found |= {f"{prefix}files[{i}]": path for i, path in enumerate(values.get("files", []))}
    return found


def files_state(paths: Iterable[str]) -> str:
    """Return a fingerprint of files, folders and CSVs; "" if there are no paths."""
    lines = [line for path in paths for line in _lines(user_path(path))]
    return hashlib.sha256(os.fsencode("\n".join(lines))).hexdigest() if lines else ""


def _lines(path: Path) -> Iterator[str]:
    found = walk_folder(path) if path.is_dir() else [Found(path)]
    for file in found:
        yield _line(file.path)
    if path.suffix.lower() == ".csv" and path.is_file():
        yield from (_line(file) for file in _named_in(path))


def _line(path: Path) -> str:
    try:
        state = path.stat()
    except (OSError, ValueError):  # a NUL in a name
        return f"{path}: missing"
    return f"{path}:{state.st_size}:{state.st_mtime_ns}"


def _named_in(table: Path) -> Iterator[Path]:
    """Yield the files that a CSV names; a table that can't be read names none."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file, skipinitialspace=True):
                if name := (row.get("path") or "").strip():
                    yield as_on_disk(table.parent / name)
    except (OSError, UnicodeDecodeError, csv.Error):
        return
