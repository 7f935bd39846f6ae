import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from genredag.errors import DataError
from genredag.frames.store import FrameSpec, open_frames

SPEC = FrameSpec(
    representation="mel",
    n_bins=2,
    frames_per_second=10.0,
    n_tracks=1,
    total_frames=5,
    dtype="uint8",
    offset=-80.0,
    step=80 / 255,
    floor=-80.0,
    unit="dB",
    bins=[100.0, 200.0],
    params={},
    sr=8000,
)
INDEX = {"track_id": ["a"], "first_frame": [0], "n_frames": [5], "duration": [0.4]}


@pytest.fixture
def directory(tmp_path):
    """A store of one track: the values of a frame are its number times 51 and the step."""
    np.save(tmp_path / "frames.npy", np.repeat(np.arange(0, 255, 51, dtype=np.uint8), 2).reshape(5, 2))
    pd.DataFrame(INDEX).to_parquet(tmp_path / "frames.parquet")
    (tmp_path / "frames.json").write_text(json.dumps(dataclasses.asdict(SPEC)))
    return tmp_path


def test_gather_decodes_and_pads_with_the_floor(directory):
    slices = open_frames(directory).gather(np.array([1, 3]), 3, np.array([3, 2]))
    assert slices.dtype == np.float32
    np.testing.assert_allclose(slices[:, :, 0], [[-64, -48, -32], [-32, -16, -80]], rtol=1e-6)
    np.testing.assert_array_equal(slices[..., 0], slices[..., 1])


def test_gather_of_no_slices_is_empty(directory):
    none = np.zeros(0, np.int64)
    assert open_frames(directory).gather(none, 3, none).shape == (0, 3, 2)


def test_encoded_values_decode_to_half_a_step(directory):
    values = np.linspace(-80, 0, 1000, dtype=np.float32)
    assert np.abs(SPEC.decode(SPEC.encode(values)) - values).max() <= SPEC.step / 2 + 1e-5


def test_an_index_of_other_frames_is_refused(directory):
    spec = dataclasses.asdict(SPEC) | {"total_frames": 7}
    (directory / "frames.json").write_text(json.dumps(spec))
    expected = r"frames\.npy: shape \(5, 2\); expected \(7, 2\).*rerun the spectrograms stage"
    with pytest.raises(DataError, match=expected):
        open_frames(directory)
