"""Downloads: mirrors in order, resumed when cut, verified, and whole or absent."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import requests
from filelock import FileLock
from urllib3.exceptions import HTTPError

from genredag.atomic import write_json
from genredag.errors import DataError
from genredag.progress import progress

logger = logging.getLogger(__name__)

MIB = 1 << 20
RETRIED_STATUS = {408, 429, 500, 502, 503, 504}  # a server's passing troubles; other errors are final
CUT = (requests.ConnectionError, requests.Timeout, HTTPError)  # how requests and urllib3 tell of a cut stream


class MirrorError(Exception):
    """A mirror is given up."""


def fetch(
    mirrors: Sequence[str],
    target: Path,
    *,
    verify: Callable[[Path], None],
    timeout_seconds: float,
    retries: int,
    hint: str,
    wait: Callable[[int], None] = lambda attempt: time.sleep(2**attempt),
) -> Path:
    """Download one file unless it is there already, which means that it was verified.

    Parameters
    ----------
    mirrors
        Addresses tried in order.
    target
        Where the file goes.
    verify
        Raises `DataError` if the file at a path is not the one wanted.
    timeout_seconds
        A server that sends nothing for so long counts as cut off.
    retries
        How often a cut download is resumed, per mirror.
    hint
        What a user can do if no mirror works.
    wait
        Called with 0, 1, 2, ... before each resumption.

    Raises
    ------
    DataError
        No mirror gives the file; what arrived is kept and resumed by the next call.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    failures = []
    # Two processes that want the same file: the second waits and finds it there.
    with FileLock(target.with_name(f".{target.name}.lock")):
        if target.is_file():
            return target
        for url in mirrors:
            part = target.with_name(f".{target.name}.{hashlib.sha256(url.encode()).hexdigest()[:8]}.part")
            try:
                logger.info("downloading %s", url)
                _complete(url, part, timeout_seconds, retries, wait)
                _verify(part, verify)
            except MirrorError as error:
                logger.warning("%s: %s", url, error)
                failures.append(f"{url}: {error}")
            else:
                part.replace(target)
                _notes(part).unlink(missing_ok=True)
                return target
    raise DataError("; ".join(failures) or "no mirrors", where=f"download of {target.name}", hint=hint)


def verify_checksum(path: Path, checksum: str) -> None:
    """Check a file against a checksum such as ``"sha1:f0df49..."``.

    Raises
    ------
    DataError
        It has another.
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
        expected = f"; expected {error.expected}" if error.expected else ""
        raise MirrorError(error.what + expected) from None


def _complete(url: str, part: Path, timeout: float, retries: int, wait: Callable[[int], None]) -> None:
    """Download `url` to `part`, going on where it was cut."""
    attempt = 0
    while True:
        try:
            if _receive(url, part, timeout):
                return
            reason = "the connection was cut"
        except CUT as error:
            # ASSUME a mirror that can't be reached at all is dead: going on to the next beats waiting.
            reason = _plain(error)
            if not part.exists():
                raise MirrorError(reason) from None
        except requests.RequestException as error:
            raise MirrorError(_plain(error)) from None
        if attempt == retries:
            size = part.stat().st_size / MIB if part.exists() else 0
            raise MirrorError(f"{reason} (retried {retries} times; {size:.1f} MiB are kept for the next run)")
        logger.info("%s: %s; resuming", url, reason)
        wait(attempt)
        attempt += 1


def _receive(url: str, part: Path, timeout: float) -> bool:
    """Append what `url` sends to `part`; say whether that is the whole file."""
    headers = {"Accept-Encoding": "identity"}
    have = part.stat().st_size if part.exists() else 0
    validator = _read_notes(part)
    if have and validator:  # the server sends the whole file if it is another by now
        headers |= {"Range": f"bytes={have}-", "If-Range": validator}
    with requests.get(url, headers=headers, timeout=timeout, stream=True) as response:
        if response.status_code == 416:  # nothing is left to send, or the file is another
            if response.headers.get("Content-Range") == f"bytes */{have}":
                return True
            _discard(part)
            return False
        if response.status_code in RETRIED_STATUS:
            return False
        if not response.ok:
            raise MirrorError(f"{response.status_code} {response.reason}")
        resumed = response.status_code == 206
        if resumed and not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            _discard(part)
            return False
        length = response.headers.get("Content-Length")
        _make_room(part, int(length or 0))
        if not resumed:
            _write_notes(part, response)
        blocks = response.raw.stream(MIB, decode_content=False)
        n_blocks = -(-int(length or 0) // MIB)
        with part.open("ab" if resumed else "wb") as file:
            for block in progress(blocks, f"{part.name.split('.')[1]} (MiB)", n_blocks):
                file.write(block)
    return length is None or part.stat().st_size == int(length) + (have if resumed else 0)
