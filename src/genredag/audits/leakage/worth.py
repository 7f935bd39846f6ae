"""How much each mistake adds: accuracies with and without it, and their difference, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from genredag.evaluation.intervals import (
    ENDS,
    Interval,
    accuracy_interval,
    cluster_names,
    cluster_sums,
    difference_bounds,
)

if TYPE_CHECKING:
    from genredag.params.groups.audits import AuditSplits

MODELS = ("svm", "cnn")


@dataclass(frozen=True)
class Way:
    """A way to evaluate: a key of `leakage_audit.split`, a scaling and a selection."""

    split: str
    scaling: str = "train"
    selection: str = "validation"


@dataclass(frozen=True)
class Mistake:
    """A mistake, with a way to evaluate that makes it and one that avoids it."""

    name: str
    made: Way
    avoided: Way


MISTAKES = (
    Mistake("slices of a track on both sides", Way("slices"), Way("tracks")),
    Mistake("artists on both sides", Way("tracks"), Way("artists")),
    Mistake("artists and known faults on both sides", Way("tracks"), Way("faults")),
    *(
        mistake
        for split in ("slices", "tracks", "artists", "faults")
        for mistake in (
            Mistake(f"scaled on everything ({split})", Way(split, scaling="everything"), Way(split)),
            Mistake(f"selected on test ({split})", Way(split, selection="test"), Way(split)),
        )
    ),
    Mistake("all of them, against artists apart", Way("slices", "everything", "test"), Way("artists")),
    Mistake("all of them, against fault-filtered", Way("slices", "everything", "test"), Way("faults")),
)
NUMBERS = tuple(f"{name}{end}" for name in ("points", "accuracy", "leaky_accuracy") for end in ENDS)
COLUMNS = (
    *("dataset", "level", "model", "mistake", *NUMBERS),
    *("n_tracks", "n_leaky_tracks", "n_seeds", "note", "warning"),
)


def worth_table(outcomes: pd.DataFrame, splits: AuditSplits, n_resamples: int) -> pd.DataFrame:
    """Return a row for each data set, level, model and mistake.

    Parameters
    ----------
    outcomes
        The tables of `genredag.audits.leakage.outcomes.audit`, with columns dataset, split (a key of
        `splits`) and seed. All seeds are pooled.

    Returns
    -------
    pd.DataFrame
        `COLUMNS`; points and accuracies (leaky: with the mistake) are in percent. If a mistake can't be
        measured on a data set, its numbers are missing and its note gives the reason.
    """
    return pd.DataFrame(
        [
            {"dataset": dataset, "level": level, "model": model, "mistake": mistake.name}
            | _worth(own[(own["level"] == level) & (own["model"] == model)], mistake, splits, n_resamples)
            | {"note": _note(own, mistake, splits), "warning": f"LEAKY: {mistake.name}"}
            for dataset, own in outcomes.groupby("dataset", sort=False)
            for level in ("track", "slice")
            for model in MODELS
            for mistake in MISTAKES
        ],
        columns=list(COLUMNS),
    ).astype(dict.fromkeys(("n_tracks", "n_leaky_tracks", "n_seeds"), "Int64"))


def _worth(
    outcomes: pd.DataFrame, mistake: Mistake, splits: AuditSplits, n_resamples: int
) -> dict[str, float]:
    made, avoided = (_of(outcomes, way, splits) for way in (mistake.made, mistake.avoided))
    if made.empty or avoided.empty:
        return {}
    intervals = {
        "points": difference(made, avoided, n_resamples),
        "accuracy": accuracy(avoided, n_resamples),
        "leaky_accuracy": accuracy(made, n_resamples),
    }
    row: dict[str, float] = {}
    for name, interval in intervals.items():
        row |= interval.columns(name)
    counts = {"n_tracks": avoided["track_id"], "n_leaky_tracks": made["track_id"], "n_seeds": made["seed"]}
    return row | {name: values.nunique() for name, values in counts.items()}


def accuracy(outcomes: pd.DataFrame, n_resamples: int) -> Interval:
    """Return the share of hits in `outcomes` (track_id, artist, hits, n) with its interval."""
    hits, n = (outcomes[name].to_numpy(int) for name in ("hits", "n"))
    correct = np.repeat(np.tile([1, 0], len(outcomes)), np.column_stack([hits, n - hits]).ravel())
    return accuracy_interval(correct, np.repeat(cluster_names(outcomes), n), n_resamples=n_resamples, seed=0)


def difference(made: pd.DataFrame, avoided: pd.DataFrame, n_resamples: int) -> Interval:
    """Return the hit rate of `made` minus that of `avoided`, with its interval; see `difference_bounds`.

    Artists (or tracks, if the artist is unknown) are drawn from both tables at once: a track in both test
    parts stays paired with itself, and a track in only one of them varies on its own.

    Parameters
    ----------
    made, avoided
        track_id, artist, hits, n.
    """
    rows = np.zeros((len(made) + len(avoided), 4))
    rows[: len(made), :2], rows[len(made) :, 2:] = made[["hits", "n"]], avoided[["hits", "n"]]
    sums, sizes = cluster_sums(rows, cluster_names(pd.concat([made, avoided])))
    one, other = (table["n"].sum() / table["track_id"].nunique() for table in (made, avoided))
    swings = np.array([[one, one, 0, other], [0, one, other, other]])
    low, high = difference_bounds(sums, swings, _difference, sizes, n_resamples, seed=0)
    return Interval(float(_difference(sums.sum(axis=0))), float(low), float(high))


def _difference(sums: np.ndarray) -> np.ndarray:
    """Return hits over n of the first table minus hits over n of the second; `sums` is (..., 4)."""
    return sums[..., 0] / np.maximum(sums[..., 1], 1) - sums[..., 2] / np.maximum(sums[..., 3], 1)


def _of(outcomes: pd.DataFrame, way: Way, splits: AuditSplits) -> pd.DataFrame:
    chosen = outcomes["split"] == getattr(splits, way.split)
    chosen &= (outcomes["scaling"] == way.scaling) & (outcomes["selection"] == way.selection)
    return outcomes[chosen]


def _note(outcomes: pd.DataFrame, mistake: Mistake, splits: AuditSplits) -> str:
    """Return the reason why a mistake can't be measured, or "" if it can."""
    names = [getattr(splits, way.split) for way in (mistake.made, mistake.avoided)]
    reasons = outcomes[outcomes["split"].isin(names) & outcomes["level"].isna()]
    return "; ".join(f"{row.split}: {row.warning}" for row in reasons.drop_duplicates("split").itertuples())
