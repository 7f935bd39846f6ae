from __future__ import annotations

import dataclasses
import json
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genredag.errors import ModelError
from genredag.prediction.tables import model_lines
from genredag.prediction.trust import (
    TRUST_FILE,
    Calibration,
    calibrate,
    least_probability,
    music_features,
    read_calibration,
)

GENRES = ("blues", "jazz", "rock")


def calibration(least: float = 0.2, music=None) -> Calibration:
    return Calibration(GENRES, 0.9, least, 30, music)


def tracks(n: int, n_artists: int, rng: np.random.Generator) -> pd.DataFrame:
    """Make predictions of ten genres, right for about half of the tracks."""
    names = [f"genre{i}" for i in range(10)]
    artist, actual = rng.integers(n_artists, size=n), rng.integers(10, size=n)
    logits = rng.normal(0, 1, (n, 10))
    logits[np.arange(n), actual] += 2
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    table = pd.DataFrame(p, columns=[f"p_{name}" for name in names])
    table["track_id"] = [f"t{i}" for i in range(n)]
    table["genre"] = np.array(names)[actual]
    table["artist"] = [f"artist {i}" for i in artist]
    return table


def test_threshold_of_single_tracks():
    p = np.linspace(0.05, 0.95, 19)
    # ceil(0.9 * 20) = 18 of 19 tracks must be held: the second lowest sets the threshold.
    assert least_probability(p, [f"a{i}" for i in range(19)], 0.9) == p[1]


def test_an_artist_counts_once():
    # 9 artists of one track, and one with 100 tracks that the model gets wrong: a tenth may be missed.
    p = np.concatenate([np.linspace(0.5, 0.9, 29), np.full(100, 0.01)])
    groups = [f"a{i}" for i in range(29)] + ["prolific"] * 100
    # 27.9 of the 31 shares must be held; the prolific artist is one of 30.
    assert least_probability(p, groups, 0.9) == pytest.approx(np.sort(p[:29])[1])
    assert least_probability(p, list(range(129)), 0.9) == 0.01


@pytest.mark.parametrize(("n", "all_genres"), [(8, True), (9, False)])
def test_too_few_artists_give_sets_of_all_genres(n, all_genres):
    assert (least_probability(np.full(n, 0.5), list(range(n)), 0.9) == 0) == all_genres


def test_sets_that_say_nothing_are_explained():
    few = Calibration(GENRES, 0.9, 0.0, 4, None)
    told = [*model_lines(["m.zip"], [None], [few])]
    assert told[1:] == [
        "m.zip: its sets hold all genres and every song is unsure, because the validation artists"
        " (or tracks, where the artist is unknown) are too few: 4"
    ]
    assert few.apply(np.array([0.98, 0.01, 0.01])).unsure
    for sound in (calibration(), Calibration(GENRES, 0.9, 0.0, 9, None)):
        assert len([*model_lines(["m.zip"], [None], [sound])]) == 1


def test_sets_hold_the_right_genre_as_often_as_promised():
    """Tracks of new artists, who differ in difficulty and in their number of tracks.

    400 data sets of 40 artists each; the standard error is 0.3 points.
    """
    rng = np.random.default_rng(1)
    shares = []
    for _ in range(400):
        artists = np.repeat(np.arange(80), rng.geometric(0.3, 80))
        difficulty = rng.normal(0, 1, 80)[artists]
        of_right = 1 / (1 + np.exp(difficulty + rng.normal(0, 1, len(artists))))
        known = artists < 40
        least = least_probability(of_right[known], artists[known], 0.9)
        new = artists[~known] - 40
        shares.append((np.bincount(new, of_right[~known] >= least) / np.bincount(new)).mean())
    assert 0.89 < np.mean(shares) < 0.935


def test_tracks_as_units_would_promise_too_much():
    """Three artists of a data set are easy and made most of its tracks; a new artist is drawn from all 30."""
    rng = np.random.default_rng(2)
    sizes = np.repeat([1, 40], [27, 3])
    groups = np.repeat(np.arange(30), sizes)
    shares = []
    for _ in range(300):
        of_right = np.where(sizes[groups] == 40, rng.uniform(0.6, 1, len(groups)), rng.random(len(groups)))
        by_artist = least_probability(of_right, groups, 0.9)
        by_track = least_probability(of_right, np.arange(len(groups)), 0.9)
        new = np.where(rng.random(1000) < 0.1, rng.uniform(0.6, 1, 1000), rng.random(1000))
        shares.append([(new >= by_artist).mean(), (new >= by_track).mean()])
    by_artist, by_track = np.mean(shares, axis=0)
    assert by_artist > 0.89
    assert by_track < 0.75


groups_of_scores = st.lists(
    st.lists(st.floats(0, 1, width=16), min_size=1, max_size=4), min_size=2, max_size=25
)


