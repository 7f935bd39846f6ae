"""Audio from the web, with limits: of size, time and redirects, and never from the local network.

The address of a host is resolved once, checked, and then connected to, so that a name server cannot give
another address in between. Proxies of the environment are not used, because they resolve names themselves.
"""

from __future__ import annotations

import ipaddress
import mimetypes
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin, urlsplit

from genredag.errors import DataError
from genredag.tracks.audio import SUFFIXES

if TYPE_CHECKING:
    from urllib3 import HTTPResponse
    from urllib3.connection import HTTPConnection

SCHEMES = ("http", "https")
_CHUNK = 1 << 16
_REDIRECTS = (301, 302, 303, 307, 308)
_PAGES = ("text/html", "application/xhtml+xml")
# IPv6 prefixes that lead to an IPv4 address: NAT64.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True)
class Limits:
    """What may be fetched.

    Attributes
    ----------
    max_megabytes
        Size of a file.
    max_seconds
        Time for a file, with all redirects.
    silent_seconds
        How long a host may send nothing.
    allow_local
        Whether hosts may be in the local network.
    """

    max_megabytes: float = 200.0
    max_seconds: float = 120.0
    silent_seconds: float = 20.0
    max_redirects: int = 5
    allow_local: bool = False


def is_address(source: object) -> bool:
    """Return whether a source is an address rather than a file."""
    return isinstance(source, str) and "://" in source and not Path(source).exists()


def fetch(url: str, folder: Path, limits: Limits) -> Path:
    """Fetch an address into a new file of `folder`.

    Raises
    ------
    DataError
        The address can't be fetched, exceeds a limit, is in the local network, or is a page without audio.
    """
    deadline, address = time.monotonic() + limits.max_seconds, url
    for _ in range(limits.max_redirects + 1):
        parts = _checked(address, url)
        with _opened(parts, url, deadline, limits) as response:
            location = response.headers.get("Location")
            if response.status in _REDIRECTS and location:
                address = _joined(address, location, url)
                continue
            if response.status != 200:
                raise _refused(url, f"HTTP {response.status} {response.reason or ''}".strip())
            kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            if kind not in _PAGES:
                file = folder / f"song{_suffix(parts, kind)}"
                _save(response, file, url, limits)
                return file
        return _from_page(url, folder, limits)
    raise _refused(url, f"more than {limits.max_redirects} redirects")


def _checked(address: str, url: str) -> SplitResult:
    """Return the parts of an address that may be opened."""
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018, raises ValueError
    except ValueError as error:
        raise _refused(url, f"not an address: {error}") from None
    if parts.scheme not in SCHEMES:
        leads = "" if address == url else f"redirects to {address[:100]}; "
        raise _refused(url, f"{leads}only http and https can be fetched")
    if not parts.hostname:
        raise _refused(url, "names no host")
    return parts


def _joined(address: str, location: str, url: str) -> str:
    try:
        return urljoin(address, location)
    except ValueError as error:
        raise _refused(url, f"not an address: {error}") from None


@contextmanager
def _opened(parts: SplitResult, url: str, deadline: float, limits: Limits) -> Iterator[HTTPResponse]:
    """Open an address without following redirects; everything ends at the deadline."""
    from urllib3.exceptions import HTTPError

    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    left = deadline - time.monotonic()
    late = threading.Event()
    try:
        raw = socket.create_connection((_resolved(host, port, url, limits), port), max(0.1, min(left, 10.0)))
        raw.settimeout(limits.silent_seconds)
    except OSError as error:
        raise _refused(url, f"can't connect to {host}: {error.strerror or error}") from None
    with raw.dup() as twin:  # TLS takes `raw` away; shutting its twin down ends every wait
        timer = threading.Timer(max(deadline - time.monotonic(), 0.1), _end, (twin, late))
        timer.daemon = True
        timer.start()
        connection = _connection(parts.scheme, host, port, raw)
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            headers = {"User-Agent": "genredag", "Accept-Encoding": "identity", "Connection": "close"}
            connection.request("GET", _quoted(target), headers=headers, preload_content=False)
            response = connection.getresponse()
            yield response
            if late.is_set():
                raise _refused(url, f"took longer than {limits.max_seconds:g} s")
        except (HTTPError, OSError, ValueError) as error:
            what = f"took longer than {limits.max_seconds:g} s" if late.is_set() else _reason(error, limits)
            raise _refused(url, what) from None
        finally:
            timer.cancel()
            connection.close()
            raw.close()


