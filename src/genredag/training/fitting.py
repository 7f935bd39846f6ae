"""Fitting: one function for each kind of recipe, from slices to the models in a bundle."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genredag.models.registry import check_classifier, learner
from genredag.params.groups.models import Estimator, Hybrid, Network
from genredag.training.estimators import check_parts, fit_estimator
from genredag.training.networks import Cost, feature_slices, fit_network

if TYPE_CHECKING:
    import keras
    import pandas as pd
    from sklearn.base import ClassifierMixin

    from genredag.frames.batches import SliceSet
    from genredag.params.groups.models import Train
    from genredag.training.checkpoint import Checkpoint


@dataclass(frozen=True)
class Inputs:
    """The data and settings for fitting a model.

    Attributes
    ----------
    model
        Name of its recipe.
    parts
        The slices of "train" and "validation", or features of them.
    embedded
        The same slices with their embeddings; None without embeddings.
    """

    model: str
    params: Train
    parts: Mapping[str, SliceSet]
    embedded: Mapping[str, SliceSet] | None
    n_classes: int
    seed: int


@dataclass(frozen=True)
class Fitted:
    """A fitted model.

    Attributes
    ----------
    model
        A Keras network or a scikit-learn classifier.
    classifier
        The scikit-learn classifier that takes the features of a network; None if the model needs none.
    history
        The history of `model`, one row per epoch.
    last_history
        The history of what predicts the genre: `classifier` if there is one, otherwise `model`.
    options
        The options of the recipe; for a list, the chosen value.
    timing
        seconds, slices_per_second and peak_memory_mb.
    """

    model: keras.Model | ClassifierMixin
    classifier: ClassifierMixin | None
    history: pd.DataFrame
    last_history: pd.DataFrame
    options: Mapping[str, object]
    timing: dict[str, float]


def fit(recipe: Network | Hybrid | Estimator, inputs: Inputs, checkpoint: Checkpoint | None) -> Fitted:
    """Fit a single model by its recipe.

    Raises
    ------
    ModelError
        A genre lacks slices, or the model can't be fitted or diverges.
    DataError
        The embeddings were computed with other weights.
    """
    match recipe:
        case Estimator():
            return _fit_estimator(recipe, inputs)
        case Hybrid():
            return _fit_hybrid(recipe, inputs, checkpoint)
        case Network():
            return _fit_network(recipe, inputs, checkpoint)


def _fit_estimator(recipe: Estimator, inputs: Inputs) -> Fitted:
    started = time.perf_counter()
    found = learner(inputs.model)
    model, history, options = fit_estimator(
        inputs.model,
        found.build,
        recipe.options,
        recipe.folds,
        training=inputs.parts["train"],
        validation=inputs.parts["validation"],
        n_classes=inputs.n_classes,
        seed=inputs.seed,
        calibrated=found.calibrated,
    )
    cost = Cost(time.perf_counter() - started, len(inputs.parts["train"]))
    return Fitted(model, None, history, history, options, _timing(cost))


def _fit_network(recipe: Network, inputs: Inputs, checkpoint: Checkpoint | None) -> Fitted:
    model, history, cost = _network(recipe, inputs, checkpoint)
    return Fitted(model, None, history, history, recipe.options, _timing(cost))


def _fit_hybrid(recipe: Hybrid, inputs: Inputs, checkpoint: Checkpoint | None) -> Fitted:
    # Check before the network is trained, not after.
    check_parts(inputs.model, recipe.classifier, recipe.folds, inputs.parts, inputs.n_classes)
    model, history, cost = _network(recipe, inputs, checkpoint)
    started = time.perf_counter()
    model, features = feature_slices(model, inputs.parts, inputs.embedded)
    classifier, last_history, chosen = fit_estimator(
        inputs.model,
        check_classifier(inputs.model, recipe.classifier),
        recipe.classifier,
        recipe.folds,
        training=features["train"],
        validation=features["validation"],
        n_classes=inputs.n_classes,
        seed=inputs.seed,
    )
    timing = _timing(cost, time.perf_counter() - started)
    return Fitted(model, classifier, history, last_history, {**recipe.options, **chosen}, timing)


def _network(
    recipe: Network, inputs: Inputs, checkpoint: Checkpoint | None
) -> tuple[keras.Model, pd.DataFrame, Cost]:
    return fit_network(
        inputs.model,
        recipe,
        inputs.params,
        training=inputs.parts["train"],
        validation=inputs.parts["validation"],
        n_classes=inputs.n_classes,
        seed=inputs.seed,
        checkpoint=checkpoint,
        embedded=inputs.embedded,
    )


def _timing(cost: Cost, classifier_seconds: float = 0.0) -> dict[str, float]:
    """Return the cost of training; the rate is that of the epochs only."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    timing = {
        "seconds": cost.seconds + classifier_seconds,
        "slices_per_second": cost.n_slices / cost.seconds,
        "peak_memory_mb": peak / 2**20 if sys.platform == "darwin" else peak / 2**10,
    }
    return {key: round(value, 3) for key, value in timing.items()}
