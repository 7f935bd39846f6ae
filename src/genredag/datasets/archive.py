"""Archives: checked member by member, and unpacked completely or not at all.

Music is files in folders. Members of any other kind, links too, are refused, and so are archives that unpack
to far more than music does.
"""

from __future__ import annotations

import errno
import gzip
import logging
import lzma
import shutil
import stat
import sys
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath
from typing import Any, Self, TypeAlias
from uuid import uuid4

from filelock import FileLock

from genredag.datasets.fetch import file_digest
from genredag.errors import DataError

if sys.version_info >= (3, 11, 4):
    import tarfile
else:  # older versions have no extraction filters (PEP 706)
    from backports import tarfile  # type: ignore[no-redef]

logger = logging.getLogger(__name__)

Member: TypeAlias = zipfile.ZipInfo | tarfile.TarInfo

BROKEN = (
    *(tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, EOFError, zlib.error, lzma.LZMAError),
    *(NotImplementedError, OverflowError, UnicodeError, ValueError),  # values no archiver writes
)
# What an archive may unpack to: so many times its size, or so many bytes. Audio hardly shrinks.
MAX_RATIO, FREE_OF_RATIO = 50, 1 << 30
# A name that is too long or both a file and a folder.
IMPOSSIBLE = {errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.EINVAL, errno.EILSEQ}
MAX_MEMBERS, MAX_DEPTH = 1_000_000, 100
EXTENDED = {
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
}
MAX_HEADER = 1 << 20  # bytes; tarfile reads extended headers into memory


def extract(archive: Path, parent: Path) -> Path:
    """Unpack a tar or zip archive into a folder in `parent` named by its SHA-256, unless that folder exists.

    Raises
    ------
    DataError
        It is not an archive, is truncated or damaged, or has a member that is not music.
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
        It is not an archive, is truncated or damaged, or has a member that `extract` refuses.
    """
    with _opened(archive) as opened:
        for _ in _members(opened, archive):
            pass
        if isinstance(opened, zipfile.ZipFile):
            damaged = opened.testzip()
            if damaged:
                raise zipfile.BadZipFile(f"member {damaged!r} is damaged")


def _unpack(archive: Path, folder: Path) -> None:
    folder.mkdir()
    with _opened(archive) as opened:
        members: Iterable[Any] = _members(opened, archive)
        if isinstance(opened, zipfile.ZipFile):
            members = list(members)  # all are known beforehand, and checked
        for member in members:
            try:
                if isinstance(opened, zipfile.ZipFile):
                    opened.extract(member, folder)
                else:
                    opened.extract(member, folder, filter="data")
            except tarfile.FilterError as error:
                raise _unsafe(member.name, archive, str(error)) from None
            except OSError as error:
                if error.errno not in IMPOSSIBLE:
                    raise
                raise _unsafe(_described(member)[0], archive, str(error.strerror).lower()) from None


def _members(opened: zipfile.ZipFile | tarfile.TarFile, archive: Path) -> Iterator[Any]:
    """Yield the members of an archive, each checked.

    Raises
    ------
    DataError
        A member is neither a file nor a folder, or leads elsewhere; they are too many or too large.
    """
    most, unpacked = FREE_OF_RATIO + MAX_RATIO * archive.stat().st_size, 0
    members: Iterable[Member] = opened.infolist() if isinstance(opened, zipfile.ZipFile) else opened
    for n, member in enumerate(members, 1):
        name, size, refused = _described(member)
        _check_name(name, archive)
        if refused:
            raise _unsafe(name, archive, refused)
        if size < 0:
            raise ValueError(f"member {name!r} has {size:,} bytes")
        unpacked += size
        if unpacked > most or n > MAX_MEMBERS:
            raise DataError(
                f"unpacks to more than {most >> 20:,} MiB" if unpacked > most else "has too many members",
                where=archive.name,
                expected=f"at most {MAX_MEMBERS:,} members, and {MAX_RATIO} times its size",
                hint="if you trust it, unpack it yourself and give the folder",
            )
        yield member


def _described(member: Member) -> tuple[str, int, str]:
    """Return name and size of a member, and why it can't be unpacked, or ""."""
    if isinstance(member, zipfile.ZipInfo):
        is_link, is_other = stat.S_ISLNK(member.external_attr >> 16), False
        name, size, is_encrypted = member.filename, member.file_size, bool(member.flag_bits & 1)
    else:
        is_link, is_other = member.issym() or member.islnk(), not (member.isfile() or member.isdir())
        name, size, is_encrypted = member.name, member.size, False
    reasons = {"a link": is_link, "neither a file nor a folder": is_other, "encrypted": is_encrypted}
    return name, size, next((reason for reason, holds in reasons.items() if holds), "")


@contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile | tarfile.TarFile]:
    """Open a zip or tar archive; errors while it is read become a `DataError`."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as zipped:
                yield zipped
        else:
            with _opened_tar(archive) as tar:
                yield tar
                while tar.fileobj and tar.fileobj.read(1 << 20):
                    pass  # read on to the checksum at the end
    except BROKEN as error:
        raise DataError(
            f"not an archive, or truncated or damaged ({error})",
            where=archive.name,
            expected="a .tar.gz or .zip file",
            hint="download it again",
        ) from None


def _opened_tar(archive: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(archive, tarinfo=_Header)
    except tarfile.ReadError:
        raise tarfile.ReadError("unknown format") from None  # instead of a line for each compression


class _Header(tarfile.TarInfo):
    """The header of a member of a tar archive, if it is of a sane size."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        header = super().frombuf(buf, encoding, errors)
        if header.size < 0 or (header.type in EXTENDED and header.size > MAX_HEADER):
            raise ValueError(f"a header says {header.size:,} bytes")
        return header


def _check_name(name: str, archive: Path) -> None:
    """Reject names that lead out of the folder on any system, even if an extractor would sanitise them."""
    path = PureWindowsPath(name)
    if path.drive or path.root or ".." in path.parts:
        raise _unsafe(name, archive, "it leads outside the folder")
    if "\0" in name or len(path.parts) > MAX_DEPTH:
        raise _unsafe(name, archive, "a NUL in its name" if "\0" in name else "too many folders")


def _unsafe(name: str, archive: Path, why: str) -> DataError:
    shown = name if len(name) <= 100 else f"{name[:50]}...{name[-47:]}"
    return DataError(
        f"unsafe member {shown!r}: {why}", where=archive.name, hint="nothing was unpacked; don't use it"
    )
