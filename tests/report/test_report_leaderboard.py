from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genredag.errors import DataError
from genredag.evaluation.comparisons import COLUMNS as PAIR_COLUMNS
from genredag.evaluation.intervals import accuracy_interval
from genredag.report import leaderboard as module
from genredag.report.leaderboard import (
    COLUMNS,
    all_comparisons,
    comparable,
    comparisons,
    leaderboard,
    leaderboard_markdown,
)
from genredag.report.runs import Run

GENRES = ("blues", "rock")


def predictions(hits, slices=2, first=0):
    """Return confident predictions of tracks of two alternating genres; `hits` are 1 for correct ones."""
    rows = []
    for i, hit in enumerate(hits, start=first):
        genre = GENRES[i % 2]
        predicted = genre if hit else GENRES[1 - i % 2]
        p = {f"p_{name}": 0.9 if name == predicted else 0.1 for name in GENRES}
        row = {"track_id": f"t{i:02}", "part": "test", "genre": genre, "artist": None}
        rows += [{**row, "slice": s, "predicted": predicted, **p} for s in range(slices)]
    frame = pd.DataFrame(rows).astype({"artist": object})
    unused = frame.iloc[:1].assign(part="validation", track_id="unused")
    return pd.concat([frame, unused], ignore_index=True)


def run_of(hits=(1, 0), model="crnn", n_parameters=1234, first=0, leaky=False, **changes) -> Run:
    choice = {"dataset": "a", "representation": "mel", "model": model, "split": "s", "fold": 0, "seed": 1}
    metrics = {**choice, **changes, "n_parameters": n_parameters, "n_tracks": {}}
    metrics |= {"leaky": True} if leaky else {}
    history = pd.DataFrame({"epoch": [1, 2, 3]})
    return Run(metrics, history, {"seconds": 12.345}, predictions(hits, first=first))


def entries(runs, n_resamples=200):
    return module.entries(runs, "mean", n_resamples)


def test_a_row_has_all_columns_of_an_entry():
    (row,) = leaderboard(entries([run_of([1, 1, 0, 0, 1, 1, 1, 1])])).to_dict("records")
    interval = accuracy_interval(np.array([1, 1, 0, 0, 1, 1, 1, 1]), np.arange(8), n_resamples=200, seed=0)
    assert row == {
        "dataset": "a",
        "representation": "mel",
        "model": "crnn",
        "split": "s",
        "n_seeds": 1,
        "n_folds": 1,
        "track_accuracy": 0.75,
        "track_low": round(interval.low, 6),
        "track_high": round(interval.high, 6),
        "slice_accuracy": 0.75,
        "slice_low": row["slice_low"],
        "slice_high": row["slice_high"],
        "macro_f1": 0.75,
        "balanced_accuracy": 0.75,
        "top3_accuracy": 1.0,
        "calibration_error": 0.15,
        "n_test_tracks": 8,
        "n_parameters": 1234,
        "epochs": 3,
        "train_seconds": 12.3,
        "warning": "",
    }
    assert 0 < row["slice_low"] < 0.75 < row["slice_high"] <= 1


def test_seeds_and_folds_are_pooled():
    runs = [
        run_of([1, 1], fold=0),
        run_of([1, 0], fold=1, first=2),
        run_of([1, 1], fold=0, seed=2),
        run_of([0, 0], fold=1, seed=2, first=2),
    ]
    (entry,) = entries(runs)
    assert entry.choice == {"dataset": "a", "representation": "mel", "model": "crnn", "split": "s"}
    assert entry.anchor == "entry-a-mel-crnn-s"
    assert list(entry.tracks)[:3] == list(entry.slices)[:3] == ["seed", "fold", "track_id"]
    assert (len(entry.tracks), len(entry.slices)) == (8, 16)
    (row,) = leaderboard([entry]).to_dict("records")
    assert (row["n_seeds"], row["n_folds"], row["n_test_tracks"]) == (2, 2, 4)
    assert row["track_accuracy"] == 5 / 8


def test_seeds_of_one_track_are_drawn_together():
    hits = [1, 1, 1, 0, 1, 0, 1, 1, 0, 1]
    once = entries([run_of(hits)])[0].interval("track_accuracy")
    often = entries([run_of(hits, seed=seed) for seed in range(5)])[0].interval("track_accuracy")
    assert often.estimate == once.estimate
    assert often.high - often.low > 0.8 * (once.high - once.low)


def test_tracks_of_one_artist_are_drawn_together():
    run = run_of([1] * 10 + [0] * 10)
    artists = run.predictions["track_id"].str[1:2]
    by_artist = replace(run, predictions=run.predictions.assign(artist=artists))
    wide, narrow = (entries([r])[0].interval("track_accuracy") for r in (by_artist, run))
    assert (wide.low, wide.high) == (0, 1)
    assert narrow.high - narrow.low < 0.6


def test_best_first_within_data_set_and_split():
    runs = [
        run_of([1, 1], "x", dataset="b"),
        run_of([0, 0], "low"),
        run_of([1, 0], "high"),
        run_of([1, 1], "other", split="t"),
    ]
    assert leaderboard(entries(runs))["model"].tolist() == ["high", "low", "other", "x"]


