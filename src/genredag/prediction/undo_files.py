"""Undo files: the genres of files before they were tagged, as JSON lines."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from genredag.errors import DataError
from genredag.runtime.files import atomic_path


class UndoHeader(BaseModel):
    """First line of an undo file."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["genredag undo-tags"] = "genredag undo-tags"
    version: Literal[1] = 1
    run: str = Field(pattern="^[0-9a-f]{12}$")
    created: str


class UndoRecord(BaseModel):
    """Another line of an undo file: the genres of one file, before and after."""

    model_config = ConfigDict(extra="forbid")
    path: str
    before: list[str]
    had_tags: bool
    after: list[str]


def check_new(path: Path) -> None:
    """Refuse to overwrite an undo file, which would lose the earlier tags of other files.

    Raises
    ------
    DataError
        `path` exists.
    """
    if path.exists():
        raise DataError(
            "the undo file exists already", where=str(path), hint="choose another name with --undo-file"
        )


def write_undo_file(path: Path, header: UndoHeader, records: Sequence[UndoRecord]) -> None:
    """Write an undo file to disk.

    Raises
    ------
    DataError
        `path` exists.
    """
    check_new(path)
    # In ASCII, because the name of a file may be no valid text.
    lines = [json.dumps(line.model_dump()) + "\n" for line in (header, *records)]
    with atomic_path(path) as temporary, temporary.open("w", encoding="ascii") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())


def read_undo_file(path: Path) -> tuple[UndoHeader, list[UndoRecord]]:
    """Read an undo file.

    Raises
    ------
    DataError
        The file is missing, or not an undo file.
    """
    if not path.is_file():
        raise DataError("no such file", where=str(path))
    try:
        first, *lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return UndoHeader.model_validate(first), [UndoRecord.model_validate(line) for line in lines]
    except (ValueError, ValidationError, RecursionError):
        raise DataError(
            "not an undo file",
            where=str(path),
            expected="a file written by `genredag predict --write-tags --apply`",
        ) from None
