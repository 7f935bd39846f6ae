"""Training of Keras networks: epochs, learning rates, best weights, and resuming after a kill."""

from __future__ import annotations

import logging
import math
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypedDict

import numpy as np
import pandas as pd

from genredag.errors import DataError, ModelError
from genredag.frames.batches import sequences, shuffled_batches, statistics, with_features
from genredag.models.assembly import build_network
from genredag.models.branches import initialise_branches
from genredag.models.frozen import embedding_part, trained_part
from genredag.models.registry import FEATURES, learner
from genredag.params.groups.models import Mixup
from genredag.runtime.backend import fed
from genredag.training.augment import augment
from genredag.training.schedules import learning_rate

if TYPE_CHECKING:
    import keras

    from genredag.frames.batches import Pair, Prepare, SliceSet
    from genredag.frames.store import FrameSpec
    from genredag.params.groups.models import Network, Train
    from genredag.training.checkpoint import Arrays, Checkpoint

logger = logging.getLogger(__name__)

HISTORY_COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")
# Embeddings from other weights differ by more than their own norm; those from another backend, by rounding.
SAME_WEIGHTS = 0.1


@dataclass(frozen=True)
class Cost:
    """The cost of epochs, including those before a kill: seconds and the number of slices trained on."""

    seconds: float = 0.0
    n_slices: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.seconds + other.seconds, self.n_slices + other.n_slices)


def fit_network(
    name: str,
    recipe: Network,
    params: Train,
    *,
    training: SliceSet,
    validation: SliceSet,
    n_classes: int,
    seed: int,
    checkpoint: Checkpoint | None,
    embedded: Mapping[str, SliceSet] | None = None,
) -> tuple[keras.Model, pd.DataFrame, Cost]:
    """Train a network until its validation loss stops falling, and restore the weights of its best epoch.

    Parameters
    ----------
    embedded
        The slices of "train" and "validation" with their embeddings: only later layers are computed.

    Returns
    -------
    tuple
        The network, its history (`HISTORY_COLUMNS`, one row per epoch), and the cost of its epochs, including
        those of the networks that it starts from.

    Raises
    ------
    ModelError
        It diverges.
    DataError
        The embeddings were computed with other weights.
    """
    import keras

    from genredag.training.rewrites import rewritten

    fit_branch = partial(
        fit_network,
        params=params,
        training=training,
        validation=validation,
        n_classes=n_classes,
        seed=seed,
    )
    branches, cost = _train_branches(name, recipe, checkpoint, fit_branch)
    model = _new_network(name, recipe, params, training, n_classes, seed)
    initialise_branches(model, branches)
    if start := learner(name).start:
        start(model)
    trained = rewritten(trained_part(model) if embedded else model)
    _compile(trained, recipe)
    if embedded:
        _check_embeddings(model, training, embedded["train"])
        training, validation = embedded["train"], embedded["validation"]
    augmented, plain = _preparations(recipe, training.frames.spec, trained)
    batches = _batches(name, training, recipe.batch_size, seed, augmented)
    judged = _batches(name, validation, recipe.batch_size, None, plain)
    course = Course(name, recipe, trained, batches, checkpoint)
    if not course.is_over:
        with fed(batches, judged) as (learnt, validated):
            trained.fit(
                learnt,
                validation_data=validated,
                initial_epoch=len(course.history),
                epochs=recipe.epochs,
                shuffle=False,
                callbacks=[keras.callbacks.LambdaCallback(course.begin, course.end)],
                verbose=1 if sys.stderr.isatty() else 0,
            )
    trained.set_weights(course.best)
    history = pd.DataFrame(course.history)[list(HISTORY_COLUMNS)]
    return model, history, cost + Cost(course.seconds, len(training) * len(history))


def _train_branches(
    name: str,
    recipe: Network,
    checkpoint: Checkpoint | None,
    fit_branch: Callable[..., tuple[keras.Model, pd.DataFrame, Cost]],
) -> tuple[list[keras.Model], Cost]:
    """Train the networks that another one starts from, with its recipe; return them and their cost."""
    models, total = [], Cost()
    for branch in learner(name).branches:
        options = {key: recipe.options[key] for key in learner(branch).options}
        own = recipe.model_copy(update={"options": options})
        model, _, cost = fit_branch(branch, own, checkpoint=checkpoint and checkpoint.of(branch))
        models.append(model)
        total += cost
    return models, total


