"""Metrics of slice and track predictions, computed by scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import numpy as np
import pandas as pd

from genredag.errors import DataError
from genredag.evaluation.curves import calibration_error, is_hit, reliability_by_level, roc_points
from genredag.evaluation.predictions import Decision, class_names, probabilities_of, track_predictions
from genredag.params.groups.splits import PARTS
from genredag.splits.leakage import is_leaky, mark

DIGITS = 6


def evaluate_predictions(
    predictions: pd.DataFrame, split: pd.DataFrame, decision: Decision
) -> dict[str, object]:
    """Return the counts of each part, and the slice and track scores of validation and test.

    Test also has ``decisions``, the track accuracy of each way of combining slices. A leaky split is marked
    as such.

    Raises
    ------
    DataError
        A part has no slices.
    """
    metrics: dict[str, object] = {"leaky": True, **mark(split)} if is_leaky(split) else {}
    slices = split["part"].value_counts()
    tracks = split.groupby("part")["track_id"].nunique()
    metrics["n_slices"] = {part: int(slices.get(part, 0)) for part in PARTS}
    metrics["n_tracks"] = {part: int(tracks.get(part, 0)) for part in PARTS}
    validation, test = (predictions[predictions["part"] == part] for part in ("validation", "test"))
    metrics["validation"] = _scores_by_level(validation, decision)
    metrics["test"] = _scores_by_level(test, decision) | {"decisions": decision_accuracies(test)}
    return metrics


def training_scores(history: pd.DataFrame) -> dict[str, object]:
    """Return the accuracy on training slices in the epoch whose weights were kept.

    A network measured it during that epoch, with dropout and augmentation.
    """
    kept = history.iloc[int(history["val_loss"].argmin())]
    return {"train": {"slice": {"accuracy": round(float(kept["accuracy"]), DIGITS)}}}


def _scores_by_level(
    predictions: pd.DataFrame, decision: Decision
) -> dict[str, Mapping[str, float | None] | Mapping[Decision, float]]:
    return {"slice": scores(predictions), "track": scores(track_predictions(predictions, decision))}


def scores(predictions: pd.DataFrame) -> dict[str, float | None]:
    """Return every metric of slice or track predictions.

    Returns
    -------
    dict[str, float | None]
        accuracy, balanced_accuracy (mean recall of the genres that occur), macro_f1 (over all classes; a
        class without a hit counts as 0), macro_precision (over the genres that occur; one that is never
        predicted counts as 0), top3_accuracy, log_loss (nats), calibration_error, and roc_auc (one
        against the rest, mean over the genres that occur; None if only one genre occurs).

    Raises
    ------
    DataError
        There are no rows.
    """
    from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

    names = class_names(predictions)
    if predictions.empty:
        raise DataError("no predictions", where="a part of the split", hint="check split.parquet")
    actual, predicted = predictions["genre"].tolist(), predictions["predicted"].tolist()
    of_present = {"labels": sorted(set(actual)), "average": "macro", "zero_division": 0}
    values = {
        "accuracy": accuracy_score(actual, predicted),
        "balanced_accuracy": recall_score(actual, predicted, **of_present),
        "macro_precision": precision_score(actual, predicted, **of_present),
        "macro_f1": f1_score(actual, predicted, labels=names, average="macro", zero_division=0),
        **_of_probabilities(predictions),
    }
    return {key: None if value is None else round(float(value), DIGITS) for key, value in values.items()}


def decision_accuracies(predictions: pd.DataFrame) -> dict[Decision, float]:
    """Return the track accuracy of each way of combining slices."""
    decided = {decision: track_predictions(predictions, decision) for decision in get_args(Decision)}
    return {decision: round(float(is_hit(tracks).mean()), DIGITS) for decision, tracks in decided.items()}


def per_genre(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return genre, precision, recall, f1 and support of each class; 0 if the denominator is 0."""
    from sklearn.metrics import precision_recall_fscore_support

    names = class_names(predictions)
    columns = precision_recall_fscore_support(
        predictions["genre"].tolist(), predictions["predicted"].tolist(), labels=names, zero_division=0
    )
    table = pd.DataFrame(dict(zip(("precision", "recall", "f1", "support"), columns, strict=True)))
    table.insert(0, "genre", names)
    return table.round(DIGITS)


def tables_of_test(predictions: pd.DataFrame, decision: Decision) -> dict[str, pd.DataFrame]:
    """Return the tables of the test part that the plots of a run need."""
    slices = predictions[predictions["part"] == "test"]
    tracks = track_predictions(slices, decision)
    return {
        "confusion": confusion(tracks),
        "per_genre": per_genre(tracks),
        "roc": roc_points(tracks),
        "reliability": reliability_by_level(slices, tracks),
    }


def confusion(tracks: pd.DataFrame) -> pd.DataFrame:
    """Return the actual and the predicted genre of each track."""
    return tracks[["genre", "predicted"]].rename(columns={"genre": "actual"}).reset_index(drop=True)


def confusion_counts(tracks: pd.DataFrame) -> pd.DataFrame:
    """Count tracks by actual (rows) and predicted (columns) genre, with all classes in order."""
    names = class_names(tracks)
    counts = pd.crosstab(tracks["genre"], tracks["predicted"])
    return counts.reindex(index=names, columns=names, fill_value=0)


def _of_probabilities(predictions: pd.DataFrame) -> dict[str, float | None]:
    from sklearn.metrics import log_loss, roc_auc_score, top_k_accuracy_score

    # scikit-learn expects the columns in the order of the sorted labels.
    names = class_names(predictions)
    order = sorted(range(len(names)), key=names.__getitem__)
    labels, actual = sorted(names), predictions["genre"].tolist()
    probabilities = probabilities_of(predictions)[:, order]
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    is_genre = np.array(actual, dtype=object)[:, None] == np.array(labels, dtype=object)
    has_roc = is_genre.any(axis=0) & ~is_genre.all(axis=0)
    top3 = 1.0 if len(labels) <= 3 else top_k_accuracy_score(actual, probabilities, k=3, labels=labels)
    return {
        "top3_accuracy": top3,
        "log_loss": log_loss(actual, probabilities, labels=labels),
        "calibration_error": calibration_error(predictions),
        "roc_auc": roc_auc_score(is_genre[:, has_roc], probabilities[:, has_roc]) if has_roc.any() else None,
    }
