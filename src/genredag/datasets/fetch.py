"""Downloads: tried on each mirror in order, resumed when interrupted, verified, and complete or absent."""

from __future__ import annotations

import hashlib
import logging
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import requests
from filelock import FileLock
from urllib3.exceptions import HTTPError, ProtocolError

from genredag.errors import DataError
from genredag.params.groups.datasets import Download
from genredag.runtime.files import write_text
from genredag.runtime.progress import progress

logger = logging.getLogger(__name__)

MIB = 1 << 20
LEAST_BYTES = MIB // 16  # a mirror that sends less in the time of a timeout is as good as dead
TRANSIENT_STATUS = {408, 429, 500, 502, 503, 504}  # temporary server errors; all others are final


class MirrorError(Exception):
    """A mirror can't deliver the file."""


class CutError(Exception):
    """A download was interrupted."""


def back_off(attempt: int) -> None:
    """Sleep 1, 2, 4, ... seconds, at most half a minute."""
    time.sleep(min(2**attempt, 30))


def obtain(
    path: str | None,
    mirrors: Sequence[str],
    target: Path,
    *,
    verify: Callable[[Path], None],
    download: Download,
    key: str,
    max_bytes: int,
) -> Path:
    """Return the user's own file or folder; download the file if none is given.

    Parameters
    ----------
    path
        The user's value of `key` in ``params.yaml``.
    max_bytes
        No version of the file is larger.

    Raises
    ------
    DataError
        The user's path does not exist, or no mirror delivers the file.
    """
    if path is None:
        hint = f"check the network, or set {key} to a copy of your own"
        return fetch(mirrors, target, verify=verify, download=download, hint=hint, max_bytes=max_bytes)
    if not Path(path).exists():
        raise DataError("no such file or folder", where=f"{key}: {path}")
    return Path(path)


def fetch(
    mirrors: Sequence[str],
    target: Path,
    *,
    verify: Callable[[Path], None],
    download: Download,
    hint: str,
    max_bytes: int,
    wait: Callable[[int], None] = back_off,
) -> Path:
    """Download a file from the first mirror that has it, unless it exists; an existing file is already
    verified.

    Parameters
    ----------
    verify
        Raises `DataError` if the file at a path is not the expected one.
    max_bytes
        A mirror that sends more is given up.

    Raises
    ------
    DataError
        No mirror delivers the file. Partial downloads are kept, and the next call resumes them.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    failures = []
    with FileLock(target.with_name(f".{target.name}.lock")):  # a second process waits and then finds the file
        if target.is_file():
            return target
        for url in mirrors:
            part = _part(target, url)
            try:
                _complete(url, part, download, max_bytes, wait)
                _verify(part, verify)
            except MirrorError as error:
                logger.warning("%s: %s", url, error)
                failures.append(f"{url}: {error}")
            else:
                part.replace(target)
                _discard(part)
                return target
    raise DataError("; ".join(failures) or "no mirrors", where=f"download of {target.name}", hint=hint)


def verify_checksum(path: Path, checksum: str) -> None:
    """Check a file against a checksum such as ``"sha1:f0df49..."``.

    Raises
    ------
    DataError
        Its checksum is different.
    """
    algorithm, expected = checksum.split(":")
    actual = file_digest(path, algorithm)
    if actual != expected:
        raise DataError(f"wrong checksum: {algorithm} {actual}", where=path.name, expected=expected)


def file_digest(path: Path, algorithm: str = "sha256") -> str:
    """Return the digest of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _verify(part: Path, verify: Callable[[Path], None]) -> None:
    try:
        verify(part)
    except DataError as error:
        _discard(part)
        raise MirrorError(
            f"{error.what}; expected {error.expected}" if error.expected else error.what
        ) from None


def _complete(url: str, part: Path, download: Download, max_bytes: int, wait: Callable[[int], None]) -> None:
    """Download `url` to `part`, resuming where it was interrupted."""
    logger.info("downloading %s", url)
    for attempt in range(download.retries + 1):
        try:
            return _receive(url, part, download.timeout_seconds, max_bytes)
        except CutError as error:
            reason = str(error)
        except (requests.ConnectionError, requests.Timeout) as error:
            reason = _plain(error)
            if attempt == 0:  # ASSUME a mirror that can't be reached at all is dead: the next one is faster
                raise MirrorError(reason) from None
        except requests.RequestException as error:
            raise MirrorError(_plain(error)) from None
        if attempt < download.retries:
            logger.info("%s: %s; resuming from %.1f MiB", url, reason, _size(part) / MIB)
            wait(attempt)
    kept = f"the next run resumes from {_size(part) / MIB:.1f} MiB"
    raise MirrorError(f"{reason}, {download.retries + 1} times; {kept}")


