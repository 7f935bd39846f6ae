"""Worth: differences with closed forms, what is drawn together, and mistakes that can't be shown."""

import numpy as np
import pandas as pd
import pytest

from genredag.leakage_audit.worth import COLUMNS, MISTAKES, difference, worth_table


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


def test_a_track_that_both_test_is_paired_with_itself(outcomes_table):
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
    whole = difference(outcomes_table("a", hits, artists=artists), None, 2000)
    single = difference(outcomes_table("a", hits), None, 2000)
    assert whole.estimate == single.estimate == 0.5
    assert whole.high - whole.low > 2 * (single.high - single.low)


def test_a_mistake_that_can_not_be_shown_says_why(outcomes_table, group):
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
