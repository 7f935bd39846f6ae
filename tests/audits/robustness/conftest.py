from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import soundfile

from genredag.frames.rendering import render
from genredag.frames.slices import cut
from genredag.frames.split_slices import SliceSpec, SplitSlices
from genredag.frames.store import open_frames
from genredag.params.groups.slices import Slices
from genredag.params.groups.spectrograms import Mel, Rendering

SR = 8_000
GROUP = Mel(
    n_fft=256, hop_length=100, window="hann", n_mels=12, fmin=0.0, fmax=4000.0, scale="db", top_db=80.0
)
PARTS = ["train"] * 4 + ["validation"] * 2 + ["test"] * 4


@pytest.fixture(scope="session")
def make_data_set(tmp_path_factory):
    """Return a function that renders two genres (a low and a high tone in noise) of ten 1 s tracks."""

    def make(dtype: str) -> SimpleNamespace:
        folder = tmp_path_factory.mktemp("robustness")
        manifest = _write_tracks(folder)
        render(
            manifest,
            "mel",
            GROUP,
            Rendering(sr=SR, dtype=dtype, shifts=[]),
            cache_dir=folder,
            out_dir=folder / "mel",
            n_jobs=1,
        )
        frames = open_frames(folder / "mel")
        rate = frames.spec.frames_per_second
        slices, summary = cut(frames.index, rate, Slices(seconds=0.5, overlap=0.5, short_tracks="pad"))
        split = slices[["track_id", "slice"]].merge(manifest[["track_id", "genre", "artist"]], on="track_id")
        split["part"] = [PARTS[int(track_id[-1])] for track_id in split["track_id"]]
        sliced = SplitSlices(frames, slices, SliceSpec.of(summary), split)
        return SimpleNamespace(folder=folder, manifest=manifest, sliced=sliced)

    return make


@pytest.fixture(scope="session")
def data_set(make_data_set):
    return make_data_set("float16")


def _write_tracks(folder: Path) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = []
    for genre, hz in (("blues", 300), ("rock", 1_500)):
        for i in range(10):
            time = np.arange(int((0.9 + 0.3 * rng.random()) * SR)) / SR
            y = 0.2 * np.sin(2 * np.pi * hz * time) + 0.05 * rng.standard_normal(len(time))
            soundfile.write(folder / f"{genre}.{i}.wav", y, SR)
            row = {"track_id": f"{genre}.{i}", "genre": genre, "artist": f"{genre} {i // 2}"}
            rows.append(row | {"path": f"{genre}.{i}.wav", "duration": len(time) / SR, "sr": SR})
    return pd.DataFrame(rows).assign(status="ok").astype({"artist": "str"})
