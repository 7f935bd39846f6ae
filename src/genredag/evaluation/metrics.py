"""Metrics of predictions, by scikit-learn, of slices and of whole tracks."""

from __future__ import annotations

from typing import Any

import pandas as pd

from genredag.errors import DataError
from genredag.evaluation.predictions import Decision, class_names, probabilities_of, track_predictions

PARTS = ("validation", "test")
DIGITS = 6


def evaluate_predictions(predictions: pd.DataFrame, decision: Decision) -> dict[str, Any]:
    """Return n_slices and n_tracks of each part, and for each part its metrics of slices and of tracks.

    Raises
    ------
    DataError
        A part has no slices.
    """
    tracks = track_predictions(predictions, decision)
    counts: dict[str, Any] = {"n_slices": {}, "n_tracks": {}}
    metrics = {}
    for part in PARTS:
        slices_of, tracks_of = (table[table["part"] == part] for table in (predictions, tracks))
        counts["n_slices"][part], counts["n_tracks"][part] = len(slices_of), len(tracks_of)
        metrics[part] = {
            "slice": scores(slices_of),
            "track": scores(tracks_of),
            "per_genre": per_genre(tracks_of),
        }
    return {**counts, **metrics}


def scores(predictions: pd.DataFrame) -> dict[str, float]:
    """Return accuracy, macro_f1 (over all classes, a class without a hit counting 0) and log_loss (nats).

    Raises
    ------
    DataError
        There are no rows.
    """
    from sklearn.metrics import accuracy_score, f1_score, log_loss

    names = class_names(predictions)
    if predictions.empty:
        raise DataError("no predictions", where="a part of the split", hint="look into split.parquet")
    actual, predicted = predictions["genre"].tolist(), predictions["predicted"].tolist()
    # scikit-learn wants the columns in the order of the sorted labels.
    order = sorted(range(len(names)), key=names.__getitem__)
    probabilities = probabilities_of(predictions)[:, order]
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    values = {
        "accuracy": accuracy_score(actual, predicted),
        "macro_f1": f1_score(actual, predicted, labels=names, average="macro", zero_division=0),
        "log_loss": log_loss(actual, probabilities, labels=sorted(names)),
    }
    return {key: round(float(value), DIGITS) for key, value in values.items()}


def per_genre(predictions: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return precision, recall, f1 and support of each class; 0 where there is nothing to divide by."""
    from sklearn.metrics import precision_recall_fscore_support

    names = class_names(predictions)
    table = precision_recall_fscore_support(
        predictions["genre"].tolist(), predictions["predicted"].tolist(), labels=names, zero_division=0
    )
    return {
        name: {
            "precision": round(float(precision), DIGITS),
            "recall": round(float(recall), DIGITS),
            "f1": round(float(f1), DIGITS),
            "support": int(support),
        }
        for name, precision, recall, f1, support in zip(names, *table, strict=True)
    }


def confusion(predictions: pd.DataFrame, decision: Decision) -> pd.DataFrame:
    """Return actual and predicted genre of each test track."""
    tracks = track_predictions(predictions, decision)
    test = tracks.loc[tracks["part"] == "test", ["genre", "predicted"]]
    return test.rename(columns={"genre": "actual"}).reset_index(drop=True)
