"""Near-duplicates: copies are found wherever they start, and unrelated tracks are not reported."""

import logging

import numpy as np
import pandas as pd
import pytest
import soundfile

from genredag.errors import DataError
from genredag.frames.store import Frames, FrameSpec
from genredag.params.loading import load_params
from genredag.spectrograms.registry import REPRESENTATIONS, describe
from genredag.splits import near_duplicates as module
from genredag.splits.near_duplicates import COLUMNS, ChangeSpectra, correlations, near_duplicates

RATE, N_BINS = 43.0, 64


def make_frames(tracks, rate=RATE):
    """Make a frame store of (n_frames, n_bins) arrays by track_id."""
    lengths = [len(track) for track in tracks.values()]
    index = pd.DataFrame({"track_id": list(tracks), "n_frames": lengths})
    index["first_frame"] = np.cumsum([0, *lengths[:-1]])
    array = np.concatenate(list(tracks.values())).astype(np.float32)
    spec = FrameSpec(
        *("mel", array.shape[1], rate, len(tracks), len(array)),
        **{"dtype": "float32", "offset": 0.0, "step": 1.0, "floor": -80.0, "unit": "dB"},
        **{"bins": [], "params": {}, "sr": 22050},
    )
    return Frames(spec, index, array)


def spectra_of(tracks):
    """Return the spectra of all of these tracks."""
    return ChangeSpectra(make_frames(tracks), list(tracks)).of(tracks)


def music(seed, seconds=20):
    """Make decibels that change with every note: a third of a second, random bins."""
    rng = np.random.default_rng(seed)
    notes = rng.normal(-40, 15, (seconds * 3, N_BINS))
    return np.repeat(notes, int(RATE / 3), axis=0) + rng.normal(0, 2, (seconds * 3 * int(RATE / 3), N_BINS))


def split_of(**parts):
    """Make a split of two slices a track from track ids by part."""
    rows = [(track_id, part) for part, track_ids in parts.items() for track_id in track_ids]
    return pd.DataFrame(rows, columns=["track_id", "part"]).loc[np.repeat(range(len(rows)), 2)]


