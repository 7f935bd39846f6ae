"""Training: from slices to a bundle, the same bytes for the same seed, machine and number of threads."""

from __future__ import annotations

import dataclasses
import logging
import math
import resource
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from genredag.batches import SliceSet, shuffled_batches, slice_set, statistics
from genredag.bundle import Bundle
from genredag.errors import ModelError
from genredag.models.assembly import build_network
from genredag.models.features import slice_statistics
from genredag.models.registry import check_options
from genredag.params import Train
from genredag.provenance import read_commit, read_versions
from genredag.recipes import Estimator, Network
from genredag.schedules import learning_rate

if TYPE_CHECKING:
    import keras

    from genredag.frames import Frames

logger = logging.getLogger(__name__)

HISTORY_COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")


def train_bundle(
    model: str,
    recipe: Network | Estimator,
    params: Train,
    *,
    frames: Frames,
    slices: pd.DataFrame,
    slice_spec: Mapping[str, Any],
    split: pd.DataFrame,
    seed: int,
) -> tuple[Bundle, pd.DataFrame, dict[str, float]]:
    """Train `model` on the slices whose part is "train", watched on those whose part is "validation".

    Parameters
    ----------
    slices, slice_spec
        ``slices.parquet`` and ``slices.json``.
    split
        Rows in the order of `slices`.

    Returns
    -------
    tuple
        The bundle, the history (`HISTORY_COLUMNS`; one row an epoch) and what it cost: seconds,
        slices_per_second, peak_memory_mb.

    Raises
    ------
    ParameterError
        The recipe doesn't fit the model.
    ModelError
        There is nothing to train on, the model can't take these slices, or it diverges.
    """
    check_options(model, recipe.kind, recipe.options)
    class_names = sorted(split["genre"].unique())
    parts = {}
    for part in ("train", "validation"):
        rows = (split["part"] == part).to_numpy()
        if not rows.any():
            raise ModelError(f"no {part} slices", where=f"models.{model}", hint="look into split.parquet")
        parts[part] = slice_set(
            frames, slices[rows], slice_spec["n_frames"], split.loc[rows, "genre"], class_names
        )
    started = time.perf_counter()
    if isinstance(recipe, Network):
        fitted, history = _fit_network(model, recipe, params, parts, len(class_names), seed)
    else:
        fitted, history = _fit_estimator(model, recipe, parts, len(class_names), seed)
    seconds = time.perf_counter() - started
    info = {
        "class_names": class_names,
        "model": model,
        "frames": dataclasses.asdict(frames.spec),
        "slices": {key: slice_spec[key] for key in ("seconds", "overlap", "n_frames")},
        "train": params.model_dump(),
        "recipe": recipe.model_dump(),
        "n_parameters": fitted.count_params() if recipe.kind == "network" else None,
        "seed": seed,
        "versions": read_versions(),
        "commit": read_commit(),
    }
    timing = {
        "seconds": seconds,
        "slices_per_second": len(parts["train"]) * len(history) / seconds,
        "peak_memory_mb": _peak_memory_mb(),
    }
    return Bundle(info, fitted), history, {key: round(value, 3) for key, value in timing.items()}


def _fit_network(
    name: str, recipe: Network, params: Train, parts: dict[str, SliceSet], n_classes: int, seed: int
) -> tuple[keras.Model, pd.DataFrame]:
    import keras

    training, validation = parts["train"], parts["validation"]
    # The one global seed: builders stay free of seeds, as Keras draws those of all initialisers and dropouts
    # from it, and names of layers count from one.
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    model = build_network(
        name,
        recipe.options,
        n_frames=training.n_frames,
        n_bins=training.frames.spec.n_bins,
        n_classes=n_classes,
        statistics=statistics(training, params.normalisation),
        precision=params.precision,
    )
    batches = shuffled_batches(training, recipe.batch_size, seed)
    # XLA on CPUs trains convolutions ten times slower: see benchmarks/train.py.
    model.compile(
        keras.optimizers.get(
            {"class_name": recipe.optimizer, "config": {"learning_rate": recipe.learning_rate}}
        ),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,
    )
    best = keras.callbacks.EarlyStopping("val_loss", patience=recipe.patience, restore_best_weights=True)
    history = model.fit(
        batches,
        validation_data=shuffled_batches(validation, recipe.batch_size, seed=None),
        epochs=recipe.epochs,
        shuffle=False,
        callbacks=[best, _watcher(name, recipe)],
        verbose=1 if sys.stderr.isatty() else 0,
    ).history
    table = pd.DataFrame({"epoch": np.arange(1, len(history["loss"]) + 1), **history})
    return model, table[list(HISTORY_COLUMNS)]


def _watcher(name: str, recipe: Network) -> keras.callbacks.Callback:
    """Return a callback that sets the learning rate, logs a line an epoch, and stops what diverges."""
    import keras

    class Watcher(keras.callbacks.Callback):
        val_losses: list[float]

        def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
            self.val_losses = []

        def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            self.learning_rate = learning_rate(recipe, self.val_losses)
            self.model.optimizer.learning_rate = self.learning_rate

        def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
            if not (math.isfinite(logs["loss"]) and math.isfinite(logs["val_loss"])):
                raise ModelError(
                    f"loss is not finite at epoch {epoch + 1}",
                    where=f"models.{name}",
                    hint=f"lower models.{name}.learning_rate",
                )
            logs["learning_rate"] = self.learning_rate
            self.val_losses.append(logs["val_loss"])
            logger.info(
                "%s: epoch %d of %d: loss %.3f, accuracy %.3f, validation loss %.3f, accuracy %.3f",
                *(name, epoch + 1, recipe.epochs),
                *(logs[key] for key in HISTORY_COLUMNS[1:5]),
            )

    return Watcher()


def _fit_estimator(
    name: str, recipe: Estimator, parts: dict[str, SliceSet], n_classes: int, seed: int
) -> tuple[Any, pd.DataFrame]:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator
    from sklearn.metrics import log_loss

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


def _peak_memory_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
