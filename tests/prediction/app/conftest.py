"""A server with models that need no training."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from fastapi.testclient import TestClient

from genredag.bundles.card import Card, DataFacts, Estimate, GenreScore, SetScore
from genredag.prediction import explain as explaining
from genredag.prediction.app import work
from genredag.prediction.app.jobs import in_thread
from genredag.prediction.app.limits import Limits
from genredag.prediction.app.offer import Offered
from genredag.prediction.app.server import make_server
from genredag.prediction.explain import Explanation
from genredag.prediction.song import SongPrediction, Spectrogram, Timeline, Trust
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


def make_card(name: str, **changes: object) -> Card:
    values = {
        "name": name,
        "model": "svm_rbf",
        "n_parameters": 123_456,
        "data": DataFacts(
            name="toys", homepage="https://toys.example", licence="CC0", citation="@misc{toys}"
        ),
        "representation": "mel",
        "input": "mel, 128 bins, of audio at 22050 Hz",
        "split": "artist_disjoint",
        "fold": 0,
        "protocol": "no artist has tracks in more than one part",
        "track_decision": "mean",
        "tracks": {"train": 320, "validation": 40, "test": 60},
        "accuracy": Estimate(value=0.75, low=0.6, high=0.86),
        "chance": 0.4,
        "macro_f1": 0.7333,
        "validation_accuracy": 0.8,
        "genres": tuple(GenreScore(genre=g, precision=0.7, recall=0.8, f1=0.75, tracks=20) for g in GENRES),
        "sets": SetScore(promised=0.9, held=0.94, mean_size=1.3, unsure=0.3, groups=38),
        "unlike": 0.025,
        "limits": ("It knows 3 genres.", "Music of other times can be harder."),
        "warning": None,
        "seed": 1,
        "date": "2024-05-31",
        "commit": "abc123",
        "versions": {"python": "3.11.0", "numpy": "2.1.0"},
    }
    return Card(**(values | changes))


@pytest.fixture(scope="session")
def loudness() -> type[LoudnessClassifier]:
    return LoudnessClassifier


@pytest.fixture(scope="session")
def offered() -> list[Offered]:
    return [
        Offered(Path("/models/loudness.zip"), "loudness", make_card("loudness")),
        Offered(Path("/models/blues.zip"), "blues only"),
    ]


@pytest.fixture
def model_file(tmp_path) -> Callable[..., Path]:
    """Return a function that writes a file with a card, which is all that an offer reads of a model."""

    def write(path: str, **changes: object) -> Path:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(tmp_path / path, "w") as archive:
            archive.writestr("card.json", make_card(**({"name": "svm_rbf on mel"} | changes)).json_text())
        return tmp_path / path

    return write


@pytest.fixture
def place(tmp_path) -> Path:
    """Where the server makes its temporary folder."""
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


def explain_loudness(classifier: LoudnessClassifier, source: Path) -> Explanation:
    """The loud half speaks for the genre in the middle band, and against it in the highest."""
    genre = classifier.predict(source).genre
    spectrogram = Spectrogram(np.zeros((4, 6), np.float32), [100, 200, 400, 800, 1600, 3200], "dB", 6.0)
    effect = np.array([[0, 0, 0], [0, 0.25, -0.1]])
    return Explanation(str(source), genre, np.array([0, 3, 6.0]), np.array([0, 2, 4, 6]), effect, spectrogram)


@pytest.fixture(scope="session")
def explain_with() -> Callable:
    return explain_loudness


@pytest.fixture
def serve(offered, place, monkeypatch) -> Callable:
    """Return a context manager that runs a server and yields a client of it; it takes limits."""
    monkeypatch.setattr(work, "load_classifier", LoudnessClassifier)
    monkeypatch.setattr(explaining, "explain", explain_loudness)

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
