from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genredag.errors import DataError
from genredag.report.leaderboard import COLUMNS, leaderboard, leaderboard_markdown
from genredag.report.runs import Run


def run_of(accuracy=0.5, model="crnn", macro_f1=0.4, n_parameters=1234, **changes) -> Run:
    choice = {
        "dataset": "a",
        "representation": "mel",
        "model": model,
        "split": "s",
        "fold": 0,
        "seed": 1,
        **changes,
    }
    track = {"accuracy": accuracy, "macro_f1": macro_f1}
    metrics = {
        **choice,
        "n_parameters": n_parameters,
        "n_tracks": {"test": 40},
        "test": {"slice": {"accuracy": 0.3}, "track": track, "per_genre": {}},
    }
    history = pd.DataFrame({"epoch": [1, 2, 3]})
    empty = pd.DataFrame()
    return Run(metrics, history, {"seconds": 12.345}, empty, empty)


def test_a_row_says_all_of_a_run():
    (row,) = leaderboard([run_of()]).to_dict("records")
    assert row == {
        "dataset": "a",
        "representation": "mel",
        "model": "crnn",
        "split": "s",
        "fold": 0,
        "seed": 1,
        "slice_accuracy": 0.3,
        "track_accuracy": 0.5,
        "macro_f1": 0.4,
        "n_test_tracks": 40,
        "n_parameters": 1234,
        "epochs": 3,
        "train_seconds": 12.3,
    }


def test_best_first_within_data_set_and_split():
    runs = [
        run_of(0.9, "x", dataset="b"),
        run_of(0.2, "low"),
        run_of(0.8, "high"),
        run_of(0.99, "other", split="t"),
    ]
    assert leaderboard(runs)["model"].tolist() == ["high", "low", "other", "x"]


def test_f1_breaks_ties_then_the_name():
    runs = [run_of(model="z"), run_of(model="a"), run_of(model="m", macro_f1=0.6)]
    assert leaderboard(runs)["model"].tolist() == ["m", "a", "z"]


@given(st.permutations([run_of(0.5, str(i), seed=j) for i in range(3) for j in range(2)]))
def test_the_order_of_the_runs_does_not_matter(runs):
    assert leaderboard(runs)[["model", "seed"]].apply(tuple, axis=1).tolist() == [
        ("0", 0), ("0", 1), ("1", 0), ("1", 1), ("2", 0), ("2", 1)
    ]  # fmt: skip


def test_no_run_and_one_run_twice_are_refused():
    with pytest.raises(DataError, match="no run to report"):
        leaderboard([])
    with pytest.raises(DataError, match="run-a-mel-crnn-s-0-1 is there twice"):
        leaderboard([run_of(), replace(run_of())])


def test_markdown_is_a_plain_table():
    table = leaderboard([run_of(dataset="a|b", n_parameters=None)])[["dataset", "seed", "track_accuracy"]]
    assert leaderboard_markdown(table) == (
        "| dataset | seed | track_accuracy |\n| --- | ---: | ---: |\n| a\\|b | 1 | 0.500 |\n"
    )


def test_markdown_leaves_an_unknown_number_of_parameters_blank():
    head, _, known, unknown = leaderboard_markdown(
        leaderboard([run_of(), run_of(0.1, n_parameters=None, seed=2)])
    ).splitlines()
    column = head.split(" | ").index("n_parameters")
    assert known.split(" | ")[column] == "1,234"
    assert unknown.split(" | ")[column] == ""
    assert head.count("|") == len(COLUMNS) + 1
