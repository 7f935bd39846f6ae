"""Atomic writes: a file gets a temporary name in the same folder, and is renamed when complete.

A killed process leaves its temporary files. The next process that writes to the folder removes them.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import json
import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING
from uuid import uuid4

if sys.platform != "win32":
    import fcntl

import numpy as np

from genredag.errors import GenredagError, ParameterError

if TYPE_CHECKING:
    import pandas as pd

# Letters of a file's name that its temporary name keeps; at most four bytes each, of the 255 of a name.
_N_KEPT = 40
# A disk with less room counts as full; a quota is a limit of the same kind.
_FULL_BYTES = 1 << 16
_TOO_LARGE = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
# Of a temporary file that another computer wrote to a shared folder, since it last grew.
_DEAD_AFTER_SECONDS = 24 * 3600.0


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write to; rename it to `path` on success, remove it on failure.

    The temporary name ends as that of `path`, because some writers require a suffix. It is not longer than
    file systems allow.

    Raises
    ------
    OSError
        The file can't be written. The error names `path`.
    """
    path = Path(path)
    if path.exists() and not path.is_file() and not path.is_dir():
        raise FileExistsError(errno.EEXIST, "not a regular file", str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{_this_computer()}{uuid4().hex[:8]}.{path.name[-_N_KEPT:]}")
    try:
        with _writing_to(path.parent):
            yield temporary
            temporary.replace(path)
    except GenredagError:
        raise
    except Exception as error:
        own = _own_error(error, temporary, path)
        if own is None:
            raise
        raise own from error
    finally:
        with suppress(OSError):  # the error above says more
            temporary.unlink(missing_ok=True)


def _own_error(error: Exception, temporary: Path, path: Path) -> OSError | None:
    """Return an error that names `path`; None if `error` is not one of writing to it, or names another file.

    Some writers, such as libsndfile and `numpy.save`, do not say that the disk is full or the folder locked.
    """
    if isinstance(error, OSError) and error.errno is not None:
        is_named = error.filename == str(temporary)
        if is_named or (error.filename is None and error.errno in _TOO_LARGE):
            return OSError(error.errno, error.strerror, str(path))
    elif temporary.exists() and shutil.disk_usage(path.parent).free < _FULL_BYTES:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    elif not os.access(path.parent, os.W_OK | os.X_OK):
        return PermissionError(errno.EACCES, "can't be written to", str(path.parent))
    return None


def is_temporary(path: Path) -> bool:
    """Whether a file has the name of an unfinished one."""
    return re.match(r"\.[0-9a-f]{16}\.", path.name) is not None


@contextmanager
def _writing_to(folder: Path) -> Iterator[None]:
    """Hold a shared lock on a folder, and first remove the temporary files that nobody writes any more.

    A process that gets an exclusive lock is the only one on this computer that writes to the folder: all
    temporary files of this computer are left over. Without locks, nothing is removed.
    """
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders, and this one may be write-only
        yield
        return
    try:
        if sys.platform != "win32":
            with suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove_left_over(folder)
            with suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_SH)
        yield
    finally:
        os.close(handle)


@contextmanager
def alone_with(path: Path) -> Iterator[None]:
    """Wait until no other process is here with the same file, which may be replaced meanwhile.

    Without locks, as on Windows and some network drives, or without the file, nothing is waited for.
    """
    with ExitStack() as stack:
        if sys.platform != "win32":
            with suppress(OSError):
                while not _is_current(file := stack.enter_context(path.open("rb")), path):
                    file.close()
        yield


def _is_current(file: IO[bytes], path: Path) -> bool:
    """Lock a file, and return whether it is still the one at `path`."""
    fcntl.flock(file, fcntl.LOCK_EX)
    return os.path.samestat(os.fstat(file.fileno()), path.stat())


@functools.lru_cache(maxsize=1024)
def _remove_left_over(folder: Path) -> None:
    """Remove the temporary files of dead processes; once, because a folder may have many files."""
    with os.scandir(folder) as entries:
        found = [Path(entry.path) for entry in entries if is_temporary(Path(entry.name))]
    for path in found:
        with suppress(OSError):
            ours = path.name.startswith(f".{_this_computer()}")
            if ours or time.time() - path.stat().st_mtime > _DEAD_AFTER_SECONDS:
                path.unlink()


@functools.cache
def _this_computer() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


def check_outputs(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Check files that a command of a user is to write, before its work begins.

    Raises
    ------
    ParameterError
        One has no name, is a folder or another kind of file, or is one of the `inputs`.
    """
    taken = {path.resolve() for path in inputs}
    for path in outputs:
        if not path.name or (path.exists() and not path.is_file()):
            raise ParameterError("can't be written", where=str(path), expected="the path of a file")
        if path.resolve() in taken:
            hint = "choose another name"
            raise ParameterError("would be overwritten, but is read", where=str(path), hint=hint)


def check_writable(folders: Iterable[Path]) -> None:
    """Check that files can be made in folders, or that the folders can be made.

    Raises
    ------
    OSError
        A folder, or what is above it, is read-only or belongs to someone else.
    """
    for folder in sorted({_existing(folder.absolute()) for folder in folders}):
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "can't be written to", str(folder))


def _existing(folder: Path) -> Path:
    return folder if os.path.lexists(folder) or folder == folder.parent else _existing(folder.parent)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text to `path`."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: object) -> None:
    """Write `value` to `path` as indented JSON with unsorted keys; NaN raises ``ValueError``."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_parquet(path: Path, frame: pd.DataFrame) -> None:
    """Write a data frame, without its index, to `path` as Parquet."""
    # As a file, because pyarrow can't open a path of any bytes.
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        frame.to_parquet(file, index=False)


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Write a data frame, without its index, to `path` as CSV."""
    with atomic_path(path) as temporary:
        frame.to_csv(temporary, index=False, lineterminator="\n")


def write_npy(path: Path, array: np.ndarray) -> None:
    """Write `array` to `path` in NumPy's format."""
    with atomic_path(path) as temporary:
        np.save(temporary, array, allow_pickle=False)
