"""The leaderboard: a row per entry, best first within each data set and split.

An entry pools the seeds and folds of one data set, representation, model and split.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, groupby
from statistics import fmean
from typing import Literal, get_args

import pandas as pd

from genredag.errors import DataError
from genredag.evaluation.comparisons import COLUMNS as PAIR_COLUMNS
from genredag.evaluation.comparisons import compare, corrected
from genredag.evaluation.curves import is_hit
from genredag.evaluation.intervals import Interval, accuracy_interval, cluster_names, macro_f1_interval
from genredag.evaluation.markdown import markdown_table
from genredag.evaluation.metrics import DIGITS, scores
from genredag.evaluation.predictions import Decision, track_predictions
from genredag.report.runs import POOLED, Run

logger = logging.getLogger(__name__)

_TRACK_SCORES = ("macro_f1", "balanced_accuracy", "top3_accuracy", "calibration_error")
_RATES = (
    *("track_accuracy", "track_low", "track_high", "slice_accuracy", "slice_low", "slice_high"),
    *_TRACK_SCORES,
)
COLUMNS = (
    *(*POOLED, "n_seeds", "n_folds", *_RATES),
    *("n_test_tracks", "n_parameters", "epochs", "train_seconds", "warning"),
)
_SEED = 0
_TRIAL = ["seed", "fold", "track_id"]

Metric = Literal["track_accuracy", "slice_accuracy", "macro_f1"]


@dataclass(frozen=True)
class Entry:
    """All runs of one data set, representation, model and split, pooled.

    Parameters
    ----------
    runs
        One per seed and fold.
    decision, n_resamples
        How slices are combined into their track's prediction, and the number of bootstrap resamples.
    """

    runs: tuple[Run, ...]
    decision: Decision
    n_resamples: int

    @property
    def choice(self) -> dict[str, str]:
        """The data set, representation, model and split of this entry."""
        return self.runs[0].pooled_choice

    @property
    def anchor(self) -> str:
        """An identifier, unique within a report."""
        return "-".join(["entry", *self.choice.values()])

    @property
    def label(self) -> str:
        """A name, unique within a data set and split."""
        return f"{self.choice['model']} on {self.choice['representation']}"

    @property
    def leaky(self) -> bool:
        """Whether slices of a track are in more than one part."""
        return any(run.metrics.get("leaky", False) for run in self.runs)

    @cached_property
    def slices(self) -> pd.DataFrame:
        """Predictions of the test slices of all runs, with their seed and fold."""
        return self._pooled([_test(run) for run in self.runs])

    @cached_property
    def tracks(self) -> pd.DataFrame:
        """Predictions of the test tracks of all runs, with their seed and fold."""
        return self._pooled([track_predictions(_test(run), self.decision) for run in self.runs])

    @cached_property
    def decision_accuracies(self) -> dict[Decision, float]:
        """Accuracy of the pooled test tracks for each way of combining slices."""
        return {
            decision: float(
                is_hit(pd.concat(track_predictions(_test(run), decision) for run in self.runs)).mean()
            )
            for decision in get_args(Decision)
        }

    @cached_property
    def track_scores(self) -> dict[str, float | None]:
        """Every metric of the test tracks, pooled; see `genredag.evaluation.metrics.scores`."""
        return scores(self.tracks)

    @cached_property
    def slice_scores(self) -> dict[str, float | None]:
        """Every metric of the test slices, pooled."""
        return scores(self.slices)

    @cached_property
    def intervals(self) -> dict[Metric, Interval]:
        """95 % intervals over artists, or tracks if the artist is unknown, and over several seeds."""
        draws = {"n_resamples": self.n_resamples, "seed": _SEED}
        slices, tracks, clusters = self.slices, self.tracks, cluster_names(self.tracks)
        actual, predicted = tracks["genre"].tolist(), tracks["predicted"].tolist()
        genres, seeds = self.runs[0].genres, tracks["seed"].to_numpy()
        hits, of_seeds = is_hit(slices).to_numpy(), slices["seed"].to_numpy()
        return {
            "track_accuracy": accuracy_interval(is_hit(tracks).to_numpy(), clusters, seeds, **draws),
            "slice_accuracy": accuracy_interval(hits, cluster_names(slices), of_seeds, **draws),
            "macro_f1": macro_f1_interval(actual, predicted, genres, clusters, seeds, **draws),
        }

    def interval(self, metric: Metric) -> Interval:
        """Return the 95 % interval of one metric."""
        return self.intervals[metric]

    def _pooled(self, tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
        labelled = [
            table.assign(seed=run.choice["seed"], fold=run.choice["fold"])
            for run, table in zip(self.runs, tables, strict=True)
        ]
        pooled = pd.concat(labelled, ignore_index=True)
        return pooled[["seed", "fold", *pooled.columns.drop(["seed", "fold"])]]


def entries(runs: Iterable[Run], decision: Decision, n_resamples: int) -> list[Entry]:
    """Pool the seeds and folds of `runs`; best first within each data set and split, ties broken by name.

    Raises
    ------
    DataError
        There are no runs, or two runs are the same experiment.
    """
    runs = sorted(runs, key=lambda run: [str(value) for value in run.choice.values()])
    if not runs:
        raise DataError("no runs to report", expected="at least one")
    anchors = [run.anchor for run in runs]
    twice = sorted({anchor for anchor in anchors if anchors.count(anchor) > 1})
    if twice:
        raise DataError(f"{twice[0]} is given twice", expected="each run once", hint="check --runs")
    pooled = [
        Entry(tuple(members), decision, n_resamples)
        for _, members in groupby(runs, key=lambda run: tuple(run.pooled_choice.values()))
    ]
    return sorted(pooled, key=_rank)


def comparable(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Group the entries by data set and split: only those of one group can be compared."""
    return [
        list(members)
        for _, members in groupby(entries, key=lambda e: (e.choice["dataset"], e.choice["split"]))
    ]