@settings(max_examples=40)
@given(groups_of_scores, st.sampled_from([0.5, 0.8, 0.9]))
def test_no_data_set_breaks_the_promise(data, coverage):
    """Leave out each artist in turn: the sets hold at least the promised share of the left-out artists."""
    shares = []
    for i, left_out in enumerate(data):
        rest = [(p, str(j)) for j, group in enumerate(data) if j != i for p in group]
        least = least_probability(np.array([p for p, _ in rest]), [j for _, j in rest], coverage)
        shares.append(np.mean(np.array(left_out) >= least))
    assert np.mean(shares) >= coverage - 1e-6


def test_a_set_names_the_most_probable_genre_first():
    trust = calibration(0.2).apply(np.array([0.25, 0.15, 0.6]))
    assert trust.genres == ("rock", "blues")
    assert (trust.coverage, trust.unlike_training) == (0.9, None)


def test_a_set_is_never_empty():
    assert calibration(0.99).apply(np.array([0.2, 0.5, 0.3])).genres == ("jazz",)


@pytest.mark.parametrize(("p", "unsure"), [([0.1, 0.1, 0.8], False), ([0.3, 0.3, 0.4], True)])
def test_a_large_set_is_unsure(p, unsure):
    assert calibration(0.2).apply(np.array(p)).unsure == unsure


def test_other_classes_are_refused():
    with pytest.raises(ModelError, match=r"\(2,\) probabilities; expected \(3,\)"):
        calibration().apply(np.array([0.5, 0.5]))


def test_features_ignore_padding():
    rng = np.random.default_rng(0)
    slices = rng.normal(-40, 9, (70, 12, 5)).astype(np.float32)
    n_valid = np.full(70, 12)
    n_valid[3] = 7
    slices[3, 7:] = -80
    found = music_features(slices, n_valid)
    assert len(found) == 70
    alone = music_features(slices[3:4, :7], np.array([7]))
    np.testing.assert_allclose(found[3], alone[0], rtol=1e-6)
    np.testing.assert_allclose(found[0][:5], slices[0].mean(axis=0), rtol=1e-5)
    assert music_features(slices[:0], n_valid[:0]).shape[0] == 0


def music(n: int = 200) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(4, 30))
    make = lambda k: rng.normal(size=(k, 4)) @ mix + rng.normal(0, 0.1, (k, 30)) - 40  # noqa: E731
    return make(n), make(100), make(500)


def test_songs_unlike_the_training_music_are_found():
    training, validation, usual = music()
    found = calibrate(tracks(100, 30, np.random.default_rng(0)), training, validation)
    assert found.is_unlike(usual).mean() < 0.05
    assert found.is_unlike(usual + 15).all()
    p = np.full(10, 0.1)
    assert found.apply(p, usual[0]).unlike_training is False
    assert found.apply(p, usual[0] + 15).unlike_training is True
    assert found.apply(p).unlike_training is None


def test_a_constant_feature_is_no_obstacle():
    training, validation, usual = music()
    for x in (training, validation, usual):
        x[:, 3] = -80
    found = calibrate(tracks(50, 30, np.random.default_rng(0)), training, validation)
    assert np.isfinite(found.music.distance(usual)).all()
    assert found.is_unlike(usual).mean() < 0.05


@pytest.mark.parametrize("with_music", [True, False])
def test_reading_gives_what_was_written(tmp_path, with_music):
    training, validation, usual = music()
    table = tracks(50, 30, np.random.default_rng(0))
    written = calibrate(table, training, validation) if with_music else calibrate(table)
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as archive:
        archive.writestr(TRUST_FILE, written.json_text())
    found = read_calibration(tmp_path / "model.zip")
    p = table.filter(like="p_").to_numpy()
    assert dataclasses.replace(found, music=None) == dataclasses.replace(written, music=None)
    for song, features in zip(p, usual, strict=False):
        assert found.apply(song, features) == written.apply(song, features)
    assert found.json_text() == written.json_text()


def test_a_bundle_without_calibration_gives_none(tmp_path):
    with zipfile.ZipFile(tmp_path / "bundle.zip", "w") as archive:
        archive.writestr("bundle.json", "{}")
    assert read_calibration(tmp_path / "bundle.zip") is None


WHOLE = {"class_names": ["a"], "coverage": 0.9, "least_probability": 0.1, "n_groups": 9, "music": None}
DAMAGED = [
    {"least_probability": "x"},
    {"least_probability": 2},
    {"n_groups": None},
    {"class_names": "ab"},
    {"music": 3},
    {"music": {"mean": [1.0, 2.0], "scale": [1.0], "usual": 1.0}},
    {"music": {"mean": [1.0], "scale": [1.0], "usual": 10**400}},
    {"more": 1},
]


@pytest.mark.parametrize("content", ["", "[]", "{}", *(json.dumps(WHOLE | change) for change in DAMAGED)])
def test_a_damaged_calibration_is_refused(tmp_path, content):
    path = tmp_path / "model.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(TRUST_FILE, content)
    with pytest.raises(ModelError, match=r"model\.zip: can't read trust\.json"):
        read_calibration(path)


def test_a_file_of_plain_numbers():
    tree = json.loads(calibration().json_text())
    assert tree == {
        "class_names": list(GENRES),
        "coverage": 0.9,
        "least_probability": 0.2,
        "n_groups": 30,
        "music": None,
    }
