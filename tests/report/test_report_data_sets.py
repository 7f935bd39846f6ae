import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from genredag.errors import DataError
from genredag.report.data_sets import (
    example_frames,
    example_tracks,
    genre_table,
    named_path,
    part_counts,
    read_data_sets,
    value_limits,
)
from genredag.report.runs import read_run


@pytest.fixture
def manifest(tmp_path, make):
    return make.manifest(tmp_path, ["blues", "rock"], tracks_per_genre=10)


@pytest.fixture
def data_set(tmp_path, manifest, make):
    frames = make.frames(tmp_path / "mel", manifest, "mel", bins=None)
    return read_data_sets([("mine", tmp_path / "manifest.parquet")], [("mine", frames)])[0]


def test_named_path_splits_at_the_first_equals_sign():
    assert named_path("a=b=c/d") == ("a", Path("b=c/d"))


@pytest.mark.parametrize("text", ["", "a", "=b", "a="])
def test_named_path_needs_name_and_path(text):
    with pytest.raises(argparse.ArgumentTypeError, match="is not NAME=PATH"):
        named_path(text)


def test_frames_need_their_manifest(tmp_path, manifest):
    with pytest.raises(DataError, match="other: frames without a manifest"):
        read_data_sets([("mine", tmp_path / "manifest.parquet")], [("other", tmp_path / "frames.npy")])


def test_genres_are_counted(data_set):
    assert genre_table(data_set).to_dict("index") == {
        "blues": {"tracks": 10, "artists": 3, "seconds": 100.0, "quarantined": 2},
        "rock": {"tracks": 10, "artists": 3, "seconds": 100.0, "quarantined": 0},
    }


def test_a_genre_that_is_all_quarantined_still_counts(data_set):
    data_set.quarantine.loc[0, "genre"] = "polka"
    assert genre_table(data_set).loc["polka"].to_dict() == {
        "tracks": 0,
        "artists": 0,
        "seconds": 0,
        "quarantined": 1,
    }


def test_parts_are_counted_from_predictions_and_the_rest_is_training(data_set, tmp_path, make):
    run = read_run(make.run(tmp_path / "run", make.choice(), data_set.manifest))
    assert part_counts(data_set, run).to_numpy().tolist() == [[8, 1, 1], [8, 1, 1]]
    run.metrics["n_tracks"]["train"] = 15
    assert np.isnan(part_counts(data_set, run)["train"]).all()


def test_the_first_usable_track_of_each_genre_is_the_example(data_set):
    assert example_tracks(data_set)["track_id"].tolist() == ["blues.00000", "rock.00000"]
    data_set.manifest.loc[data_set.manifest["track_id"] == "rock.00000", "status"] = "quarantined"
    assert example_tracks(data_set)["track_id"].tolist() == ["blues.00000", "rock.00001"]


def test_examples_are_the_stored_frames(data_set):
    (frames,) = data_set.frames
    (example,) = example_frames(frames, ["rock.00000"], seconds=2.0)
    assert example.shape == (86, 128)
    first = frames.index.set_index("track_id").loc["rock.00000", "first_frame"]
    np.testing.assert_array_equal(example, frames.array[first : first + 86].astype(np.float32))


def test_a_track_shorter_than_the_example_is_shown_whole(data_set):
    (example,) = example_frames(data_set.frames[0], ["rock.00000"], seconds=60.0)
    assert len(example) == 431


def test_a_track_without_frames_is_named(data_set):
    with pytest.raises(DataError, match=r"frames of mel: lack track rock\.00007"):
        example_frames(data_set.frames[0], ["blues.00000", "rock.00007"], seconds=1.0)


def test_features_of_different_units_are_standardised(tmp_path, manifest, make):
    path = make.frames(tmp_path / "features", manifest, "handcrafted", bins=["mfcc 1", "centroid", "flux"])
    (data_set,) = read_data_sets([("mine", tmp_path / "manifest.parquet")], [("mine", path)])
    together = np.concatenate(example_frames(data_set.frames[0], ["blues.00000", "rock.00000"], 10.0))
    np.testing.assert_allclose(together.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(together.std(axis=0), 1, atol=1e-4)
    assert value_limits(data_set.frames[0], [together]) == (-2.5, 2.5)


def test_colours_reach_from_silence_to_the_loudest(data_set):
    assert value_limits(data_set.frames[0], [np.array([[-50.0, -3.0]])]) == (-80.0, -3.0)
    assert value_limits(data_set.frames[0], [np.full((1, 1), -80.0)]) == (-80.0, -79.0)


def test_unknown_artists_are_none(tmp_path, manifest):
    path = tmp_path / "manifest.parquet"
    manifest.assign(artist=None).to_parquet(path)
    (data_set,) = read_data_sets([("mine", path)], [])
    assert genre_table(data_set)["artists"].tolist() == [0, 0]
    assert isinstance(data_set.quarantine, pd.DataFrame)


def test_near_duplicates_of_a_data_set_become_one_table(tmp_path, manifest):
    for name, other in (("a", "rock.00001"), ("b", "rock.00002")):
        pairs = pd.DataFrame([("rock.00000", "train", other, "test", 0.99)] * 2)
        pairs.columns = ["track_id", "part", "other", "other_part", "correlation"]
        pairs.to_csv(tmp_path / f"{name}.csv", index=False)
    files = [("mine", tmp_path / "a.csv"), ("mine", tmp_path / "b.csv")]
    (data_set,) = read_data_sets([("mine", tmp_path / "manifest.parquet")], [], files)
    assert data_set.near_duplicates["other"].tolist() == ["rock.00001", "rock.00002"]


def test_near_duplicates_need_their_manifest(tmp_path, manifest):
    with pytest.raises(DataError, match="other: near-duplicates without a manifest"):
        read_data_sets([("mine", tmp_path / "manifest.parquet")], [], [("other", tmp_path / "a.csv")])