def _connection(scheme: str, host: str, port: int, raw: socket.socket) -> HTTPConnection:
    """Return a connection to `host` over an open socket."""
    from urllib3.connection import HTTPConnection, HTTPSConnection

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return raw

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return raw

    if scheme == "http":
        return Plain(host, port)
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    return Secure(host, port, cert_reqs="CERT_REQUIRED", ca_certs=DEFAULT_CA_BUNDLE_PATH)


def _end(twin: socket.socket, late: threading.Event) -> None:
    late.set()
    with suppress(OSError):  # it may be closed already
        twin.shutdown(socket.SHUT_RDWR)


def _resolved(host: str, port: int, url: str, limits: Limits) -> str:
    """Return an address of a host; all of its addresses must be allowed."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise _refused(url, f"no such host: {host}") from None
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        if not limits.allow_local and is_local(address):
            raise DataError(
                f"{address} belongs to the local network",
                where=url,
                hint="--allow-local, if you trust it",
            )
    return addresses[0]


def is_local(address: str) -> bool:
    """Return whether an IP address is not a public one: loopback, private, link-local, reserved, multicast.

    An IPv6 address that leads to an IPv4 address (mapped, 6to4, Teredo, NAT64) is judged by both.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    inner: list[ipaddress.IPv4Address | None] = []
    if isinstance(ip, ipaddress.IPv6Address):
        inner += [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
        if ip in _NAT64:
            inner.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
        if ip.ipv4_mapped:
            return is_local(str(ip.ipv4_mapped))
    return not ip.is_global or ip.is_multicast or any(is_local(str(one)) for one in inner if one)


def _save(response: HTTPResponse, file: Path, url: str, limits: Limits) -> None:
    most = int(limits.max_megabytes * 1e6)
    declared = response.headers.get("Content-Length", "")
    n_bytes = int(declared) if declared.isdigit() else 0
    with file.open("wb") as output:
        while n_bytes <= most and (chunk := response.read1(_CHUNK)):
            output.write(chunk)
            n_bytes = max(n_bytes, output.tell())
        if n_bytes > most:
            raise _refused(url, f"larger than {limits.max_megabytes:g} MB")
        if declared.isdigit() and output.tell() < int(declared):
            raise OSError("the connection ended early")


def _suffix(parts: SplitResult, kind: str) -> str:
    suffix = Path(parts.path).suffix.lower()
    kinds = (kind, kind.replace("/", "/x-"))
    guesses = [suffix, *(mimetypes.guess_extension(name) for name in kinds)]
    return next((guess for guess in guesses if guess in SUFFIXES), "")


def _from_page(url: str, folder: Path, limits: Limits) -> Path:
    """Fetch the audio of a page of a video site with yt-dlp."""
    if find_spec("yt_dlp") is None:
        raise DataError(
            "a page, not an audio file", where=url, hint="pip install 'genredag[video]' for video sites"
        )
    import yt_dlp

    options = {
        "format": "bestaudio/best",
        "outtmpl": os.fspath(folder / "song.%(ext)s"),
        "max_filesize": int(limits.max_megabytes * 1e6),
        "socket_timeout": limits.silent_seconds,
        "noplaylist": True,
        "quiet": True,
        "no_warnings": True,
        "noprogress": True,
        # Without the generic extractor, which fetches any address that a page names.
        "allowed_extractors": ["default", "-generic"],
    }
    try:
        with yt_dlp.YoutubeDL(options) as loader:
            loader.download([url])
    except yt_dlp.utils.DownloadError as error:
        what = str(error).removeprefix("ERROR: ").partition("\n")[0]
        raise _refused(url, f"a page without audio that yt-dlp can fetch ({what})") from None
    files = [path for path in folder.iterdir() if path.suffix not in (".part", ".ytdl")]
    if not files:
        raise _refused(url, f"yt-dlp fetched nothing: larger than {limits.max_megabytes:g} MB?")
    return files[0]


def _quoted(target: str) -> str:
    from urllib.parse import quote

    return quote(target, safe="/?&=%:@!$'()*+,;~#[]")


def _reason(error: Exception, limits: Limits) -> str:
    if isinstance(error, TimeoutError) or "timed out" in str(error):
        return f"sent nothing for {limits.silent_seconds:g} s"
    return f"can't be fetched: {error}"


def _refused(url: str, what: str) -> DataError:
    return DataError(what, where=url)
