"""Training of scikit-learn estimators on features of slices."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from genredag.errors import ModelError
from genredag.models.features import slice_statistics
from genredag.models.registry import check_options
from genredag.network_training import HISTORY_COLUMNS

if TYPE_CHECKING:
    from genredag.batches import SliceSet
    from genredag.recipes import Estimator

logger = logging.getLogger(__name__)


def fit_estimator(
    name: str, recipe: Estimator, *, training: SliceSet, validation: SliceSet, n_classes: int, seed: int
) -> tuple[Any, pd.DataFrame]:
    """Fit an estimator on the training slices; one without probabilities is calibrated on validation.

    Returns
    -------
    tuple
        The estimator and a history of one row.
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator
    from sklearn.metrics import log_loss

    parts = {"train": training, "validation": validation}
    features = {part: np.concatenate([slice_statistics(x) for x in s.chunks()]) for part, s in parts.items()}
    labels = {part: slices.labels for part, slices in parts.items()}
    for part, present in labels.items():
        if len(set(present)) < n_classes:
            hint = "look into split.parquet"
            raise ModelError(f"a genre has no {part} slice", where=f"models.{name}", hint=hint)
    model = check_options(name, "estimator", recipe.options).build(**recipe.options, seed=seed)
    model.fit(features["train"], labels["train"])
    if not hasattr(model, "predict_proba"):
        # One temperature, fitted on tracks that the estimator has not seen: folds of the training slices
        # would put slices of a track on both sides. Frozen estimators need no folds: one has all rows.
        rows = np.arange(len(labels["validation"]))
        model = CalibratedClassifierCV(FrozenEstimator(model), method="temperature", cv=[(rows, rows)])
        model.fit(features["validation"], labels["validation"])
    row: dict[str, float] = {"epoch": 1, "learning_rate": math.nan}
    for part, prefix in (("train", ""), ("validation", "val_")):
        probabilities = model.predict_proba(features[part])
        row[f"{prefix}loss"] = log_loss(labels[part], probabilities, labels=range(n_classes))
        row[f"{prefix}accuracy"] = float((probabilities.argmax(axis=1) == labels[part]).mean())
    logger.info("%s: accuracy %.3f, validation accuracy %.3f", name, row["accuracy"], row["val_accuracy"])
    return model, pd.DataFrame([row])[list(HISTORY_COLUMNS)]
