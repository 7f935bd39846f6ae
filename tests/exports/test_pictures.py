from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib import colormaps
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from genredag.errors import ParameterError
from genredag.exports.pictures import complete_folder, picture, picture_list, value_limits, write_pictures
from genredag.params.groups.exports import Pictures

VALUES = {"dataset": "toy", "representation": "mel", "split": "by_track", "seed": 1}
PER_SLICE = Pictures(**VALUES, per="slice", size=None, colour_map="grey")
PER_TRACK = Pictures(**VALUES, per="track", size=None, colour_map="grey")


@pytest.fixture(scope="module")
def sliced(toy_slices):
    """The toy slices with the seconds at which they start."""
    return replace(toy_slices, slices=toy_slices.slices.assign(start=0.5 * toy_slices.slices["slice"]))


def files_in(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_every_slice_is_a_picture_once_in_the_folder_of_its_part_and_genre(sliced, tmp_path):
    table = write_pictures(tmp_path / "out", sliced, PER_SLICE)
    split = sliced.split
    names = split["part"] + "/" + split["genre"] + "/" + split["track_id"] + "_" + split["slice"].astype(str)
    assert table["file"].tolist() == (names + ".png").tolist()
    assert files_in(tmp_path / "out") == set(table["file"])
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    pd.testing.assert_frame_equal(table[split.columns], split)
    assert len(table[["track_id", "part"]].drop_duplicates()) == 24  # no track is in two parts


def test_pixels_are_frames_with_low_frequencies_at_the_bottom(sliced, tmp_path):
    table = write_pictures(tmp_path / "out", sliced, PER_SLICE)
    training = sliced.part("train")
    seen = training.take(np.arange(len(training)))  # all frames: the slices overlap
    low, high = seen.min(), seen.max()
    everything = sliced.part("train", "validation", "test")
    for row in (0, 37, 71):
        pixels = np.asarray(Image.open(tmp_path / "out" / table["file"][row]))
        assert pixels.dtype == np.uint8 and pixels.shape == (12, 10)
        (values,) = everything.take(np.array([row]))
        levels = np.rint(255 * np.clip((values - low) / (high - low), 0, 1))
        assert_allclose(pixels[::-1].T, levels, atol=1)
        assert np.abs(pixels[::-1].T - levels).mean() < 0.01


def test_black_and_white_are_set_by_training_frames_alone(sliced):
    array = sliced.frames.array.copy()
    first = sliced.slices.loc[sliced.is_in("test"), "first_frame"].iloc[0]
    array[first] = 1000
    changed = replace(sliced, frames=replace(sliced.frames, array=array))
    assert value_limits(changed) == value_limits(sliced)


def test_a_constant_has_limits(sliced):
    array = np.full_like(sliced.frames.array, 5)
    assert value_limits(replace(sliced, frames=replace(sliced.frames, array=array))) == (5.0, 6.0)


def test_whole_tracks(sliced, tmp_path):
    table = write_pictures(tmp_path / "out", sliced, PER_TRACK)
    assert table.columns.tolist() == ["file", "track_id", "genre", "artist", "part"]
    assert table["file"][0] == "train/blues/blues.00000.png"
    assert table["track_id"].tolist() == sliced.frames.index["track_id"].tolist()
    pixels = np.asarray(Image.open(tmp_path / "out" / table["file"][23]))
    assert pixels.shape == (12, 20)
    low, high = value_limits(sliced)
    values = sliced.frames.array[23 * 20 :].astype(np.float32)
    assert_allclose(pixels[::-1].T, 255 * np.clip((values - low) / (high - low), 0, 1), atol=0.51)


def test_padding_is_silence(sliced):
    n_valid = sliced.slices["n_valid"].where(sliced.slices["slice"] < 2, 4)
    padded = replace(sliced, slices=sliced.slices.assign(n_valid=n_valid))
    assert picture_list(padded, "slice")["n_valid"].tolist() == [10, 10, 4] * 24


def test_tracks_in_no_part_are_left_out_and_shifted_copies_are_kept(sliced):
    part = sliced.split["part"].where(sliced.split["track_id"] != "jazz.00003")
    parent = sliced.slices["parent"].mask(sliced.slices["track_id"] == "jazz.00001", "jazz.00000")
    changed = replace(
        sliced, split=sliced.split.assign(part=part), slices=sliced.slices.assign(parent=parent)
    )
    table = picture_list(changed, "slice")
    assert len(table) == 69
    assert "jazz.00003" not in set(table["track_id"]) and "jazz.00001" in set(table["track_id"])


def test_a_size_and_a_colour_map():
    values = np.zeros((4, 2))
    values[:, 0] = 1  # the lowest bin is bright
    pixels = np.asarray(picture(values, (0.0, 1.0), [6, 8], "viridis"))
    assert pixels.shape == (6, 8, 3)
    dark, bright = (np.array(colormaps["viridis"](level, bytes=True)[:3]) for level in (0, 255))
    assert_array_equal(pixels[0], np.tile(dark, (8, 1)))
    assert_array_equal(pixels[-1], np.tile(bright, (8, 1)))
    assert np.asarray(picture(values, (0.0, 1.0), None, "grey")).tolist() == [[0] * 4, [255] * 4]


def test_odd_names_stay_below_the_folder(sliced, tmp_path):
    split = sliced.split.replace({"genre": {"jazz": "../演歌/$x"}})
    table = write_pictures(tmp_path / "out", replace(sliced, split=split), PER_TRACK)
    assert files_in(tmp_path / "out") == set(table["file"])
    assert "train/_._演歌_$x/jazz.00000.png" in set(table["file"])
    assert set(table["genre"]) == {"blues", "../演歌/$x", "rock"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_features_are_no_pictures(sliced, tmp_path):
    spec = replace(sliced.frames.spec, unit="feature", representation="handcrafted")
    features = replace(sliced, frames=replace(sliced.frames, spec=spec))
    with pytest.raises(ParameterError, match=r"pictures.representation: handcrafted is not a spectrogram"):
        write_pictures(tmp_path / "out", features, PER_SLICE)


def test_three_channels_are_red_green_and_blue_each_with_its_own_scale(sliced, tmp_path):
    array = sliced.frames.array.astype(np.float32) * np.repeat([1, 0.01, 5], 4)
    spec = replace(sliced.frames.spec, unit="feature", representation="stack", n_channels=3, dtype="float32")
    stacked = replace(sliced, frames=replace(sliced.frames, spec=spec, array=array))
    table = write_pictures(tmp_path / "out", stacked, PER_SLICE)
    pixels = np.asarray(Image.open(tmp_path / "out" / table["file"][71]))
    assert pixels.shape == (4, 10, 3)
    (values,) = stacked.part("train", "validation", "test").take(np.array([71]))
    for channel, own in enumerate(np.split(values, 3, axis=1)):
        low, high = value_limits(stacked, channel)
        levels = np.rint(255 * np.clip((own - low) / (high - low), 0, 1))
        assert np.ptp(levels) > 50
        assert_array_equal(pixels[::-1, :, channel].T, levels)


@pytest.mark.parametrize(
    ("n_channels", "colour_map", "message"),
    [
        (2, "grey", r"pictures.representation: stack has 2 channels; expected 1 channel, or 3 as red, green"),
        (3, "viridis", r"pictures.colour_map: 'viridis' colours one channel, but stack has red, .*'grey'"),
    ],
)
def test_other_channels_are_no_colours(sliced, tmp_path, n_channels, colour_map, message):
    spec = replace(sliced.frames.spec, unit="feature", representation="stack", n_channels=n_channels)
    stacked = replace(sliced, frames=replace(sliced.frames, spec=spec))
    params = PER_SLICE.model_copy(update={"colour_map": colour_map})
    with pytest.raises(ParameterError, match=message):
        write_pictures(tmp_path / "out", stacked, params)


def test_a_failure_leaves_the_earlier_folder_and_nothing_else(tmp_path):
    folder = tmp_path / "out"
    with complete_folder(folder) as new:
        (new / "one.png").touch()
    (tmp_path / ".out.partial").mkdir()  # of a killed process
    (tmp_path / ".out.partial/half.png").touch()
    with pytest.raises(KeyboardInterrupt), complete_folder(folder) as new:
        (new / "two.png").touch()
        raise KeyboardInterrupt
    assert files_in(tmp_path) == {"out/one.png"}
    with complete_folder(folder) as new:
        (new / "three.png").touch()
    assert files_in(tmp_path) == {"out/three.png"}