def test_ties_are_broken_by_f1_then_by_name():
    runs = [run_of([0, 1, 1, 0], "m"), run_of([1, 0, 1, 0], "z"), run_of([1, 0, 1, 0], "a")]
    assert leaderboard(entries(runs))["model"].tolist() == ["m", "a", "z"]


@settings(max_examples=10, deadline=None)
@given(st.permutations([run_of(model=str(i), seed=j) for i in range(3) for j in range(2)]))
def test_the_order_of_the_runs_does_not_matter(runs):
    ordered = [(entry.label, [run.choice["seed"] for run in entry.runs]) for entry in entries(runs)]
    assert ordered == [(f"{i} on mel", [0, 1]) for i in range(3)]


def test_no_run_and_one_run_twice_are_refused():
    with pytest.raises(DataError, match="no runs to report"):
        entries([])
    with pytest.raises(DataError, match="run-a-mel-crnn-s-0-1 is given twice"):
        entries([run_of(), replace(run_of())])


def test_a_leaky_split_is_marked(squeezed):
    table = leaderboard(entries([run_of(leaky=True), run_of(split="t")]))
    assert table["warning"].tolist() == ["LEAKY", ""]
    assert "| LEAKY |" in squeezed(leaderboard_markdown(table)).splitlines()[2]


def test_one_track_has_no_interval():
    interval = entries([run_of([1])])[0].interval("track_accuracy")
    assert interval.estimate == 1
    assert np.isnan([interval.low, interval.high]).all()


def test_models_are_compared_on_the_tracks_that_all_share():
    a = run_of([1] * 20, "a")
    b = run_of([0] * 20, "b", first=2)
    table = comparisons(entries([a, b]))
    assert table[["a", "b", "difference"]].to_numpy().tolist() == [["a on mel", "b on mel", 1.0]]
    assert table["p_mcnemar"].tolist() == [2 * 0.5**18]
    assert table["distinguishable"].tolist() == [True]


def test_models_without_common_tracks_are_left_out_and_logged(caplog):
    table = comparisons(entries([run_of(model="a"), run_of(model="b", seed=2)]))
    assert list(table) == list(PAIR_COLUMNS) and table.empty
    assert "a, s: a on mel and b on mel share no test tracks and are not compared" in caplog.text


def test_models_with_common_tracks_are_compared_despite_one_without():
    right, wrong = [1] * 20, [1] * 4 + [0] * 16
    pair = [run_of(right, "a"), run_of(wrong, "b")]
    bridge = [run_of(right, "c", seed=2), run_of(right, "c", seed=1)]
    table = comparisons(entries([*pair, run_of(wrong, "d", seed=2), *bridge])).set_index(["a", "b"])
    told = {tuple(sorted(name[0] for name in names)) for names in table.index}
    assert told == {("a", "b"), ("a", "c"), ("b", "c"), ("c", "d")}
    alone = comparisons(entries(pair)).iloc[0]
    row = table.loc[("a on mel", "b on mel")]
    assert row["p_bootstrap"] == alone["p_bootstrap"]
    assert alone["p_bootstrap"] < row["p_holm"] <= 4 * alone["p_bootstrap"]


def test_only_runs_of_one_data_set_and_split_are_compared():
    pooled = entries([run_of(model=m, split=s) for m in "abc" for s in "tu"] + [run_of(dataset="b")])
    assert [[entry.choice["model"] for entry in group] for group in comparable(pooled)] == [
        ["a", "b", "c"], ["a", "b", "c"], ["crnn"]
    ]  # fmt: skip
    table = all_comparisons(pooled)
    assert table.groupby(["dataset", "split"]).size().to_dict() == {("a", "t"): 3, ("a", "u"): 3}
    assert list(all_comparisons(entries([run_of()]))) == list(table)


@pytest.mark.parametrize("leaky", ["a", "b"])
def test_a_pair_with_a_leaky_entry_is_marked(leaky):
    table = all_comparisons(entries([run_of(model=model, leaky=model == leaky) for model in "ab"]))
    assert table["warning"].tolist() == ["LEAKY"]


def test_markdown_is_a_plain_table(squeezed):
    table = leaderboard(entries([run_of(dataset="a|b", n_parameters=None)]))
    assert squeezed(leaderboard_markdown(table[["dataset", "n_seeds", "track_accuracy"]])) == (
        "| dataset | n_seeds | track_accuracy |\n"
        "|:----------|----------:|-----------------:|\n"
        "| a\\|b | 1 | 0.500 |\n"
    )


def test_markdown_leaves_unknown_values_blank():
    table = leaderboard(entries([run_of([1, 1]), run_of([1], "b", n_parameters=None)]))
    head, _, known, unknown = (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in leaderboard_markdown(table).splitlines()
    )
    column = head.index("n_parameters")
    assert (known[column], unknown[column]) == ("1,234", "")
    column = head.index("track_accuracy")
    assert (known[column], unknown[column]) == ("1.000 (0.342 to 1.000)", "1.000")
    assert len(head) == len(COLUMNS) - 4  # bounds stand beside their estimates