ORIGINAL = music(0)
COPIES = {
    "equal": ORIGINAL,
    "quieter": ORIGINAL - 17,
    "noisy": ORIGINAL + np.random.default_rng(9).normal(0, 4, ORIGINAL.shape),
    "equalised": ORIGINAL * 0.7 + np.linspace(-20, 20, N_BINS),
    "cut": ORIGINAL[int(3.3 * RATE) :],
    "cut_between_steps": ORIGINAL[4:],
    "half_as_long": ORIGINAL[: len(ORIGINAL) // 2],
}


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_in_another_part_is_found_and_logged(kind, caplog):
    tracks = {f"t{i}": music(i + 1) for i in range(9)} | {"a": ORIGINAL, "b": COPIES[kind]}
    split = split_of(train=["b", *(f"t{i}" for i in range(6))], test=["a", "t6", "t7"], validation=["t8"])
    with caplog.at_level(logging.WARNING):
        table = near_duplicates(split, make_frames(tracks), 0.55)
    assert list(table) == COLUMNS
    assert {table[name][0] for name in ("track_id", "other")} == {"a", "b"}
    assert {table[name][0] for name in ("part", "other_part")} == {"train", "test"}
    assert len(table) == 1
    assert 0.55 <= table["correlation"][0] <= 1.0
    assert "1 pairs of tracks in different parts may be near-duplicates: " in caplog.text
    assert "a (test)" in caplog.text and "b (train)" in caplog.text


@pytest.mark.parametrize("n_pairs", [3, 4])
def test_three_pairs_are_named(n_pairs, caplog):
    tracks = {f"{name}{i}": music(i) for i in range(n_pairs) for name in "ab"}
    split = split_of(train=[f"a{i}" for i in range(n_pairs)], test=[f"b{i}" for i in range(n_pairs)])
    with caplog.at_level(logging.WARNING):
        assert len(near_duplicates(split, make_frames(tracks), 0.55)) == n_pairs
    assert caplog.text.count(" and ") == 3
    assert caplog.text.strip().endswith(", ...") == (n_pairs > 3)


@pytest.mark.parametrize(
    ("part", "other_part"), [("train", "validation"), ("train", "test"), ("validation", "test")]
)
def test_copies_are_found_between_any_two_parts(part, other_part):
    tracks = {f"t{i}": music(i + 1) for i in range(3)} | {"a": ORIGINAL, "b": ORIGINAL - 6}
    members = {"train": ["t0"], "validation": ["t1"], "test": ["t2"]}
    split = split_of(**members | {part: ["a", *members[part]], other_part: ["b", *members[other_part]]})
    (row,) = near_duplicates(split, make_frames(tracks), 0.55).drop(columns="correlation").to_dict("records")
    assert row == {"track_id": "a", "part": part, "other": "b", "other_part": other_part}


def test_memory_is_bounded_by_comparing_some_tracks_at_a_time(monkeypatch):
    """Every pair is compared once, whatever the number of tracks held in memory."""
    tracks = {f"t{i}": music(i) for i in range(8)} | {f"copy{i}": music(i) - 3 for i in range(8)}
    split = split_of(
        train=[f"t{i}" for i in range(8)], validation=["copy0", "copy1"], test=["copy2", "copy7"]
    )
    whole = near_duplicates(split, make_frames(tracks), 0.55)
    monkeypatch.setattr(module, "HELD", 3)
    monkeypatch.setattr(module, "BLOCK", 2)
    pd.testing.assert_frame_equal(near_duplicates(split, make_frames(tracks), 0.55), whole)
    assert whole["track_id"].tolist() == ["t0", "t1", "t2", "t7"]


def test_an_exact_copy_has_correlation_1():
    spectra = spectra_of({"a": ORIGINAL, "b": ORIGINAL, "c": music(5)})
    alike = correlations(spectra, spectra)
    assert np.diag(alike) == pytest.approx(1, abs=1e-4)
    assert alike[0, 1] == pytest.approx(1, abs=1e-4)
    assert alike[0, 2] < 0.3
    assert alike == pytest.approx(alike.T, abs=1e-4)


@pytest.mark.parametrize(
    "split",
    [
        split_of(train=["a", "b"], test=["t0"]),
        split_of(train=["a"], test=["t0"]).assign(parent=None),
        pd.concat([split_of(train=["a", "t0"]), split_of(test=["b"]).assign(part=None)]),
        pd.concat([split_of(train=["t0"], test=["a"]), split_of(train=["b"]).assign(parent="t0")]),
        split_of(train=["a"], test=["a", "t0"]),
    ],
    ids=["one side", "nothing alike", "left out", "augmented", "itself"],
)
def test_pairs_that_do_not_count(split, caplog):
    frames = make_frames({"a": ORIGINAL, "b": ORIGINAL, "t0": music(1)})
    table = near_duplicates(split, frames, 0.55)
    assert table.empty and list(table) == COLUMNS
    assert caplog.text == ""


def test_pairs_are_listed_from_the_most_similar_with_three_decimals():
    noise = np.random.default_rng(3).normal(0, 4, ORIGINAL.shape)
    tracks = {"a": ORIGINAL, "b": ORIGINAL + noise, "c": ORIGINAL + noise / 8}
    frames = make_frames(tracks)
    table = near_duplicates(split_of(train=["b"], validation=["a"], test=["c"]), frames, 0.55)
    assert table["track_id"].tolist() == ["a", "b", "b"]
    assert table["other"].tolist() == ["c", "c", "a"]
    assert table.index.tolist() == [0, 1, 2]
    spectra = spectra_of(tracks)
    alike = correlations(spectra, spectra)
    assert table["correlation"].to_numpy() == pytest.approx(
        [alike[0, 2], alike[1, 2], alike[0, 1]], abs=0.0006
    )


def test_only_the_first_minute_of_a_track_is_compared():
    long, rest = music(1, seconds=60), music(2, seconds=20)
    whole = np.concatenate([long, music(3, seconds=1), rest])
    first = whole[: int(60 * RATE)]
    a, b = spectra_of({"a": whole}), spectra_of({"a": first})
    np.testing.assert_array_equal(a, b)


def test_silent_and_very_short_tracks_have_no_duplicates():
    tracks = {
        "silent": np.full((400, N_BINS), -80.0),
        "short": ORIGINAL[:3],
        "a": ORIGINAL,
        "none": ORIGINAL[:0],
    }
    table = near_duplicates(split_of(train=["silent", "none"], test=["short", "a"]), make_frames(tracks), 0.1)
    assert table.empty


def test_the_end_of_a_track_is_not_compared_with_the_beginning_of_another_at_the_same_time():
    """A shift aligns one half of swapped halves, never both: a shift that wrapped around would.

    The 96 steps of 8 frames are a length at which nothing is padded for the Fourier transform.
    """
    whole = ORIGINAL[: 96 * 8]
    swapped = np.concatenate([whole[48 * 8 :], whole[: 48 * 8]])
    spectra = spectra_of({"a": whole, "b": swapped})
    assert 0.4 < correlations(spectra, spectra)[0, 1] < 0.6


def test_a_track_without_frames_is_named():
    with pytest.raises(DataError, match=r"frames: no track b. Hint: rerun the spectrograms stage"):
        near_duplicates(split_of(train=["a"], test=["b"]), make_frames({"a": ORIGINAL}), 0.55)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mel", "cqt", "stft", "handcrafted"])
def test_real_tracks_and_their_excerpts(name, shared_dir, project_dir):
    """Two tracks of each GTZAN genre; the other part has each without its first 7.3 s, softer and noisy."""
    params, rng = load_params(project_dir / "params.yaml"), np.random.default_rng(0)
    representation, group = REPRESENTATIONS[name], getattr(params.representations, name)
    tracks = {}
    for path in sorted((shared_dir / "gtzan_mini" / "genres").glob("*/*.0000[37].flac")):
        y, sr = soundfile.read(path, dtype="float32")
        excerpt = 0.5 * y[int(7.3 * sr) :] + rng.normal(0, 0.001, len(y) - int(7.3 * sr)).astype("float32")
        tracks[path.stem] = representation.transform(y, sr, group)
        tracks[f"excerpt of {path.stem}"] = representation.transform(excerpt, sr, group)
    rate = describe(name, group, 22050)["frames_per_second"]
    originals = [track_id for track_id in tracks if " " not in track_id]
    split = split_of(train=originals, test=[f"excerpt of {track_id}" for track_id in originals])
    table = near_duplicates(split, make_frames(tracks, rate), params.near_duplicates.correlation)
    assert originals
    assert sorted(table["track_id"] + table["other"]) == [f"{t}excerpt of {t}" for t in originals]
