"""Accuracy by the number of training tracks, what twice as many add, and what other models add."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable

import numpy as np
import pandas as pd

from genredag.audits.learning_curves.showing import COLUMNS, ENTRY
from genredag.evaluation.curves import is_hit
from genredag.evaluation.intervals import Interval, accuracy_interval, cluster_names, difference_interval
from genredag.evaluation.predictions import class_names

UNIT = ("seed", "fold", "track_id")
_SEED = 0


def curves_table(runs: Iterable[pd.DataFrame], n_resamples: int) -> pd.DataFrame:
    """Return a row for each data set, representation and model, and share of the training tracks.

    Parameters
    ----------
    runs
        Predictions of test tracks, with columns dataset, representation, model, split, fold, seed, share and
        n_training. Seeds and folds are pooled.

    Returns
    -------
    pd.DataFrame
        `COLUMNS`; accuracies, chance and points are in percent. Intervals include the luck of several seeds.
        All differences are paired:

        - points: accuracy minus that of the first model, trained on the same tracks; null for the first.
        - doubling: what twice as many training tracks add on average, between the smallest and the largest
          share; only at the largest.
        - lead: points minus the doubling of the first model; only at the largest share.
    """
    tables = [run.assign(hit=is_hit(run), chance=1 / len(class_names(run))) for run in runs]
    outcomes = pd.concat(tables, ignore_index=True)
    rows = []
    for (dataset, split), own in outcomes.groupby(["dataset", "split"], sort=False):
        rows += [{"dataset": dataset, "split": split} | row for row in _rows(own, n_resamples)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _rows(outcomes: pd.DataFrame, n_resamples: int) -> list[dict[str, object]]:
    hits, tracks = _paired(outcomes)
    clusters, track_ids, seeds = (
        cluster_names(tracks),
        tracks["track_id"].to_numpy(),
        tracks["seed"].to_numpy(),
    )
    draws = {"n_resamples": n_resamples, "seed": _SEED}

    def minus(a: np.ndarray, b: np.ndarray, largest: float = 1.0) -> Interval:
        return difference_interval(a, b, clusters, track_ids, seeds, **draws, largest=largest)

    counts = outcomes.groupby("share")["n_training"].mean()
    least, most = counts.index.min(), counts.index.max()
    doublings = math.log2(counts[most] / counts[least])
    first, *others = outcomes[[*ENTRY]].drop_duplicates().itertuples(index=False, name=None)
    rows: list[dict[str, object]] = []
    for entry in (first, *others):
        for share, n_training in counts.items():
            own, reference = hits[(*entry, share)], hits[(*first, share)]
            row: dict[str, object] = dict(zip(ENTRY, entry, strict=True)) | _counts(tracks)
            row |= {"share": share, "n_training": round(n_training)}
            row |= accuracy_interval(own, clusters, seeds, **draws).columns("accuracy")
            if entry != first:
                row |= minus(own, reference).columns("points")
            if share == most and doublings > 0:
                row |= _over(minus(own, hits[(*entry, least)]), doublings).columns("doubling")
                if entry != first:
                    doubled = (reference - hits[(*first, least)]) / doublings
                    row |= minus(own - reference, doubled, 1 + 1 / doublings).columns("lead")
            rows.append(row)
    return rows


def _paired(outcomes: pd.DataFrame) -> tuple[dict[Hashable, np.ndarray], pd.DataFrame]:
    """Return the hits of each (*ENTRY, share), and the tracks of their rows, which are the same for all."""
    columns = [*ENTRY, "share"]
    table = outcomes.pivot_table("hit", [*UNIT], columns, aggfunc="first").dropna().astype(float)
    tracks = outcomes.drop_duplicates([*UNIT]).set_index([*UNIT]).loc[table.index].reset_index()
    return {column: table[column].to_numpy() for column in table}, tracks


def _over(interval: Interval, divisor: float) -> Interval:
    return Interval(interval.estimate / divisor, interval.low / divisor, interval.high / divisor)


def _counts(tracks: pd.DataFrame) -> dict[str, float]:
    counts = {f"n_{name}s": tracks[name].nunique() for name in ("seed", "fold")}
    chance = round(100 * tracks["chance"].iloc[0], 2)
    return {"chance": chance, "n_tracks": tracks["track_id"].nunique(), **counts}