def _check_embeddings(model: keras.Model, training: SliceSet, embedded: SliceSet) -> None:
    """Check that embeddings come from the same weights; with one seed, random weights differ by backend."""
    rows = np.arange(min(4, len(training)))
    expected = embedding_part(model).predict_on_batch(training.take(rows)).reshape(len(rows), -1)
    if np.linalg.norm(embedded.take(rows)[:, 0] - expected) > SAME_WEIGHTS * np.linalg.norm(expected):
        raise DataError(
            "embeddings from other weights",
            expected="those of the frozen part as this backend builds it",
            hint="rerun the embed stage: snakemake --forcerun embed, dvc repro --force --single-item embed",
        )


def feature_slices(
    model: keras.Model, parts: Mapping[str, SliceSet], embedded: Mapping[str, SliceSet] | None
) -> tuple[keras.Model, dict[str, SliceSet]]:
    """Return the part of a network that ends in its features, and the features of the slices of `parts`."""
    import keras

    whole = keras.Model(model.input, model.get_layer(FEATURES).output, name=model.name)
    part = trained_part(whole) if embedded else whole

    def features(slices: SliceSet) -> np.ndarray:
        chunks = (chunk.reshape(-1, *part.input_shape[1:]) for chunk in slices.chunks())
        return np.concatenate([part.predict_on_batch(chunk) for chunk in chunks]).astype(np.float32)

    return whole, {
        name: with_features(slices, features(embedded[name] if embedded else slices), np.arange(len(slices)))
        for name, slices in parts.items()
    }


