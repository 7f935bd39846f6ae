"""What every kind of bundle offers: class probabilities of slices."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

import numpy as np

from genredag.bundles.parts import needs_keras
from genredag.errors import ModelError
from genredag.frames.batches import runs_of_windows
from genredag.frames.features import features

if TYPE_CHECKING:
    from genredag.frames.store import FrameSpec
    from genredag.models.layer_table import Row

BATCH_SIZE = 64


class BundleInfo(TypedDict):
    """Contents of ``bundle.json``.

    Attributes
    ----------
    frames, slices
        The specs of the frame store and of the slices that the model was trained on.
    train, recipe
        The groups of ``params.yaml``.
    options
        The options of the recipe; for a list, the chosen value.
    metrics
        The selected epoch, and its losses and accuracies on training and validation slices.
    features
        The feature set that the model takes instead of slices; None for slices.
    n_parameters
        Number of weights of its networks; None for an estimator.
    weights
        Exponents of the probabilities of each member; present for an ensemble.
    warning
        Present if the split is leaky.
    refitted
        Present if estimators were fitted again, on training and validation slices. `metrics` were measured
        before that.
    """

    class_names: list[str]
    model: str
    frames: dict[str, Any]
    slices: dict[str, Any]
    train: dict[str, object]
    recipe: dict[str, object]
    options: Mapping[str, object]
    metrics: dict[str, float]
    features: str | None
    n_parameters: int | None
    layers: list[Row]
    seed: int
    versions: dict[str, str]
    commit: str | None
    weights: NotRequired[list[float]]
    warning: NotRequired[str]
    refitted: NotRequired[bool]


class Predictor(ABC):
    """A trained model, whatever library computes it.

    Attributes
    ----------
    info
        ``bundle.json``.
    """

    info: BundleInfo

    @property
    @abstractmethod
    def over_windows(self) -> bool:
        """Whether the prediction of a slice also depends on the earlier slices of its track."""

    @abstractmethod
    def _predict(self, slices: np.ndarray, n_valid: np.ndarray) -> np.ndarray:
        """Return probabilities of a batch of slices, or of the slices of one run of windows."""

    @property
    def class_names(self) -> list[str]:
        """Genres in the order of the columns of `predict`."""
        return self.info["class_names"]

    @property
    def is_network(self) -> bool:
        """Whether the model needs Keras: a neural network, alone, before a classifier or in an ensemble."""
        return needs_keras(self.info["recipe"])

    def predict(self, slices: np.ndarray, n_valid: np.ndarray | None = None) -> np.ndarray:
        """Return class probabilities, float32 (n_slices, n_classes).

        Parameters
        ----------
        slices
            Float32 (n_slices, n_frames, n_bins), in the values of the frame store. A model `over_windows`
            takes them as the slices of one track, in order. It splits a long track into runs, as in training.
        n_valid
            Number of frames of each slice before its padding, which features ignore; None for all frames.

        Raises
        ------
        ModelError
            The slices have the wrong shape.
        """
        expected = (self.info["slices"]["n_frames"], self.info["frames"]["n_bins"])
        if slices.ndim != 3 or slices.shape[1:] != expected:
            raise ModelError(
                f"slices of shape {slices.shape}",
                where=self.info["model"],
                expected=f"(n_slices, {expected[0]}, {expected[1]}): frames, bins",
            )
        n_valid = np.full(len(slices), expected[0]) if n_valid is None else n_valid
        all_rows = np.arange(len(slices))
        if self.over_windows:
            batches = runs_of_windows(all_rows)
        else:
            batches = [all_rows[i : i + BATCH_SIZE] for i in range(0, len(all_rows), BATCH_SIZE)]
        empty = np.empty((0, len(self.class_names)), np.float32)
        found = [self._predict(slices[rows], n_valid[rows]) for rows in batches]
        return np.concatenate([empty, *found], dtype=np.float32)

    def _inputs(self, slices: np.ndarray, n_valid: np.ndarray) -> np.ndarray:
        """Return what the model takes: slices, their features, or slices as the windows of one track.

        Networks take features as slices of one frame, (n_slices, 1, n_features).
        """
        if self.info["features"]:
            values = self._features(self.info["features"], slices, n_valid)
            return values[:, np.newaxis] if self.is_network else values
        return slices[np.newaxis] if self.over_windows else slices

    def _features(self, name: str, slices: np.ndarray, n_valid: np.ndarray) -> np.ndarray:
        frames = self.info["frames"]
        return features(slices, frames["bins"], name, n_valid, frames["frames_per_second"])

    def check_frames(self, spec: FrameSpec) -> None:
        """Reject frames of a different kind from those that the model was trained on.

        Raises
        ------
        ModelError
            The representation, its parameters, the number of bins, the frame rate or the unit differs.
        """
        for key in ("representation", "n_bins", "frames_per_second", "unit", "params"):
            given, expected = getattr(spec, key), self.info["frames"][key]
            if given != expected:
                raise ModelError(
                    f"frames with {key} = {given}",
                    where=self.info["model"],
                    expected=str(expected),
                    hint="render frames with the parameters in the bundle's bundle.json, or train on these",
                )