def _receive(url: str, part: Path, timeout: float, max_bytes: int) -> None:
    """Append the missing rest of `url` to `part`."""
    have = _size(part)
    headers = {"Accept-Encoding": "identity"}
    if have and _validator_file(part).is_file():
        validator = _validator_file(part).read_text(encoding="utf-8")
        # If the file has changed, If-Range makes the server send all of it.
        headers |= {"Range": f"bytes={have}-", "If-Range": validator}
    with requests.get(url, headers=headers, timeout=timeout, stream=True) as response:
        if response.status_code == 416 and response.headers.get("Content-Range") == f"bytes */{have}":
            return  # nothing was missing
        _check_status(response, part, have)
        announced = response.headers.get("Content-Length", "")
        length = int(announced) if announced.isdecimal() else 0
        if response.status_code != 206:
            have = 0
            _discard(part)
        _check_size(part, have + length, max_bytes)
        _check_room(part, length)
        if not have:
            validator = _validator(response.headers)
            if validator:
                write_text(_validator_file(part), validator)
        try:
            with part.open("ab") as file:
                blocks = _write(response, file, timeout)
                for _ in progress(blocks, f"{url.rsplit('/')[-1]} (MiB)", length // MIB):
                    _check_size(part, file.tell(), max_bytes)
        except HTTPError as error:
            cut = isinstance(error, ProtocolError)
            raise CutError("the connection was lost" if cut else _plain(error)) from None
    if length and _size(part) != have + length:
        raise CutError("the connection was lost")


def _check_status(response: requests.Response, part: Path, have: int) -> None:
    status = f"{response.status_code} {response.reason}"
    if response.status_code in TRANSIENT_STATUS:
        raise CutError(status)
    is_rest = response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
    if response.status_code == 416 or (response.status_code == 206 and not is_rest):
        _discard(part)
        raise CutError(f"{status}: not the requested range")
    if response.status_code not in (200, 206):
        raise MirrorError(status)


def _write(response: requests.Response, file: BinaryIO, timeout: float) -> Iterator[None]:
    """Write the response to `file` without decoding it; yield once per MiB.

    Raises
    ------
    CutError
        Less than `LEAST_BYTES` arrived in `timeout` seconds.
    """
    received, began, before = 0, time.monotonic(), 0
    while block := response.raw.read1(MIB // 16, decode_content=False):
        file.write(block)
        yield from [None] * ((received + len(block)) // MIB - received // MIB)
        received += len(block)
        if time.monotonic() - began > timeout:
            if received - before < LEAST_BYTES:
                raise CutError(f"less than {LEAST_BYTES // 1024} KiB in {timeout:g} s")
            began, before = time.monotonic(), received


def _check_size(part: Path, size: int, max_bytes: int) -> None:
    if size > max_bytes:
        _discard(part)
        raise MirrorError(f"more than {max_bytes / MIB:,.0f} MiB, which no version of this file has")


def _check_room(part: Path, needed: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        raise DataError(
            f"{needed / MIB:,.0f} MiB are needed, {free / MIB:,.0f} MiB are free",
            where=str(part.parent),
            hint="free some disk space, or set GENREDAG_CACHE to a folder on a larger disk",
        )


def _validator(headers: Mapping[str, str]) -> str:
    """Return a validator that identifies this version of a file (RFC 9110, 13.1.5: no weak tags), or ""."""
    etag = headers.get("ETag", "")
    return headers.get("Last-Modified", "") if etag.startswith("W/") or not etag else etag


def _validator_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.validator")


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _validator_file(part).unlink(missing_ok=True)


def _part(target: Path, url: str) -> Path:
    """Return the path of the partial download from `url`; each mirror has its own."""
    return target.with_name(f".{target.name}.{hashlib.sha256(url.encode()).hexdigest()[:8]}.part")


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _plain(error: Exception) -> str:
    """Return what happened, without urllib3's wrapping and connection pool."""
    cause = getattr(error.args[0], "reason", None) if error.args else None
    return re.sub(r"^\w+\(.*?\): ", "", str(cause or error)).rstrip(".")
