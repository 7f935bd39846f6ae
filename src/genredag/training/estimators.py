"""Training of scikit-learn estimators: option search, fitting, and calibration of probabilities."""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from genredag.errors import ModelError
from genredag.params.groups.models import Option
from genredag.runtime.progress import progress
from genredag.training.networks import HISTORY_COLUMNS

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin

    from genredag.frames.batches import SliceSet
    from genredag.params.groups.models import Options

    Build = Callable[..., ClassifierMixin]

logger = logging.getLogger(__name__)

# One value of each option.
Choice = dict[str, Option]


def fit_estimator(
    name: str,
    build: Build,
    options: Options,
    folds: int,
    *,
    training: SliceSet,
    validation: SliceSet,
    n_classes: int,
    seed: int,
    calibrated: bool = False,
) -> tuple[ClassifierMixin, pd.DataFrame, Choice]:
    """Fit an estimator on the training slices; if it has no probabilities, calibrate it on validation slices.

    Parameters
    ----------
    name
        Name of its recipe.
    options, folds
        As for `search_options`.
    training, validation
        Features, as `genredag.frames.split_slices.SplitSlices.features` returns them.
    calibrated
        Whether to calibrate probabilities that the estimator has, too.

    Returns
    -------
    tuple
        The estimator, a history of one row, and the options chosen.

    Raises
    ------
    ModelError
        As for `check_parts` and `search_options`.
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator
    from sklearn.metrics import log_loss

    parts = {"train": training, "validation": validation}
    check_parts(name, options, folds, parts, n_classes)
    chosen = search_options(name, build, options, folds, training, seed)
    inputs = {part: features_of(slices) for part, slices in parts.items()}
    with _naming(name, chosen):
        model = build(**chosen, seed=seed).fit(inputs["train"], training.labels)
    if calibrated or not hasattr(model, "predict_proba"):
        # One temperature, fitted on tracks that the estimator has not seen. Folds of the training slices
        # would put slices of one track in both parts. A frozen estimator needs no folds, so one fold has all
        # rows.
        rows = np.arange(len(validation))
        model = CalibratedClassifierCV(FrozenEstimator(model), method="temperature", cv=[(rows, rows)])
        model.fit(inputs["validation"], validation.labels)
    row: dict[str, float] = {"epoch": 1, "learning_rate": math.nan}
    for (part, slices), prefix in zip(parts.items(), ("", "val_"), strict=True):
        probabilities = model.predict_proba(inputs[part])
        row[f"{prefix}loss"] = log_loss(slices.labels, probabilities, labels=range(n_classes))
        row[f"{prefix}accuracy"] = float((probabilities.argmax(axis=1) == slices.labels).mean())
    logger.info("%s: accuracy %.3f, validation accuracy %.3f", name, row["accuracy"], row["val_accuracy"])
    return model, pd.DataFrame([row])[list(HISTORY_COLUMNS)], chosen


def check_parts(
    name: str, options: Options, folds: int, parts: Mapping[str, SliceSet], n_classes: int
) -> None:
    """Check that an estimator can be fitted on `parts`, with enough tracks for the folds of the search.

    Parameters
    ----------
    parts
        Slices of "train" and "validation", or their features.

    Raises
    ------
    ModelError
        A genre has no slice in a part, or, if there is a search, fewer training tracks than folds.
    """
    for part, slices in parts.items():
        if len(set(slices.labels)) < n_classes:
            hint = "see split.parquet"
            raise ModelError(f"a genre has no {part} slice", where=f"models.{name}", hint=hint)
    _check_folds(name, options, folds, parts["train"])


def _check_folds(name: str, options: Options, folds: int, training: SliceSet) -> None:
    if len(_candidates(options)) == 1:
        return
    n_tracks = pd.Series(training.track_ids).groupby(training.labels).nunique().min()
    if n_tracks < folds:
        fewer = f"set fewer folds (genredag set models.{name}.folds={n_tracks})"
        instead = fewer if n_tracks > 1 else "remove the genre"
        raise ModelError(
            f"a genre has only {n_tracks} training track{'' if n_tracks == 1 else 's'}",
            where=f"models.{name}.folds",
            expected=f"at least {folds}",
            hint=f"add tracks, {instead}, or give each option one value",
        )


def _candidates(options: Options) -> list[Choice]:
    lists = [value if isinstance(value, list) else [value] for value in options.values()]
    return [dict(zip(options, values, strict=True)) for values in itertools.product(*lists)]


def search_options(
    name: str, build: Build, options: Options, folds: int, training: SliceSet, seed: int
) -> Choice:
    """Return the options of a recipe with one value per list: those with the best mean accuracy over folds.

    All slices of a track are in one fold. The first of equal candidates is chosen.

    Raises
    ------
    ModelError
        A genre has fewer training tracks than there are folds, or some options can't be fitted.
    """
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_score

    _check_folds(name, options, folds, training)
    candidates = _candidates(options)
    if len(candidates) == 1:
        return candidates[0]
    inputs, labels = features_of(training), training.labels
    grouped_folds = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    scores = []
    for candidate in progress(candidates, f"searching options of {name}", len(candidates)):
        model = build(**candidate, seed=seed)
        with _naming(name, candidate):
            fold_scores = cross_val_score(
                model, inputs, labels, groups=training.track_ids, cv=grouped_folds, error_score="raise"
            )
        scores.append(fold_scores.mean())
        logger.info("%s: %s: cross-validated accuracy %.3f", name, candidate, scores[-1])
    return candidates[int(np.argmax(scores))]


@contextmanager
def _naming(name: str, options: Mapping[str, object]) -> Iterator[None]:
    """Name the options of a failed fit, such as a variance threshold that no feature reaches."""
    try:
        yield
    except ValueError as error:
        raise ModelError(
            f"can't be fitted with the options {dict(options)} ({str(error).splitlines()[0]})",
            where=f"models.{name}",
            hint="change these options",
        ) from error


def features_of(slices: SliceSet) -> np.ndarray:
    """Return the features (n_slices, n_features) in slices of one frame."""
    return slices.take(np.arange(len(slices)))[:, 0]
