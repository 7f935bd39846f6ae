"""Archives: checked member by member, and unpacked completely or not at all."""

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
else:  # older versions have no extraction filters (PEP 706)
    from backports import tarfile  # type: ignore[no-redef]

logger = logging.getLogger(__name__)

BROKEN = (tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, EOFError, zlib.error, lzma.LZMAError)


def extract(archive: Path, parent: Path) -> Path:
    """Unpack a tar or zip archive into a folder in `parent` named by its SHA-256, unless that folder exists.

    Raises
    ------
    DataError
        It is not an archive, is truncated or damaged, or has a member that would be written elsewhere.
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
    """Verify an archive by reading it to its end.

    Raises
    ------
    DataError
        It is not an archive, or it is truncated or damaged.
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
    """Open a zip or tar archive; errors while it is read become a `DataError`."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as zipped:
                yield zipped
        elif tarfile.is_tarfile(archive):
            with tarfile.open(archive) as tar:
                yield tar
                while tar.fileobj and tar.fileobj.read(1 << 20):
                    pass  # read on to the checksum at the end
        else:
            raise tarfile.ReadError("unknown format")
    except BROKEN as error:
        raise DataError(
            f"not an archive, or truncated or damaged ({error})",
            where=archive.name,
            expected="a .tar.gz or .zip file",
            hint="download it again",
        ) from None


def _check_name(name: str, archive: Path) -> None:
    """Reject names that lead out of the folder on any system, even if an extractor would sanitise them."""
    path = PureWindowsPath(name)
    if path.drive or path.root or ".." in path.parts:
        raise _unsafe(name, archive, "it leads outside the folder")


def _unsafe(name: str, archive: Path, why: str) -> DataError:
    return DataError(
        f"unsafe member {name!r}: {why}", where=archive.name, hint="nothing was unpacked; don't use it"
    )
