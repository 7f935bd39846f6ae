"""The leaderboard: a row per run, best first within each data set and split."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from genredag.errors import DataError
from genredag.report.runs import Run

COLUMNS = (
    "dataset",
    "representation",
    "model",
    "split",
    "fold",
    "seed",
    "slice_accuracy",
    "track_accuracy",
    "macro_f1",
    "n_test_tracks",
    "n_parameters",
    "epochs",
    "train_seconds",
)
_RATES = ("slice_accuracy", "track_accuracy", "macro_f1")


def leaderboard_row(run: Run) -> dict[str, object]:
    """Return the leaderboard's values of one run: rates in 0..1 (F1 of tracks), times in seconds."""
    test = run.metrics["test"]
    return {
        **run.choice,
        "slice_accuracy": test["slice"]["accuracy"],
        "track_accuracy": test["track"]["accuracy"],
        "macro_f1": test["track"]["macro_f1"],
        "n_test_tracks": run.metrics["n_tracks"]["test"],
        "n_parameters": run.metrics["n_parameters"],
        "epochs": len(run.history),
        "train_seconds": round(run.timing["seconds"], 1),
    }


def ranked(runs: Iterable[Run]) -> list[Run]:
    """Sort runs by data set and split, then by test track accuracy, best first; names break ties.

    Raises
    ------
    DataError
        There is no run, or two are the same experiment.
    """
    runs = list(runs)
    if not runs:
        raise DataError("no run to report", expected="at least one")
    anchors = [run.anchor for run in runs]
    twice = sorted({anchor for anchor in anchors if anchors.count(anchor) > 1})
    if twice:
        raise DataError(f"{twice[0]} is there twice", expected="each run once", hint="check --runs")
    return sorted(runs, key=_rank)


def leaderboard(runs: Iterable[Run]) -> pd.DataFrame:
    """Return the table of all runs, ranked, with the columns `COLUMNS`."""
    table = pd.DataFrame([leaderboard_row(run) for run in ranked(runs)], columns=list(COLUMNS))
    return table.astype({"n_parameters": "Int64"})


def leaderboard_markdown(table: pd.DataFrame) -> str:
    """Return a leaderboard as a Markdown table: rates with three digits, numbers to the right."""
    numeric = [pd.api.types.is_numeric_dtype(table[column]) for column in table]
    lines = [list(table.columns), ["---:" if right else "---" for right in numeric]]
    lines += [
        [_cell(column, value) for column, value in row.items()]
        for row in table.astype(object).to_dict(orient="records")
    ]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def _rank(run: Run) -> tuple:
    test = run.metrics["test"]
    rates = (test["track"]["accuracy"], test["track"]["macro_f1"], test["slice"]["accuracy"])
    names = {key: str(value) for key, value in run.choice.items()}
    return (names["dataset"], names["split"], *(-rate for rate in rates), *names.values())


def _cell(column: object, value: object) -> str:
    if value is pd.NA or value is None:
        return ""
    if column in _RATES:
        return f"{value:.3f}"
    if isinstance(value, int) and column not in ("fold", "seed"):
        return f"{value:,}"
    return str(value).replace("|", r"\|")