def _batches(
    name: str, slices: SliceSet, batch_size: int, seed: int | None, prepare: Prepare
) -> keras.utils.PyDataset:
    """Return batches of about `batch_size` slices; batches of whole tracks for a network over windows."""
    if not learner(name).over_windows:
        return shuffled_batches(slices, batch_size, seed, prepare)
    tracks = sequences(slices)
    return shuffled_batches(tracks, max(1, batch_size // tracks.rows.shape[1]), seed, prepare)


def _preparations(recipe: Network, spec: FrameSpec, model: keras.Model) -> tuple[Prepare, Prepare]:
    """Return the functions that prepare training and validation batches: augmentation, one-hot labels."""
    shape, n_classes = [size or -1 for size in model.input_shape[1:]], model.output_shape[-1]
    blended = _blends(recipe)

    def plain(slices: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> Pair:
        slices = slices.reshape(len(slices), *shape)
        return slices, np.eye(n_classes, dtype=np.float32)[labels] if blended else labels

    def augmented(slices: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> Pair:
        slices, labels = plain(slices, labels, rng)
        each = slices.reshape(-1, *shape[-2:])
        steps, n_channels = recipe.augment, spec.n_channels
        each, labels = augment(each, labels, steps, floor=spec.floor, rng=rng, n_channels=n_channels)
        return each.reshape(slices.shape), labels

    return (augmented if recipe.augment else plain), plain


def _blends(recipe: Network) -> bool:
    return any(isinstance(step, Mixup) for step in recipe.augment)


def _new_network(
    name: str, recipe: Network, params: Train, training: SliceSet, n_classes: int, seed: int
) -> keras.Model:
    import keras

    # The only global seed. Keras derives the seeds of all initialisers and dropout layers from it, so that
    # builders need none. Names of layers count from one.
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(seed)
    return build_network(
        name,
        recipe,
        n_frames=training.n_frames,
        n_bins=training.frames.spec.n_bins,
        n_channels=training.frames.spec.n_channels,
        n_classes=n_classes,
        statistics=statistics(training, params.normalisation),
        precision=params.precision,
    )


def _compile(model: keras.Model, recipe: Network) -> None:
    import keras

    optimizer = {"class_name": recipe.optimizer, "config": {"learning_rate": recipe.learning_rate}}
    model.compile(
        keras.optimizers.get(optimizer),
        loss="categorical_crossentropy" if _blends(recipe) else "sparse_categorical_crossentropy",
        weighted_metrics=["accuracy"],
    )
    model.optimizer.build(model.trainable_variables)
    # Builds the metrics: if a training step made their variables, TensorFlow would trace it twice.
    probabilities = np.ones((1, *(size or 1 for size in model.output_shape[1:])), np.float32)
    labels = probabilities if _blends(recipe) else probabilities[..., 0]
    model.compute_metrics(None, labels, probabilities)


class Progress(TypedDict):
    """The part of a checkpoint that isn't arrays: one row per epoch, and the seconds of all epochs."""

    history: list[dict[str, float]]
    seconds: float


class Course:
    """The progress of a network's training: its state outside Keras's own variables.

    Attributes
    ----------
    history
        One row per epoch.
    best
        Weights of the first epoch with the lowest validation loss.
    """

    def __init__(
        self,
        name: str,
        recipe: Network,
        model: keras.Model,
        batches: keras.utils.PyDataset,
        checkpoint: Checkpoint | None,
    ) -> None:
        self.name, self.recipe, self.model, self.batches = name, recipe, model, batches
        self.checkpoint = checkpoint
        self.history: list[dict[str, float]] = []
        self.best: list[np.ndarray] = []
        self.seconds = 0.0
        state = checkpoint.read() if checkpoint else None
        if state is not None:
            self._resume(*state)

    @property
    def is_over(self) -> bool:
        """Whether training is complete by the recipe: all epochs are done, or patience has run out."""
        losses = self._val_losses()
        waited = len(losses) - 1 - int(np.argmin(losses)) if losses else 0
        return len(losses) >= self.recipe.epochs or waited >= self.recipe.patience

    def begin(self, epoch: int, logs: object = None) -> None:
        """Set the order of the slices and the learning rate of an epoch; called by Keras."""
        self.started = time.perf_counter()
        self.batches.start_epoch(epoch)
        self.rate = learning_rate(self.recipe, self._val_losses())
        self.model.optimizer.learning_rate = self.rate

    def end(self, epoch: int, logs: dict[str, float]) -> None:
        """Record an epoch, keep its weights if they are the best, and write a checkpoint; called by Keras."""
        if not (math.isfinite(logs["loss"]) and math.isfinite(logs["val_loss"])):
            raise ModelError(
                f"loss is not finite at epoch {epoch + 1}",
                where=f"models.{self.name}",
                hint=f"lower models.{self.name}.learning_rate",
            )
        values = {key: float(logs[key]) for key in HISTORY_COLUMNS[1:5]}
        if values["val_loss"] < min(self._val_losses(), default=math.inf):
            self.best = self.model.get_weights()
        self.history.append({"epoch": epoch + 1, **values, "learning_rate": self.rate})
        self.seconds += time.perf_counter() - self.started
        logger.info(
            "%s: epoch %d of %d: loss %.3f, accuracy %.3f, validation loss %.3f, accuracy %.3f; %s",
            *(self.name, epoch + 1, self.recipe.epochs, *values.values(), self.time_left()),
        )
        self.model.stop_training = self.is_over
        if self.checkpoint:
            state = {name: [np.asarray(v) for v in group] for name, group in self._variables().items()}
            about: Progress = {"history": self.history, "seconds": self.seconds}
            self.checkpoint.write(about, {**state, "best": self.best})

    def time_left(self) -> str:
        """Return an upper bound of the remaining time in words, at the pace of the epochs so far."""
        if self.is_over:
            return "last epoch"
        seconds = self.seconds / len(self.history) * (self.recipe.epochs - len(self.history))
        return f"at most {timedelta(seconds=round(seconds))} left"

    def _resume(self, about: Progress, arrays: Arrays) -> None:
        self.history, self.seconds, self.best = about["history"], about["seconds"], arrays["best"]
        for name, group in self._variables().items():
            for variable, value in zip(group, arrays[name], strict=True):
                variable.assign(value)
        logger.info("%s: resuming after epoch %d", self.name, len(self.history))

    def _variables(self) -> dict[str, list[keras.Variable]]:
        """Return all variables that Keras updates with each batch, including the states of dropout layers."""
        return {"model": self.model.variables, "optimizer": self.model.optimizer.variables}

    def _val_losses(self) -> list[float]:
        return [row["val_loss"] for row in self.history]
