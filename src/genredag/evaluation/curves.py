"""Data of ROC curves and reliability diagrams, as tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from genredag.evaluation.predictions import class_names, probabilities_of

N_BINS = 10


def is_hit(predictions: pd.DataFrame) -> pd.Series:
    """Return whether each row is classified correctly."""
    return predictions["genre"] == predictions["predicted"]


def roc_points(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the ROC curve of each genre against the rest: genre, fpr, tpr.

    Genres that no row has, or that all rows have, are left out.
    """
    from sklearn.metrics import roc_curve

    tables = [pd.DataFrame({"genre": [], "fpr": [], "tpr": []})]
    for name, p in zip(class_names(predictions), probabilities_of(predictions).T, strict=True):
        actual = (predictions["genre"] == name).to_numpy()
        if actual.any() and not actual.all():
            fpr, tpr, _ = roc_curve(actual, p)
            tables.append(pd.DataFrame({"genre": name, "fpr": fpr, "tpr": tpr}))
    return pd.concat(tables[1:] or tables, ignore_index=True)


def reliability_bins(predictions: pd.DataFrame, n_bins: int = N_BINS) -> pd.DataFrame:
    """Compare confidence (a row's highest probability) with accuracy, in bins of equal width.

    Returns
    -------
    pd.DataFrame
        confidence and accuracy (means over the bin) and n; one row per non-empty bin.
    """
    from scipy.stats import binned_statistic

    confidence = probabilities_of(predictions).max(axis=1, initial=0.0)
    values = np.stack([confidence, is_hit(predictions).to_numpy(np.float64), np.ones(len(confidence))])
    if not len(confidence):
        return pd.DataFrame({"confidence": [], "accuracy": [], "n": []}).astype({"n": int})
    sums, *_ = binned_statistic(np.clip(confidence, 0, 1), values, "sum", bins=n_bins, range=(0, 1))
    confidences, hits, n = sums[:, sums[2] > 0]
    return pd.DataFrame({"confidence": confidences / n, "accuracy": hits / n, "n": n.astype(int)})


def reliability_by_level(slices: pd.DataFrame, tracks: pd.DataFrame) -> pd.DataFrame:
    """Return `reliability_bins` of slices, then of tracks, with a first column level."""
    levels = {"slice": slices, "track": tracks}
    bins = [reliability_bins(table).assign(level=level) for level, table in levels.items()]
    return pd.concat(bins, ignore_index=True)[["level", "confidence", "accuracy", "n"]]


def calibration_error(predictions: pd.DataFrame) -> float:
    """Return the expected calibration error (Guo et al. 2017), over `reliability_bins`."""
    bins = reliability_bins(predictions)
    return float(np.average((bins["confidence"] - bins["accuracy"]).abs(), weights=bins["n"]))
