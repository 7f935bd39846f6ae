"""Walking through a user's folder, whatever is in it."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from genredag.errors import ParameterError


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


def as_on_disk(path: Path) -> Path:
    """Return `path` with accents composed (NFC) or decomposed (NFD) as in the names of the files there."""
    try:
        if path.exists():
            return path
        here = Path(path.anchor)
        for part in path.relative_to(path.anchor).parts:
            there = [] if (here / part).exists() or not here.is_dir() else here.iterdir()
            wanted = unicodedata.normalize("NFC", part)
            same = (path.name for path in there if unicodedata.normalize("NFC", path.name) == wanted)
            here /= next(same, part)
    except OSError:  # a name that is too long, or a folder that may not be read
        return path
    return here


def user_path(text: str) -> Path:
    """Return the absolute path that a user gave in ``params.yaml``; relative ones start in the project.

    ``dvc exp run`` with ``--temp`` or ``--queue`` works in a copy of the project, in its ``.dvc/tmp/exps``,
    which lacks what is not in git. Relative paths therefore start in the project itself.

    Raises
    ------
    ParameterError
        The text has a NUL character, which no path has.
    """
    if "\0" in text:
        raise ParameterError("a path with a NUL character", where=repr(text))
    here = Path.cwd()
    copies = (folder for folder in here.parents if folder.parts[-3:] == (".dvc", "tmp", "exps"))
    project = next((folder.parents[2] for folder in copies), here)
    # An unknown ~user stays as it is, and so does a link that leads to itself.
    return Path(os.path.realpath(project / os.path.expanduser(text)))  # noqa: PTH111


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