def comparisons(entries: Sequence[Entry]) -> pd.DataFrame:
    """Compare every pair of entries of one data set and split, on the test tracks that all entries share.

    If there are no such tracks, each pair is compared on the tracks that both share. A pair that shares none
    is left out.

    Returns
    -------
    pd.DataFrame
        What `genredag.evaluation.comparisons.compare` returns, with `Entry.label` as the models' names.
    """
    blocks = [list(entries)] if len(_common(entries)) else [list(pair) for pair in combinations(entries, 2)]
    return corrected(pd.concat([_compared(block) for block in blocks], ignore_index=True))


def _compared(entries: Sequence[Entry]) -> pd.DataFrame:
    correct = _common(entries)
    labels = [entry.label for entry in entries]
    if correct.empty:
        where = ", ".join(entries[0].choice[key] for key in ("dataset", "split"))
        logger.warning("%s: %s share no test tracks and are not compared", where, " and ".join(labels))
        return pd.DataFrame(columns=list(PAIR_COLUMNS))
    tracks = entries[0].tracks.set_index(_TRIAL).loc[correct.index].reset_index()
    draws = {"n_resamples": entries[0].n_resamples, "seed": _SEED}
    ids, seeds = tracks["track_id"].to_numpy(), tracks["seed"].to_numpy()
    return compare(correct[labels], cluster_names(tracks), ids, seeds, **draws)


def _common(entries: Sequence[Entry]) -> pd.DataFrame:
    """Return whether each entry (column) is correct on each test (seed, fold and track) that all share."""
    hits = {entry.label: entry.tracks.set_index(_TRIAL).pipe(is_hit) for entry in entries}
    return pd.DataFrame(hits).dropna()


