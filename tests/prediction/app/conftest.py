"""A server with models that need no training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from fastapi.testclient import TestClient

from genredag.prediction.app import work
from genredag.prediction.app.jobs import in_thread
from genredag.prediction.app.limits import Limits
from genredag.prediction.app.offer import Offered
from genredag.prediction.app.server import make_server
from genredag.prediction.song import SongPrediction, Timeline, Trust
from genredag.tracks.audio import decode

GENRES = ("blues", "jazz", "rock")
SECONDS, STEP = 2.0, 1.0


class LoudnessClassifier:
    """Hears jazz in quiet slices and rock in loud ones; the model ``blues.zip`` always hears blues."""

    class_names = GENRES

    def __init__(self, path: Path) -> None:
        self.path = path

    def predict(self, source: Path) -> SongPrediction:
        samples, sr = decode(source)
        duration = len(samples) / sr
        start = np.arange(max(1, int((duration - SECONDS) / STEP) + 1)) * STEP
        loud = [np.abs(samples[int(t * sr) : int((t + SECONDS) * sr)]).max() > 0.3 for t in start]
        rows = [[0.1, 0.2, 0.7] if each else [0.1, 0.6, 0.3] for each in loud]
        if self.path.stem == "blues":
            rows = [[0.8, 0.1, 0.1] for _ in loud]
        timeline = Timeline(start, np.minimum(start + SECONDS, duration), np.array(rows, np.float32))
        whole = np.mean(rows, axis=0)
        trust = Trust((GENRES[int(whole.argmax())], "blues"), 0.9, False, None)
        return SongPrediction(str(source), GENRES, whole, timeline, duration, trust)


@pytest.fixture(scope="session")
def loudness() -> type[LoudnessClassifier]:
    return LoudnessClassifier


@pytest.fixture(scope="session")
def offered() -> list[Offered]:
    return [
        Offered(Path("/models/loudness.zip"), "loudness"),
        Offered(Path("/models/blues.zip"), "blues only"),
    ]


@pytest.fixture
def place(tmp_path) -> Path:
    """Where the server makes its temporary folder."""
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


@pytest.fixture
def serve(offered, place, monkeypatch) -> Callable:
    """Return a context manager that runs a server and yields a client of it; it takes limits."""
    monkeypatch.setattr(work, "load_classifier", LoudnessClassifier)

    @contextmanager
    def run(hosts=("*",), fetch=None, **limits) -> Iterator[TestClient]:
        server = make_server(offered, fetch, Limits(**limits), in_thread, hosts, place)
        with TestClient(server, base_url="http://localhost") as client:
            yield client

    return run


@pytest.fixture
def client(serve) -> Iterator[TestClient]:
    with serve() as client:
        yield client


@pytest.fixture(scope="session")
def song(tmp_path_factory) -> Path:
    """Six seconds: three quiet, three loud."""
    path = tmp_path_factory.mktemp("song") / "quiet then loud.wav"
    sr = 22050
    time = np.arange(6 * sr) / sr
    samples = np.where(time < 3, 0.1, 0.8) * np.sin(2 * np.pi * 440 * time)
    soundfile.write(path, samples, sr)
    return path


@pytest.fixture
def add(song) -> Callable:
    """Return a function that uploads the song, or other bytes."""

    def upload(client: TestClient, name: str = "song.wav", content: bytes | None = None):
        return client.post("/api/songs", params={"name": name}, content=content or song.read_bytes())

    return upload
