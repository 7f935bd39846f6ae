"""Fixtures that every test may use."""

from __future__ import annotations

import copy
import gc
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import settings

from genredag.frames.split_slices import SliceSpec, SplitSlices
from genredag.frames.store import Frames, FrameSpec
from onnx_files import write_encoder

# A collection takes 0.4 s once TensorFlow is imported.
gc.set_threshold(20_000)

ROOT = Path(__file__).resolve().parents[1]
# A test on a busy machine is slow, not wrong. Examples are the same in every run, so that chance decides no
# check of a change; `--hypothesis-profile=random` looks for new ones every night.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("random", deadline=None)
settings.load_profile("repeatable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the tests of whole runs, the longest: begun last, they would leave other processes idle."""
    items.sort(key=lambda item: "workflow" not in item.path.parts)


@pytest.fixture(scope="session")
def project_dir() -> Path:
    """The project's root."""
    return ROOT


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The team's library of real audio next to the project; tests that need it are skipped without it."""
    shared = ROOT.parent / "shared"
    if not (shared / "gtzan_mini").is_dir():
        pytest.skip("no shared library of real audio beside the project")
    return shared


@pytest.fixture(scope="session")
def musicnn_weights() -> str:
    """The folder of musicnn's checkpoint; tests that need it are skipped without it."""
    folder = ROOT.parent / "shared" / "weights" / "musicnn_msd"
    if not folder.is_dir():
        pytest.skip("no weights of musicnn beside the project")
    return str(folder)


@pytest.fixture(scope="session")
def onnx_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small encoder as an ONNX file; see `write_encoder`."""
    return write_encoder(tmp_path_factory.mktemp("encoder") / "encoder.onnx")


@pytest.fixture(scope="session")
def read_once() -> dict:
    """Read the values of params.yaml; see `tree`."""
    return yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def tree(read_once: dict) -> dict:
    """Return a copy of the values of params.yaml; tests change it and call `parse_params`."""
    return copy.deepcopy(read_once)


@pytest.fixture(scope="session")
def toy_slices():
    """Three genres (bands of noise) of eight tracks with three slices of ten frames each.

    Gives `SplitSlices`.
    """
    rng = np.random.default_rng(0)
    genres, n_bins = ("blues", "jazz", "rock"), 12
    tracks = [(f"{genre}.{i:05d}", genre) for genre in genres for i in range(8)]
    values = rng.normal(-40, 5, (len(tracks), 20, n_bins))
    for track, (_, genre) in zip(values, tracks, strict=True):
        track[:, 4 * genres.index(genre) :][:, :4] += 12
    first_frame = 20 * np.arange(len(tracks))
    index = pd.DataFrame(
        {"track_id": [t for t, _ in tracks], "first_frame": first_frame, "n_frames": 20, "duration": 2.0}
    ).assign(parent=None)
    spec = FrameSpec(
        "mel",
        n_bins,
        10.0,
        len(tracks),
        20 * len(tracks),
        "float16",
        0.0,
        1.0,
        -80.0,
        "dB",
        list(range(n_bins)),
        {"n_mels": n_bins},
        4000,
    )
    frames = Frames(spec, index, values.reshape(-1, n_bins).astype(np.float16))
    slices = index.loc[index.index.repeat(3), ["track_id"]].reset_index(drop=True)
    slices["slice"] = np.tile(np.arange(3, dtype=np.int32), len(tracks))
    slices["first_frame"] = np.repeat(first_frame, 3) + 5 * slices["slice"]
    slices["n_valid"], slices["parent"] = np.int32(10), None
    split = slices[["track_id", "slice"]].copy()
    split["genre"] = np.repeat([genre for _, genre in tracks], 3)
    split["artist"] = [f"artist {track_id[-1]}" for track_id in split["track_id"]]
    split["part"] = np.tile(np.repeat(["train", "validation", "test"], [12, 6, 6]), len(genres))
    return SplitSlices(frames, slices, SliceSpec(seconds=1.0, overlap=0.5, n_frames=10), split)


@pytest.fixture(scope="session")
def squeezed() -> Callable[[str], str]:
    """Return a function that removes the padding from a Markdown table."""
    return lambda page: re.sub(" +", " ", page)
