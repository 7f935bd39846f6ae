"""Archives: checked member by member, and unpacked whole or not at all."""

from __future__ import annotations

import gzip
import logging
import lzma
import shutil
import stat
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath
from uuid import uuid4

from filelock import FileLock

from genredag.datasets.fetch import file_digest
from genredag.errors import DataError

if sys.version_info >= (3, 11, 4):
    import tarfile
else:  # earlier ones have no filters (PEP 706)
    from backports import tarfile  # type: ignore[no-redef]

logger = logging.getLogger(__name__)

BROKEN = (tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, EOFError, zlib.error, lzma.LZMAError)


def extract(archive: Path, parent: Path) -> Path:
    """Unpack a tar or zip archive into a folder of `parent` that its SHA-256 names, unless it is there.

    Raises
    ------
    DataError
        It is no archive, is cut or damaged, or has a member that would land outside of that folder.
    """
    folder = parent / file_digest(archive)[:16]
    parent.mkdir(parents=True, exist_ok=True)
    with FileLock(parent / f".{folder.name}.lock"):
        if folder.is_dir():
            return folder
        logger.info("unpacking %s", archive.name)
        temporary = parent / f".{uuid4().hex[:12]}.unpacking"
        try:
            _unpack(archive, temporary)
            temporary.replace(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return folder


def check_archive(archive: Path) -> None:
    """Read an archive to its end.

    Raises
    ------
    DataError
        It is no archive, or it is cut or damaged.
    """
    with _opened(archive) as opened:
        if isinstance(opened, zipfile.ZipFile):
            damaged = opened.testzip()
            if damaged:
                raise zipfile.BadZipFile(f"member {damaged!r} is damaged")
        else:
            for _ in opened:
                pass


def _unpack(archive: Path, folder: Path) -> None:
    folder.mkdir()
    with _opened(archive) as opened:
        if isinstance(opened, zipfile.ZipFile):
            for info in opened.infolist():
                _check_name(info.filename, archive)
                if stat.S_ISLNK(info.external_attr >> 16):
                    raise _unsafe(info.filename, archive, "a link")
                opened.extract(info, folder)
        else:
            for member in opened:
                _check_name(member.name, archive)
                try:
                    opened.extract(member, folder, filter="data")
                except tarfile.FilterError as error:
                    raise _unsafe(member.name, archive, str(error)) from None


@contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile | tarfile.TarFile]:
    """Open a zip or tar archive; what breaks while it is read is a `DataError`."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as zipped:
                yield zipped
        elif tarfile.is_tarfile(archive):
            with tarfile.open(archive) as tar:
                yield tar
                while tar.fileobj and tar.fileobj.read(1 << 20):
                    pass  # on to the checksum at the end
        else:
            raise tarfile.ReadError("its beginning or end is that of no known format")
    except BROKEN as error:
        raise DataError(
            f"not an archive, or cut or damaged ({error})",
            where=archive.name,
            expected="a .tar.gz or .zip file",
            hint="get it again",
        ) from None


def _check_name(name: str, archive: Path) -> None:
    """Refuse names that leave the folder on any system, even where an extractor would bend them into it."""
    path = PureWindowsPath(name)
    if path.drive or path.root or ".." in path.parts:
        raise _unsafe(name, archive, "it leads out of the folder")


def _unsafe(name: str, archive: Path, why: str) -> DataError:
    return DataError(
        f"unsafe member {name!r}: {why}", where=archive.name, hint="nothing was unpacked: don't use it"
    )
