"""Accuracy of undeformed and deformed test tracks, and the difference between them, with intervals."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from genredag.audits.robustness.kinds import NONE
from genredag.evaluation.curves import is_hit
from genredag.evaluation.intervals import (
    ENDS,
    Interval,
    accuracy_interval,
    cluster_names,
    difference_interval,
)
from genredag.evaluation.predictions import Decision, class_names, track_predictions

ENTRY = ("dataset", "split", "representation", "model")
RUN = ("seed", "fold")
UNIT = (*RUN, "track_id", "slice")
LEVELS = ("track", "slice")
NUMBERS = tuple(f"{level}_{name}" for level in LEVELS for name in ("accuracy", "points"))
COLUMNS = (
    *(*ENTRY, "deformation", "strength"),
    *(f"{name}{end}" for name in NUMBERS for end in ENDS),
    *("chance", "n_tracks", "n_seeds", "n_folds", "warning"),
)
_SEED = 0


def robustness_table(runs: Iterable[pd.DataFrame], decision: Decision, n_resamples: int) -> pd.DataFrame:
    """Return a row for each data set, split, representation, model, kind of deformation and strength.

    Parameters
    ----------
    runs
        What `genredag.audits.robustness.predicting.predict_deformed` returned, with columns dataset,
        representation, model, split, fold and seed. Seeds and folds are pooled.

    Returns
    -------
    pd.DataFrame
        `COLUMNS`; accuracies, chance and points are in percent. Points are the accuracy minus that of the
        same tracks undeformed; they are null for undeformed tracks.
    """
    outcomes = pd.concat([hits_of(run, decision) for run in runs], ignore_index=True)
    rows = []
    for entry, own in outcomes.groupby([*ENTRY], sort=False):
        undeformed = own[own["deformation"] == NONE]
        for (kind, strength), part in own.groupby(["deformation", "strength"], sort=False, dropna=False):
            row = dict(zip(ENTRY, entry, strict=True)) | {"deformation": kind, "strength": strength}
            rows.append(row | _figures(part, undeformed, n_resamples) | _counts(part))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def hits_of(run: pd.DataFrame, decision: Decision) -> pd.DataFrame:
    """Return which slices and tracks (slice -1) of a run are classified correctly, for each deformation."""
    tables = []
    for _, slices in run.groupby(["deformation", "strength"], sort=False, dropna=False):
        place = {name: slices[name].iloc[0] for name in ("deformation", "strength")}
        tracks = track_predictions(slices, decision).assign(slice=-1)
        for level, table in zip(LEVELS, (tracks, slices), strict=True):
            keys = table[["track_id", "slice", "artist"]]
            tables.append(keys.assign(level=level, hit=is_hit(table), **place))
    same = {name: run[name].iloc[0] for name in (*ENTRY, *RUN, "warning")}
    return pd.concat(tables, ignore_index=True).assign(chance=1 / len(class_names(run)), **same)


def _figures(deformed: pd.DataFrame, undeformed: pd.DataFrame, n_resamples: int) -> dict[str, float]:
    figures: dict[str, float] = {}
    for level in LEVELS:
        table, before = (
            outcomes[outcomes["level"] == level].set_index([*UNIT]).sort_index()
            for outcomes in (deformed, undeformed)
        )
        rows = table.reset_index()
        clusters, tracks = cluster_names(rows), rows["track_id"].to_numpy()
        hits = table["hit"].to_numpy()
        accuracy = accuracy_interval(hits, clusters, n_resamples=n_resamples, seed=_SEED)
        figures |= _percent(accuracy, f"{level}_accuracy")
        if deformed["deformation"].iloc[0] != NONE:
            paired = before["hit"].loc[table.index].to_numpy()
            points = difference_interval(hits, paired, clusters, tracks, n_resamples=n_resamples, seed=_SEED)
            figures |= _percent(points, f"{level}_points")
    return figures


def _percent(interval: Interval, name: str) -> dict[str, float]:
    """Return a rate in percent like `Interval.columns`, but rounded by NumPy.

    The two can differ by 0.01 if the third decimal is a 5. With NumPy, ``robustness.csv`` stays the same.
    """
    values = (interval.estimate, interval.low, interval.high)
    return {f"{name}{end}": float(np.round(100 * x, 2)) for end, x in zip(ENDS, values, strict=True)}


def _counts(outcomes: pd.DataFrame) -> dict[str, float | str]:
    counts = {f"n_{name}s": outcomes[name].nunique() for name in RUN}
    chance = round(100 * outcomes["chance"].iloc[0], 2)
    n_tracks = outcomes["track_id"].nunique()
    return {"chance": chance, "n_tracks": n_tracks, **counts, "warning": outcomes["warning"].max()}
