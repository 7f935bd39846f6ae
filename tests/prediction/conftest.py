"""Two genres of short audio files, and bundles trained on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from genredag.bundles.bundle import Bundle, save_bundle
from genredag.frames.rendering import render
from genredag.frames.slices import cut
from genredag.frames.split_slices import SliceSpec, SplitSlices
from genredag.frames.store import open_frames
from genredag.params.groups.base import Group
from genredag.params.groups.slices import Slices
from genredag.params.groups.spectrograms import (
    ChromaStft,
    Cqt,
    Handcrafted,
    Mel,
    Mfcc,
    Rendering,
    Stack,
    Stft,
)
from genredag.training.train import train_bundle
from recipes import LSTM, SVM, TRAIN

SR, FILE_SR = 13_000, 16_000
GROUPS: dict[str, Group] = {
    "stft": Stft(n_fft=256, hop_length=130, window="hann", axis="log", n_bins=20, fmin=60.0, top_db=80.0),
    "mel": Mel(
        n_fft=256, hop_length=130, window="hann", n_mels=16, fmin=0.0, fmax=6500.0, scale="db", top_db=80.0
    ),
    "cqt": Cqt(hop_length=128, bins_per_octave=12, n_bins=36, fmin=110.0, top_db=80.0),
    "handcrafted": Handcrafted(n_fft=256, hop_length=130, n_mfcc=13),
    "mfcc": Mfcc(
        **{"n_fft": 256, "hop_length": 130, "window": "hann", "n_mels": 16, "n_mfcc": 13},
        **{"fmin": 0.0, "fmax": None, "top_db": 80.0},
    ),
    "chroma_stft": ChromaStft(n_fft=512, hop_length=130, window="hann", n_chroma=12, tuning=0.0),
}
GROUPS["stack"] = Stack(n_bins=16, channels={name: GROUPS[name] for name in ("mel", "mfcc", "chroma_stft")})
CNN = LSTM.model_copy(update={"options": {"dropout": 0.1}})
MODELS = {"svm_rbf": SVM, "lstm": LSTM, "lstm_windows": LSTM, "cnn_370k": CNN}


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep converted bundles out of the user's cache."""
    monkeypatch.setenv("GENREDAG_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@dataclass(frozen=True)
class Trained:
    """A bundle, its file, and the data that it was trained on."""

    path: Path
    bundle: Bundle
    data: SplitSlices
    files: dict[str, Path]


@pytest.fixture(scope="session")
def audio(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    """A folder of WAV files, at another rate than that of the analysis, and its manifest."""
    folder, rng = tmp_path_factory.mktemp("audio"), np.random.default_rng(0)
    rows = []
    for genre, hz in (("blues", 300), ("rock", 1_500)):
        for i in range(10):
            time = np.arange(int((0.3 + 2 * rng.random()) * FILE_SR)) / FILE_SR
            stereo = 0.2 * np.sin(2 * np.pi * hz * time)[:, None] + 0.1 * rng.standard_normal((len(time), 2))
            soundfile.write(folder / f"{genre}.{i}.wav", stereo, FILE_SR)
            row = {"track_id": f"{genre}.{i}", "genre": genre, "artist": f"{genre} {i}"}
            rows.append(row | {"path": f"{genre}.{i}.wav", "duration": len(time) / FILE_SR, "sr": FILE_SR})
    return folder, pd.DataFrame(rows).assign(status="ok").astype({"artist": "str"})


@pytest.fixture(scope="session")
def make_data(
    audio: tuple[Path, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., SplitSlices]:
    """Return a function that renders, cuts and splits the audio."""

    def make(representation: str, group: Group, dtype: str, seconds: float) -> SplitSlices:
        folder, manifest = audio
        rendering = Rendering(sr=SR, dtype=dtype, shifts=[])
        frames_dir = tmp_path_factory.mktemp(f"{representation}-{dtype}")
        render(manifest, representation, group, rendering, n_jobs=1, cache_dir=folder, out_dir=frames_dir)
        frames = open_frames(frames_dir)
        params = Slices(seconds=seconds, overlap=0.5, short_tracks="pad")
        slices, summary = cut(frames.index, frames.spec.frames_per_second, params)
        split = slices[["track_id", "slice"]].merge(manifest[["track_id", "genre", "artist"]], on="track_id")
        parts = ["train"] * 6 + ["validation"] * 2 + ["test"] * 2
        split["part"] = [parts[int(track_id[-1])] for track_id in split["track_id"]]
        return SplitSlices(frames, slices, SliceSpec.of(summary), split)

    return make


@pytest.fixture(scope="session")
def make_trained(
    audio: tuple[Path, pd.DataFrame],
    make_data: Callable[..., SplitSlices],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Trained]:
    """Return a function that trains a bundle; equal arguments train once."""
    known: dict[tuple[str, ...], Trained] = {}

    def make(model: str = "svm_rbf", representation: str = "mel", dtype: str = "float16") -> Trained:
        key = (model, representation, dtype)
        if key not in known:
            folder = tmp_path_factory.mktemp("-".join(key))
            data = make_data(representation, GROUPS[representation], dtype, seconds=0.5)
            bundle = train_bundle(model, MODELS[model], TRAIN, data, seed=1)[0]
            save_bundle(folder / "bundle.zip", bundle)
            files = {path.stem: path for path in audio[0].iterdir()}
            known[key] = Trained(folder / "bundle.zip", bundle, data, files)
        return known[key]

    return make


@pytest.fixture(scope="session")
def svm(make_trained: Callable[..., Trained]) -> Trained:
    """A support vector machine on mel spectrograms."""
    return make_trained()
