import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from genredag.errors import DataError
from genredag.frames.store import FrameSpec, gather, open_frames

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


def test_a_store_of_an_earlier_version_has_one_channel(directory):
    spec = dataclasses.asdict(SPEC)
    assert spec.pop("n_channels") == 1
    (directory / "frames.json").write_text(json.dumps(spec))
    assert open_frames(directory).spec == SPEC


def test_an_index_of_other_frames_is_refused(directory):
    spec = dataclasses.asdict(SPEC) | {"total_frames": 7}
    (directory / "frames.json").write_text(json.dumps(spec))
    expected = r"frames\.npy: shape \(5, 2\); expected \(7, 2\).*rerun the spectrograms stage"
    with pytest.raises(DataError, match=expected):
        open_frames(directory)


@pytest.mark.parametrize("dtype", ["uint8", "float16"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_neither_nan_nor_infinity_is_stored(dtype, bad):
    spec = dataclasses.replace(SPEC, dtype=dtype)
    values = np.array([[-10.0, bad]], np.float32)
    with pytest.raises(DataError, match=r"^track a: mel has values that are NaN or infinite\. Hint: listen"):
        spec.encode(values, where="track a")


@pytest.mark.parametrize("value", [65_520.0, -1e6, 1e30])
def test_values_too_large_for_float16_are_refused(value):
    spec = dataclasses.replace(SPEC, dtype="float16")
    assert spec.encode(np.array([[65_504.0]]))[0, 0] == 65_504.0
    match = r"^track a: mel has a value of .*, too large for float16; expected at most 65,504\. Hint: take"
    with pytest.raises(DataError, match=match):
        spec.encode(np.array([[0.0, value]]), where="track a")


def test_padding_is_the_silence_of_each_column():
    spec = dataclasses.replace(SPEC, n_bins=2, dtype="float16", offset=0.0, step=1.0, floor=[-905.0, 0.0])
    array = np.array([[-10.0, 3.0], [-20.0, 4.0], [-30.0, 5.0]], np.float16)
    padded = gather(array, spec, np.array([1]), 4, np.array([2]))
    np.testing.assert_array_equal(padded, [[[-20, 4], [-30, 5], [-905, 0], [-905, 0]]])
