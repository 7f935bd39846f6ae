"""Scores: closed forms of accuracies and differences, seeds and folds pooled, intervals of whole artists."""

import numpy as np
import pandas as pd
import pytest

from genredag.audits.robustness.scores import COLUMNS, hits_of, robustness_table

GENRES = ["blues", "rock"]


@pytest.fixture
def run():
    """Return a function that makes a run from the hits of each track's two slices, by (kind, strength)."""

    def make(right, seed=1, fold=0, artists=None, dataset="toy", genres=GENRES):
        tables = []
        for (kind, strength), hits in right.items():
            n = len(hits)
            table = pd.DataFrame({"track_id": [f"t{i // 2}" for i in range(n)], "slice": np.arange(n) % 2})
            table["artist"] = [artists[i // 2] if artists else None for i in range(n)]
            table["genre"] = genres[0]
            table["predicted"] = [genres[0] if hit else genres[1] for hit in hits]
            for name in genres:
                table[f"p_{name}"] = np.where(table["predicted"] == name, 0.9, 0.1 / (len(genres) - 1))
            tables.append(table.assign(deformation=kind, strength=strength, part="test"))
        choice = {"dataset": dataset, "representation": "mel", "model": "svm", "split": "by_track"}
        return pd.concat(tables, ignore_index=True).assign(**choice, seed=seed, fold=fold, warning="")

    return make


NONE, LOUD = ("none", np.nan), ("gain_db", 6.0)


def row_of(table, kind):
    return table[table["deformation"] == kind].iloc[0]


def test_accuracies_and_points_of_tracks_and_slices(run):
    # Tracks: both slices right, both right, one right (a tie of means goes to the first class), none.
    table = robustness_table(
        [run({NONE: [1, 1, 1, 1, 1, 1, 0, 0], LOUD: [1, 1, 0, 0, 1, 0, 0, 0]})], "mean", 200
    )
    assert list(table.columns) == list(COLUMNS)
    assert table["deformation"].tolist() == ["none", "gain_db"]
    before, after = row_of(table, "none"), row_of(table, "gain_db")
    assert (before["track_accuracy"], before["slice_accuracy"]) == (75.0, 75.0)
    assert (after["track_accuracy"], after["slice_accuracy"]) == (50.0, 37.5)
    assert (after["track_points"], after["slice_points"]) == (-25.0, -37.5)
    assert after["track_points_low"] <= -25 <= after["track_points_high"]
    assert before[["track_points", "slice_points_low"]].isna().all()
    assert pd.isna(before["strength"])
    assert (after["chance"], after["n_tracks"], after["n_seeds"], after["n_folds"]) == (50.0, 4, 1, 1)


def test_rows_are_paired_by_track_in_any_order(run):
    rng = np.random.default_rng(0)
    hits = rng.integers(0, 2, 80)
    made = run({NONE: hits, LOUD: hits})
    shuffled = made.sample(frac=1, random_state=1)
    for table in (made, shuffled):
        row = row_of(robustness_table([table], "mean", 200), "gain_db")
        assert row["slice_points"] == 0 and row["slice_points_low"] == -row["slice_points_high"] < 0


def test_a_paired_difference_has_a_shorter_interval(run):
    rng = np.random.default_rng(0)
    hits = np.repeat(rng.integers(0, 2, 60), 2)
    row = row_of(
        robustness_table([run({NONE: hits, LOUD: hits * (np.arange(120) > 11)})], "mean", 1000), "gain_db"
    )
    width = {name: row[f"{name}_high"] - row[f"{name}_low"] for name in ("track_points", "track_accuracy")}
    assert width["track_points"] < 0.7 * width["track_accuracy"]


def test_artists_are_drawn_whole(run):
    hits = np.repeat(np.arange(20) % 2, 10)
    artists = [f"artist {i // 5}" for i in range(100)]
    rows = [
        row_of(robustness_table([run({NONE: hits}, artists=known)], "mean", 1000), "none")
        for known in (artists, None)
    ]
    whole, single = (row["track_accuracy_high"] - row["track_accuracy_low"] for row in rows)
    assert rows[0]["track_accuracy"] == rows[1]["track_accuracy"] == 50
    assert whole > 1.5 * single


def test_seeds_and_folds_are_pooled_within_an_entry(run):
    runs = [run({NONE: [1, 1, 0, 0]}, seed=1), run({NONE: [1, 1, 1, 1]}, seed=2, fold=1)]
    runs += [run({NONE: [0, 0]}, dataset="other", genres=["jazz", "metal", "pop", "soul"])]
    table = robustness_table(runs, "mean", 200)
    assert table["dataset"].tolist() == ["toy", "other"]
    assert table["track_accuracy"].tolist() == [75.0, 0.0]
    assert table["chance"].tolist() == [50.0, 25.0]
    assert table[["n_tracks", "n_seeds", "n_folds"]].to_numpy().tolist() == [[2, 2, 2], [1, 1, 1]]


def test_slices_are_combined_by_the_given_decision(run):
    made = run({NONE: [1, 0]})
    made = pd.concat([made, made.iloc[1:].assign(slice=2)], ignore_index=True)
    made[["p_blues", "p_rock"]] = [[0.9, 0.1], [0.4, 0.6], [0.4, 0.6]]
    for decision, hit in (("mean", True), ("log_sum", True), ("vote", False)):
        tracks = hits_of(made, decision).query("level == 'track'")
        assert tracks["hit"].tolist() == [hit], decision
    # A slice that is sure to be wrong vetoes by its logarithm.
    made[["p_blues", "p_rock"]] = [[0.9, 0.1], [0.9, 0.1], [0.001, 0.999]]
    for decision, hit in (("mean", True), ("vote", True), ("log_sum", False)):
        tracks = hits_of(made, decision).query("level == 'track'")
        assert tracks["hit"].tolist() == [hit], decision
