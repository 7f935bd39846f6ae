"""A file server on the loopback interface that misbehaves on demand, and makers of small audio files."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import soundfile

from genredag.params.groups.datasets import Download


@dataclass
class Served:
    """A file and how it is served.

    `faults` holds a status, or what happens after so many bytes: "cut", "stall", "drip" (one byte at a time),
    or "flood" (they are sent again and again). A header of None is not sent.
    """

    content: bytes
    faults: list[tuple[str, int] | int] = field(default_factory=list)
    headers: dict[str, str | None] = field(default_factory=lambda: {"ETag": '"1"'})
    knows_range: bool = True
    status: int = 200


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, Served] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.closing = threading.Event()

    def serve(self, name: str, content: bytes, **how: object) -> str:
        """Serve `content` and return its address."""
        self.files[f"/{name}"] = Served(content, **how)
        return f"http://127.0.0.1:{self.server_port}/{name}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.requests.append((self.path, wanted))
        file = self.server.files.get(self.path)
        fault = file.faults.pop(0) if file and file.faults else None
        if file is None or isinstance(fault, int):
            return self.send_error(fault or 404)
        start = 0
        validators = (file.headers.get("ETag"), file.headers.get("Last-Modified"))
        if wanted and file.knows_range and self.headers.get("If-Range") in validators:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if start and start >= len(file.content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(file.content)}")
            return self.end_headers()
        rest = file.content[start:]
        self.send_response(206 if start else file.status)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(file.content) - 1}/{len(file.content)}")
        for name, value in {"Content-Length": str(len(rest)), **file.headers}.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(rest[: fault[1]] if fault else rest)
        if fault and fault[0] == "stall":
            self.wfile.flush()
            self.server.closing.wait()
        with suppress(ConnectionError):
            while fault and fault[0] in ("drip", "flood") and not self.server.closing.is_set():
                self.wfile.write(rest[: 1 if fault[0] == "drip" else fault[1]])
                self.server.closing.wait(0.02 if fault[0] == "drip" else 0)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def dead_url() -> str:
    """A URL on a port where no server listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}/genres.tar.gz"


@pytest.fixture
def download() -> Download:
    return Download(
        max_skipped=0.05,
        min_seconds=0.05,
        silence_db=-60.0,
        max_megabytes=100.0,
        max_decoding_seconds=10.0,
        timeout_seconds=0.5,
        retries=0,
    )


@pytest.fixture
def tone() -> Callable[..., Path]:
    """Write a short tone, another for every seed, and return its path."""

    def write(path: Path, seed: int = 0, seconds: float = 0.1, sr: int = 8000) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        frequency = 200 + 10 * seed
        samples = np.round(np.sin(2 * np.pi * frequency * np.arange(int(seconds * sr)) / sr) * 16000)
        soundfile.write(path, samples.astype(np.int16), sr)
        return path

    return write
