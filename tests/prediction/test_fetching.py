"""A server on the loopback interface that misbehaves in every way."""

import io
import sys
import threading
import time
import types
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import soundfile

from genredag.errors import DataError
from genredag.prediction import fetching
from genredag.prediction.fetching import Limits, fetch, is_address, is_local

LOCAL = Limits(allow_local=True, max_megabytes=0.2, max_seconds=5.0, silent_seconds=2.0)


def wav() -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.random.default_rng(0).normal(0, 0.1, 8000), 8000, format="WAV")
    return file.getvalue()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.partition("?")[0].strip("/")
        getattr(self, f"_{name.partition('.')[0].replace('/', '_')}", self._missing)()

    def _send(self, body, status=200, **headers):
        self.send_response(status)
        for key, value in {"Content-Length": len(body), **headers}.items():
            self.send_header(key.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def _song(self):
        self._send(wav(), Content_Type="audio/wav")

    def _large(self):
        self._send(b"x" * 300_000)

    def _endless(self):
        self.send_response(200)
        self.end_headers()
        for _ in range(100):
            self.wfile.write(b"x" * 10_000)

    def _short(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"x")

    def _drip(self):
        self.send_response(200)
        self.end_headers()
        self._slowly(lambda: self.wfile.write(b"x"))

    def _headers(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        self._slowly(lambda: self.wfile.write(b"X: x\r\n"))

    def _silent(self):
        self.server.stop.wait(10)

    def _slowly(self, send):
        while not self.server.stop.wait(0.1):
            send()
            self.wfile.flush()

    def _page(self):
        self._send(b"<html>", Content_Type="text/html; charset=utf-8")

    def _to(self):
        self._send(b"", 302, Location=self.path.partition("?")[2])

    def _loop(self):
        self._send(b"", 301, Location="/loop")

    def _missing(self):
        self._send(b"gone", 404)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.stop = threading.Event()
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.stop.set()
        server.shutdown()


def test_fetches_a_song(server, tmp_path):
    for path in ("/song.wav", "/song", "/to?/song.wav", f"/to?{server}/song?a=b"):
        folder = tmp_path / path.strip("/").replace("/", "_").replace(":", "_").replace("?", "_")
        folder.mkdir()
        file = fetch(server + path, folder, LOCAL)
        assert file.suffix == ".wav"
        assert file.read_bytes() == wav()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/large", "larger than 0.2 MB"),
        ("/endless", "larger than 0.2 MB"),
        ("/short", "ended early|IncompleteRead"),
        ("/absent", "HTTP 404 Not Found"),
        ("/loop", "more than 5 redirects"),
        ("/to?file:///etc/passwd", "redirects to file:///etc/passwd; only http and https"),
        ("/to?ftp://127.0.0.1/", "redirects to ftp://127.0.0.1/; only http and https"),
        ("/to?http://[", "not an address"),
    ],
)
def test_what_cannot_be_fetched_is_said_in_a_line(server, tmp_path, path, message):
    with pytest.raises(DataError, match=message) as error:
        fetch(server + path, tmp_path, LOCAL)
    assert str(error.value).startswith(server + path)


@pytest.mark.parametrize("path", ["/drip", "/headers", "/silent"])
def test_a_slow_host_is_given_up(server, tmp_path, path):
    limits = Limits(allow_local=True, max_seconds=0.6, silent_seconds=0.5)
    start = time.monotonic()
    with pytest.raises(DataError, match=r"took longer than 0\.6 s|sent nothing for 0\.5 s"):
        fetch(server + path, tmp_path, limits)
    assert time.monotonic() - start < 8


def test_the_local_network_is_refused_unless_allowed(server, tmp_path, monkeypatch):
    with pytest.raises(DataError, match=r"127\.0\.0\.1 belongs to the local network.*--allow-local"):
        fetch(f"{server}/song", tmp_path, Limits())
    with pytest.raises(DataError, match="belongs to the local network"):
        fetch(server.replace("127.0.0.1", "localhost") + "/song", tmp_path, Limits())
    # A public host whose redirect leads home.
    real, port = fetching.is_local, server.rpartition(":")[2]
    monkeypatch.setattr(fetching, "is_local", lambda address: real(address) and address != "127.0.0.1")
    with pytest.raises(DataError, match=r"127\.0\.0\.2 belongs to the local network"):
        fetch(f"{server}/to?http://127.0.0.2:{port}/song", tmp_path, Limits())


def test_the_address_that_was_checked_is_connected_to(server, tmp_path, monkeypatch):
    answers = iter(["127.0.0.1", "192.0.2.1"])
    port = int(server.rpartition(":")[2])
    asked = []

    def getaddrinfo(host, port, **_):
        asked.append(host)
        return [(2, 1, 6, "", (next(answers), port))]

    monkeypatch.setattr(fetching, "socket", types.SimpleNamespace(**vars(fetching.socket)))
    monkeypatch.setattr(fetching.socket, "getaddrinfo", getaddrinfo)
    assert fetch(f"http://example.test:{port}/song", tmp_path, LOCAL).is_file()
    assert asked == ["example.test"]


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"),
        *("100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1"),
    ],
)
def test_local_addresses_are_recognised(address):
    assert is_local(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_recognised(address):
    assert not is_local(address)


def test_a_page_needs_the_video_extra(server, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"a page, not an audio file.*genredag\[video\]"):
        fetch(f"{server}/page", tmp_path, LOCAL)


def test_yt_dlp_fetches_the_audio_of_a_page(server, tmp_path, monkeypatch):
    class DownloadError(Exception):
        pass

    class YoutubeDL:
        def __init__(self, options):
            assert "-generic" in options["allowed_extractors"]
            self.folder = Path(options["outtmpl"]).parent

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def download(self, urls):
            if "fails" in urls[0]:
                raise DownloadError("ERROR: Unsupported URL")
            (self.folder / "song.webm").write_bytes(b"audio")

    utils = types.SimpleNamespace(DownloadError=DownloadError)
    monkeypatch.setitem(sys.modules, "yt_dlp", types.SimpleNamespace(YoutubeDL=YoutubeDL, utils=utils))
    monkeypatch.setattr(fetching, "find_spec", lambda name: name)
    assert fetch(f"{server}/page", tmp_path, LOCAL).name == "song.webm"
    with pytest.raises(DataError, match=r"yt-dlp can fetch \(Unsupported URL\)"):
        fetch(f"{server}/page?fails", tmp_path, LOCAL)


@pytest.mark.parametrize(
    ("url", "message"),
    [("http:///x", "names no host"), ("http://h:x/", "not an address"), ("ftp://h/", "only http and https")],
)
def test_malformed_addresses(tmp_path, url, message):
    with pytest.raises(DataError, match=message):
        fetch(url, tmp_path, Limits())


def test_addresses_and_files_are_told_apart(tmp_path, monkeypatch):
    assert is_address("http://example.org/a.mp3") and is_address("file:///etc/passwd")
    assert not is_address("a.mp3") and not is_address(Path("http://example.org/a.mp3"))
    assert not is_address((np.zeros(1), 8000))