def all_comparisons(entries: Iterable[Entry]) -> pd.DataFrame:
    """Return `comparisons` of every data set and split, with these as first columns; leaky pairs marked."""
    tables = [
        comparisons(group).assign(
            dataset=group[0].choice["dataset"],
            split=group[0].choice["split"],
            warning="LEAKY" if any(entry.leaky for entry in group) else "",
        )
        for group in comparable(entries)
    ]
    table = pd.concat(tables, ignore_index=True)
    table = table if table["warning"].any() else table.drop(columns="warning")
    return table[["dataset", "split", *table.columns.drop(["dataset", "split"])]].round(DIGITS)


def leaderboard_row(entry: Entry) -> dict[str, object]:
    """Return an entry's row of the leaderboard: rates are in 0..1; epochs and seconds are means over runs."""
    track, slices = entry.interval("track_accuracy"), entry.interval("slice_accuracy")
    rates = {
        "track_accuracy": track.estimate,
        "track_low": track.low,
        "track_high": track.high,
        "slice_accuracy": slices.estimate,
        "slice_low": slices.low,
        "slice_high": slices.high,
    }
    return {
        **entry.choice,
        "n_seeds": len({run.choice["seed"] for run in entry.runs}),
        "n_folds": len({run.choice["fold"] for run in entry.runs}),
        **{key: round(value, DIGITS) for key, value in rates.items()},
        **{key: entry.track_scores[key] for key in _TRACK_SCORES},
        "n_test_tracks": entry.tracks["track_id"].nunique(),
        "n_parameters": entry.runs[0].metrics["n_parameters"],
        "epochs": round(fmean(len(run.history) for run in entry.runs)),
        "train_seconds": round(fmean(run.timing["seconds"] for run in entry.runs), 1),
        "warning": "LEAKY" if entry.leaky else "",
    }


def leaderboard(entries: Iterable[Entry]) -> pd.DataFrame:
    """Return the table of all entries, with the columns `COLUMNS`."""
    table = pd.DataFrame([leaderboard_row(entry) for entry in entries], columns=list(COLUMNS))
    return table.astype({"n_parameters": "Int64"})


def leaderboard_markdown(table: pd.DataFrame) -> str:
    """Return a leaderboard as a Markdown table: rates with three decimals, followed by their intervals.

    Parameters
    ----------
    table
        What `leaderboard` returned, or some of its columns.
    """
    table = _with_intervals(table)
    numeric = [pd.api.types.is_numeric_dtype(table[column]) or column in _RATES for column in table]
    rows = [
        [_cell(column, value) for column, value in row.items()]
        for row in table.astype(object).to_dict(orient="records")
    ]
    align = "".join("r" if right else "l" for right in numeric)
    return markdown_table(rows, list(table.columns), align) + "\n"


def _with_intervals(table: pd.DataFrame) -> pd.DataFrame:
    """Merge the bounds in `table` into the columns of their estimates, as text."""
    for level in ("track", "slice"):
        bounds = [f"{level}_low", f"{level}_high"]
        if {f"{level}_accuracy", *bounds} <= set(table):
            values = table[[f"{level}_accuracy", *bounds]].to_numpy()
            texts = [Interval(*row).text(digits=3) for row in values]
            table = table.drop(columns=bounds).assign(**{f"{level}_accuracy": texts})
    return table


def _test(run: Run) -> pd.DataFrame:
    return run.predictions[run.predictions["part"] == "test"]


def _rank(entry: Entry) -> tuple:
    rates = (entry.track_scores["accuracy"], entry.track_scores["macro_f1"], entry.slice_scores["accuracy"])
    choice = entry.choice
    return (
        choice["dataset"],
        choice["split"],
        *(-rate for rate in rates if rate is not None),
        *choice.values(),
    )


def _cell(column: object, value: object) -> str:
    if value is pd.NA or value is None or value != value:
        return ""
    if column in _RATES and not isinstance(value, str):
        return f"{value:.3f}"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)
