"""Training of ensembles: each member by its own recipe, then one temperature of their product."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from genredag.bundles.bundle import Bundle
from genredag.bundles.ensemble import EnsembleBundle, product
from genredag.models.registry import learner
from genredag.training.embedding import FITTED_PARTS
from genredag.training.estimators import features_of
from genredag.training.networks import HISTORY_COLUMNS

if TYPE_CHECKING:
    from genredag.bundles.predictor import BundleInfo, Predictor
    from genredag.frames.batches import SliceSet
    from genredag.frames.split_slices import SplitSlices
    from genredag.models.layer_table import Row
    from genredag.params.groups.models import Ensemble, Recipe

    Timing = dict[str, float]
    # From the name, the recipe, the seed and the number of a copy.
    TrainMember = Callable[[str, Recipe, int, int], tuple[Bundle, Timing]]

logger = logging.getLogger(__name__)

# Largest absolute logarithm of what the weights, which add up to 1, are multiplied by.
LOG_SHARPNESS = 3.0


def train_ensemble(
    name: str, recipe: Ensemble, data: SplitSlices, seed: int, train_member: TrainMember
) -> tuple[EnsembleBundle, pd.DataFrame, Timing]:
    """Train the members of an ensemble one after another, and calibrate their product on validation slices.

    Returns
    -------
    tuple
        The bundle, a history of one row, and the cost of all members.
    """
    bundles: list[Bundle] = []
    weights: list[float] = []
    timings: list[Timing] = []
    total = sum(member.weight for member in recipe.members.values())
    for member in learner(name).build():
        how = recipe.members[member]
        for copy in range(how.copies):
            which = f", copy {copy + 1} of {how.copies}" if how.copies > 1 else ""
            logger.info("%s: training %s%s", name, member, which)
            bundle, timing = train_member(member, how.recipe, copy_seed(seed, copy), copy)
            bundles.append(bundle)
            timings.append(timing)
            weights.append(how.weight / total / how.copies)
    labels = {part: data.part(part).labels for part in FITTED_PARTS}
    found = {part: [_predicted_part(bundle, data, part) for bundle in bundles] for part in FITTED_PARTS}
    sharpness = fit_sharpness(found["validation"], weights, labels["validation"])
    if abs(math.log(sharpness)) > LOG_SHARPNESS - 0.01:
        logger.warning("%s: the validation slices can't calibrate its probabilities", name)
    weights = [weight * sharpness for weight in weights]
    row: dict[str, float] = {"epoch": 1, "learning_rate": math.nan}
    for part, prefix in zip(FITTED_PARTS, ("", "val_"), strict=True):
        probabilities = product(found[part], weights)
        row[f"{prefix}loss"] = log_loss(probabilities, labels[part])
        row[f"{prefix}accuracy"] = float((probabilities.argmax(axis=1) == labels[part]).mean())
    logger.info("%s: accuracy %.3f, validation accuracy %.3f", name, row["accuracy"], row["val_accuracy"])
    history = pd.DataFrame([row])[list(HISTORY_COLUMNS)]
    info = _info(name, recipe, bundles, weights, row, seed)
    return EnsembleBundle(info, tuple(bundles)), history, _timing(timings)


def copy_seed(seed: int, copy: int) -> int:
    """Return the seed of a copy, which no copy of an ensemble with another seed has, too."""
    return int(np.random.SeedSequence([seed, copy]).generate_state(1)[0])


def predicted(bundle: Predictor, slices: SliceSet) -> np.ndarray:
    """Return class probabilities (n_slices, n_classes)."""
    found = [bundle.predict(slices.take(rows), slices.n_valid[rows]) for rows in slices.chunks_of_rows()]
    return np.concatenate(found)


def _predicted_part(bundle: Bundle, data: SplitSlices, part: str) -> np.ndarray:
    """Return class probabilities of the slices of a part.

    An estimator's features are known from its training.
    """
    if feature_set := bundle.estimator_features:
        return bundle.model.predict_proba(features_of(data.features(feature_set, part)))
    return predicted(bundle, data.part(part))


def fit_sharpness(probabilities: Sequence[np.ndarray], weights: Sequence[float], labels: np.ndarray) -> float:
    """Return the factor of all weights with which the product is most likely: an inverse temperature."""
    from scipy.optimize import minimize_scalar

    def loss(log_factor: float) -> float:
        factor = math.exp(log_factor)
        return log_loss(product(probabilities, [factor * weight for weight in weights]), labels)

    return math.exp(minimize_scalar(loss, bounds=(-LOG_SHARPNESS, LOG_SHARPNESS), method="bounded").x)


def log_loss(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean negative logarithm of the probability of the right class."""
    right = probabilities[np.arange(len(labels)), labels]
    logs = np.log(np.maximum(right, np.finfo(np.float32).tiny, dtype=np.float64))
    return abs(float(logs.mean()))  # -0.0 would be printed with its sign


def layers_of(infos: Sequence[BundleInfo]) -> list[Row]:
    """Return the layers of all members, named after their models."""
    return [row | {"name": f"{info['model']}/{row['name']}"} for info in infos for row in info["layers"]]


def _info(
    name: str,
    recipe: Ensemble,
    bundles: Sequence[Bundle],
    weights: list[float],
    row: dict[str, float],
    seed: int,
) -> BundleInfo:
    infos = [bundle.info for bundle in bundles]
    counts = [count for info in infos if (count := info["n_parameters"]) is not None]
    return infos[0] | {
        "model": name,
        "recipe": recipe.model_dump(),
        "options": {},
        "metrics": {key: value for key, value in row.items() if key != "learning_rate"},
        "features": None,
        "n_parameters": sum(counts) if counts else None,
        "layers": layers_of(infos),
        "seed": seed,
        "versions": {key: version for info in infos for key, version in info["versions"].items()},
        "weights": weights,
    }


def _timing(timings: Sequence[Timing]) -> Timing:
    """Return the seconds of all members, the mean rate over them, and the largest peak of memory."""
    seconds = sum(timing["seconds"] for timing in timings)
    n_slices = sum(timing["seconds"] * timing["slices_per_second"] for timing in timings)
    peak = max(timing["peak_memory_mb"] for timing in timings)
    return {
        "seconds": round(seconds, 3),
        "slices_per_second": round(n_slices / seconds, 3),
        "peak_memory_mb": peak,
    }
