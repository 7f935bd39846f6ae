import json
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

from genredag.frames.batches import summarise
from genredag.frames.split_slices import open_sliced_frames, open_split_slices


@pytest.fixture
def files(toy_slices, tmp_path):
    """Give the paths of the toy slices: frames, slices and split."""
    np.save(tmp_path / "frames.npy", toy_slices.frames.array)
    toy_slices.frames.index.to_parquet(tmp_path / "frames.parquet")
    (tmp_path / "frames.json").write_text(json.dumps(asdict(toy_slices.frames.spec)))
    toy_slices.slices.to_parquet(tmp_path / "slices.parquet")
    summary = asdict(toy_slices.spec) | {"n_slices": 72, "n_tracks": 24, "quarantined": []}
    (tmp_path / "slices.json").write_text(json.dumps(summary))
    toy_slices.split.to_parquet(tmp_path / "split.parquet")
    return [tmp_path / name for name in ("frames.npy", "slices.parquet", "split.parquet")]


def test_opens_the_written_files(toy_slices, files):
    opened = open_split_slices(*files)
    assert opened.spec == toy_slices.spec
    assert opened.frames.spec == toy_slices.frames.spec
    pd.testing.assert_frame_equal(opened.split, toy_slices.split, check_dtype=False)
    np.testing.assert_array_equal(
        opened.part("test").take(np.arange(18)), toy_slices.part("test").take(np.arange(18))
    )


def test_a_split_may_come_later(toy_slices, files):
    sliced = open_sliced_frames(*files[:2]).with_split(toy_slices.split)
    assert sliced.part("train").track_ids.tolist() == toy_slices.part("train").track_ids.tolist()


def test_parts_are_rows_in_the_order_of_the_slices(toy_slices):
    both = toy_slices.part("validation", "test")
    rows = np.flatnonzero(toy_slices.is_in("validation", "test"))
    assert len(both) == len(rows) == 36
    np.testing.assert_array_equal(both.first_frame, toy_slices.slices["first_frame"].to_numpy()[rows])
    assert (both.n_frames, toy_slices.class_names) == (10, ["blues", "jazz", "rock"])
    assert toy_slices.part("test", class_names=["rock", "jazz", "blues"]).labels[0] == 2


def test_class_names_are_those_of_slices_in_a_part(toy_slices):
    split = toy_slices.split.assign(part=toy_slices.split["part"].mask(toy_slices.split["genre"] == "jazz"))
    assert replace(toy_slices, split=split).class_names == ["blues", "rock"]


def test_genres_are_numbered_in_their_sorted_order_wherever_they_come(toy_slices):
    renamed = {"blues": "rock", "jazz": "blues", "rock": "jazz"}
    data = replace(toy_slices, split=toy_slices.split.assign(genre=toy_slices.split["genre"].map(renamed)))
    assert data.split["genre"].unique().tolist() == ["rock", "blues", "jazz"]
    assert data.class_names == ["blues", "jazz", "rock"]
    test = data.part("test")
    names = np.array(data.class_names)[test.labels]
    assert names.tolist() == data.split.loc[data.is_in("test"), "genre"].tolist()


def test_features_of_a_part_are_computed_once(toy_slices, monkeypatch):
    found = toy_slices.features("bin_statistics", "train")
    slices = toy_slices.part("train")
    np.testing.assert_array_equal(
        found.take(np.arange(len(found)))[:, 0], summarise(slices, "bin_statistics")
    )
    np.testing.assert_array_equal(found.labels, slices.labels)
    monkeypatch.setattr("genredag.frames.split_slices.summarise", None)
    assert toy_slices.features("bin_statistics", "train") is found
    with pytest.raises(TypeError):
        toy_slices.features("bin_means", "train")
    with pytest.raises(TypeError):  # another split has other parts
        replace(toy_slices).features("bin_statistics", "train")
