"""What mistakes add: closed forms of differences, clusters, and mistakes that can't be measured."""

import numpy as np
import pandas as pd
import pytest

from genredag.audits.leakage.worth import COLUMNS, MISTAKES, accuracy, difference, worth_table
from genredag.evaluation.intervals import accuracy_interval

# Split, scaling, selection, model, level; the place in the list is the number of hits.
WAYS_OF_HITS = [
    ("by_artist", "train", "validation", "svm", "track"),
    ("by_artist", "everything", "validation", "svm", "track"),
    ("by_artist", "train", "test", "svm", "track"),
    ("by_track", "train", "validation", "svm", "track"),
    ("by_artist", "train", "validation", "cnn", "track"),
    ("by_track", "train", "validation", "cnn", "track"),
    ("by_artist", "train", "validation", "svm", "slice"),
    ("by_track", "train", "validation", "svm", "slice"),
]


def row_of(table, mistake, model="svm", level="track"):
    rows = table[(table["mistake"] == mistake) & (table["model"] == model) & (table["level"] == level)]
    return rows.iloc[0]


def test_points_are_the_difference_of_the_accuracies(outcomes_table, group):
    clean, leaky = [1, 0, 0, 0, 1, 1, 0, 1], [1, 1, 0, 1, 1, 1, 0, 1]
    tables = [outcomes_table("by_artist", clean), outcomes_table("by_artist", leaky, selection="test")]
    row = row_of(worth_table(pd.concat(tables), group.split, 200), "selected on test (artists)")
    assert (row["accuracy"], row["leaky_accuracy"], row["points"]) == (50.0, 75.0, 25.0)
    assert row["points_low"] <= 25 <= row["points_high"]
    assert (row["n_tracks"], row["n_leaky_tracks"], row["n_seeds"]) == (8, 8, 1)


def test_a_track_in_both_test_parts_is_paired_with_itself(outcomes_table):
    rng = np.random.default_rng(0)
    hits = rng.integers(0, 2, 60)
    made, avoided = outcomes_table("a", np.maximum(hits, np.arange(60) < 6)), outcomes_table("b", hits)
    apart = avoided.assign(track_id="other " + avoided["track_id"])
    paired, unpaired = (difference(made, other, 2000) for other in (avoided, apart))
    assert paired.estimate == pytest.approx(unpaired.estimate)
    assert paired.high - paired.low < 0.5 * (unpaired.high - unpaired.low)
    deviation = np.sqrt(made["hits"].var() / 60 + hits.var() / 60)
    assert unpaired.high - unpaired.low == pytest.approx(2 * 1.96 * deviation, rel=0.15)


def test_artists_are_drawn_whole(outcomes_table):
    hits = np.repeat(np.arange(20) % 2, 10)
    artists = [f"artist {i // 10}" for i in range(200)]
    whole = accuracy(outcomes_table("a", hits, artists=artists), 2000)
    single = accuracy(outcomes_table("a", hits), 2000)
    assert whole.estimate == single.estimate == 0.5
    assert whole.high - whole.low > 2 * (single.high - single.low)


def test_an_accuracy_has_the_interval_of_the_leaderboard(outcomes_table):
    slices = outcomes_table("a", [3, 0, 4, 2, 4, 1]).assign(n=4.0, hits=lambda table: table["hits"] * 1.0)
    right = np.concatenate([np.arange(4) < hits for hits in (3, 0, 4, 2, 4, 1)])
    expected = accuracy_interval(right, np.repeat(np.arange(6), 4), n_resamples=500, seed=0)
    assert accuracy(slices, 500) == expected


def test_perfect_accuracy_or_no_difference_still_has_an_interval(outcomes_table):
    artists = [f"artist {min(i // 3, 9)}" for i in range(40)]  # of unequal sizes
    right = outcomes_table("a", np.ones(40, int), artists=artists)
    assert accuracy(right, 500).low == pytest.approx(0.025 ** (1 / 10))
    nothing = difference(right, right, 2000)
    assert nothing.estimate == 0
    assert nothing.low == pytest.approx(-nothing.high, abs=0.03)
    assert 0.05 < nothing.high < 0.12


def test_disjoint_samples_have_agresti_and_caffos_interval(outcomes_table):
    """With no miss in 60 and no miss in 80: one success and one failure added to each."""
    made, avoided = outcomes_table("a", np.ones(60, int)), outcomes_table("b", np.ones(80, int))
    found = difference(made, avoided.assign(track_id="other " + avoided["track_id"]), 5000)
    deviation = np.sqrt(61 / 62**3 + 81 / 82**3)
    assert -found.low == pytest.approx(1.96 * deviation, rel=0.35)
    assert found.high == pytest.approx(1.96 * deviation, rel=0.35)


def test_a_mistake_that_cannot_be_measured_gives_the_reason(outcomes_table, group):
    columns = outcomes_table("by_track", [1]).columns
    left_out = pd.DataFrame(
        [{"dataset": "toy", "split": "listed", "seed": 1, "warning": "no list"}], columns=columns
    )
    table = worth_table(pd.concat([outcomes_table("by_track", [1, 0]), left_out, left_out]), group.split, 200)
    assert list(table.columns) == list(COLUMNS)
    assert len(table) == 2 * 2 * len(MISTAKES)
    row = row_of(table, "artists and known faults on both sides")
    assert pd.isna(row["points"])
    assert row["note"] == "listed: no list"


def test_seeds_are_pooled(outcomes_table, group):
    tables = [outcomes_table("by_track", [1, 1], seed=1), outcomes_table("by_track", [0, 1], seed=2)]
    tables += [table.assign(scaling="everything") for table in tables]
    row = row_of(worth_table(pd.concat(tables), group.split, 200), "scaled on everything (tracks)")
    assert (row["accuracy"], row["points"], row["n_seeds"]) == (75.0, 0.0, 2)


def test_ways_differ_by_split_scaling_selection_model_and_level(outcomes_table, group):
    """Ten tracks; each way to evaluate has its own number of hits."""
    table = pd.concat(
        outcomes_table(split, [int(i < n_right) for i in range(10)], selection=selection).assign(
            scaling=scaling, model=model, level=level
        )
        for n_right, (split, scaling, selection, model, level) in enumerate(WAYS_OF_HITS)
    )
    worth = worth_table(table, group.split, 200)
    found = [
        (row["leaky_accuracy"], row["accuracy"])
        for mistake, model, level in (
            ("scaled on everything (artists)", "svm", "track"),
            ("selected on test (artists)", "svm", "track"),
            ("artists on both sides", "svm", "track"),
            ("artists on both sides", "cnn", "track"),
            ("artists on both sides", "svm", "slice"),
        )
        for row in [row_of(worth, mistake, model, level)]
    ]
    assert found == [(10.0, 0.0), (20.0, 0.0), (30.0, 0.0), (50.0, 40.0), (70.0, 60.0)]
