from dataclasses import replace
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from genredag.errors import ModelError
from genredag.exports.feature_tables import FACTS, feature_names, feature_table
from genredag.frames.batches import summarise
from genredag.frames.features import FEATURE_SETS
from genredag.frames.split_slices import SliceSpec, SplitSlices
from genredag.frames.store import Frames, FrameSpec
from genredag.params.groups.models import HandcraftedFeatures
from genredag.params.groups.spectrograms import Handcrafted
from genredag.spectrograms.handcrafted import columns

BINS = columns(Handcrafted(n_fft=2048, hop_length=512, n_mfcc=30))
N_FRAMES = 20


@pytest.fixture
def data():
    """Six tracks of 20 frames, each one slice, not sorted by name; rock.2 is in no part."""
    ids = [f"{genre}.{i}" for genre in ("rock", "blues") for i in range(3)]
    values = np.random.default_rng(0).normal(2, 3, (len(ids) * N_FRAMES, len(BINS))).astype(np.float32)
    first = N_FRAMES * np.arange(len(ids))
    index = pd.DataFrame({"track_id": ids, "first_frame": first, "n_frames": N_FRAMES, "duration": 2.0})
    index["parent"] = None
    spec = FrameSpec(
        representation="handcrafted",
        n_bins=len(BINS),
        frames_per_second=10.0,
        n_tracks=len(ids),
        total_frames=len(values),
        dtype="float32",
        offset=0.0,
        step=1.0,
        floor=0.0,
        unit="feature",
        bins=BINS,
        params={},
        sr=22050,
    )
    slices = index[["track_id", "first_frame"]].assign(
        slice=0, start=0.0, n_valid=N_FRAMES, parent=index["parent"]
    )
    split = slices[["track_id", "slice"]].assign(
        genre=[name.split(".")[0] for name in ids],
        artist=[None, *"abcde"],
        part=["train", "test", None, "validation", "train", "test"],
    )
    return SplitSlices(Frames(spec, index, values), slices, SliceSpec(2.0, 0.0, N_FRAMES), split)


@pytest.mark.parametrize("name", FEATURE_SETS)
def test_values_are_those_that_models_see_if_a_slice_is_a_track(data, name):
    table = feature_table(data, name)
    seen = data.part("train", "validation", "test")
    expected = pd.DataFrame(summarise(seen, name), seen.track_ids, feature_names(name)).sort_index()
    assert table["track_id"].tolist() == expected.index.tolist()
    assert_array_equal(table[feature_names(name)], expected)
    assert set(table.dtypes[feature_names(name)]) == {np.dtype(np.float32)}


def test_every_track_in_a_part_has_a_row_with_its_facts(data):
    table = feature_table(data, "features_30")
    assert table.columns[: len(FACTS)].tolist() == ["track_id", "genre", "artist", "part"]
    assert table["track_id"].tolist() == ["blues.0", "blues.1", "blues.2", "rock.0", "rock.1"]
    assert table["part"].tolist() == ["validation", "train", "test", "train", "test"]
    assert table["artist"].isna().tolist() == [False, False, False, True, False]


def test_all_slices_of_a_track_give_one_row_of_all_its_frames(data):
    halves = pd.concat(
        [data.slices, data.slices.assign(slice=1, first_frame=data.slices["first_frame"] + 10)]
    )
    halves["n_valid"] = 10
    split = pd.concat([data.split, data.split.assign(slice=1)])
    short = replace(data, slices=halves, split=split, spec=SliceSpec(1.0, 0.0, 10))
    pd.testing.assert_frame_equal(feature_table(short, "features_133"), feature_table(data, "features_133"))


def test_a_shifted_copy_has_no_row(data):
    parent = [None] * 4 + ["blues.0", None]
    table = feature_table(replace(data, split=data.split.assign(parent=parent)), "features_30")
    assert table["track_id"].tolist() == ["blues.0", "blues.2", "rock.0", "rock.1"]


@pytest.mark.parametrize("name", FEATURE_SETS)
def test_columns_have_different_names(name):
    names = feature_names(name)
    assert len(names) == len(set(names)) == int(name.split("_")[1])


def test_a_column_holds_what_its_name_says(data):
    table = feature_table(data, "features_133").set_index("track_id")
    frames = pd.DataFrame(data.frames.array[60:80], columns=BINS)  # of blues.0
    row = table.loc["blues.0"]
    assert_allclose(row["mfcc_13_max"], frames["mfcc_13"].max())
    assert_allclose(row["rolloff_hz_mean"], 1000 * frames["rolloff_khz"].mean(), rtol=1e-5)
    assert_allclose(row["zero_crossing_rate_std"], frames["zero_crossing_rate"].std(ddof=0), rtol=1e-5)
    assert_allclose(row["tempo_bpm_mean"], frames["tempo_bpm"].mean(), rtol=1e-5)
    pooled = frames[[f"contrast_{i}" for i in range(1, 8)]].to_numpy()
    assert_allclose(row["contrast_min"], pooled.min())
    assert_allclose(
        feature_table(data, "features_42")["chroma_C#_mean"].iloc[0], frames["chroma_C#"].mean(), 1e-5
    )


def test_too_few_mfccs_are_refused_with_what_to_set(data):
    spec = replace(data.frames.spec, bins=[name.replace("mfcc_30", "other") for name in BINS])
    with pytest.raises(ModelError, match=r"features_30: the frames have no mfcc_30; .*n_mfcc large enough"):
        feature_table(replace(data, frames=replace(data.frames, spec=spec)), "features_30")


def test_params_offer_every_set():
    assert get_args(HandcraftedFeatures) == tuple(FEATURE_SETS)
