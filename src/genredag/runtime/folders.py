"""Walking through a user's folder, whatever is in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Found:
    """A file in a folder, or something else that can't be used as one.

    Attributes
    ----------
    problem
        Why it can't be used; empty for a file.
    """

    path: Path
    problem: str = ""


DANGLING = "a link that leads nowhere"
CYCLE = "a link to a folder that contains it"
UNREADABLE = "a folder that can't be read"
SPECIAL = "neither a file nor a folder"


def walk_folder(root: Path) -> Iterator[Found]:
    """Yield everything below `root` but folders, in order; links to folders are followed, cycles excepted."""
    yield from _walk(root, frozenset({_identity(root)}))


def is_unicode(name: str) -> bool:
    """Whether the name of a file, as Python decodes it, is valid Unicode; parquet, CSV and HTML need that."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def printable(name: str) -> str:
    r"""Return a name with the bytes that are not UTF-8 written out: ``caf\xe9.wav``."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _walk(folder: Path, above: frozenset[tuple[int, int]]) -> Iterator[Found]:
    try:
        paths = sorted(folder.iterdir())
    except OSError:
        yield Found(folder, UNREADABLE)
        return
    for path in paths:
        try:
            if path.is_dir():
                identity = _identity(path)
                if identity in above:
                    yield Found(path, CYCLE)
                else:
                    yield from _walk(path, above | {identity})
            elif path.is_file():
                yield Found(path)
            else:
                yield Found(path, SPECIAL if path.exists() else DANGLING)
        except OSError:  # a name or a chain of links that is too long
            yield Found(path, DANGLING)


def _identity(folder: Path) -> tuple[int, int]:
    state = folder.stat()
    return state.st_dev, state.st_ino
