"""A bundle: one zip file with everything that prediction needs.

``bundle.json`` describes the model and its input. A network adds ``architecture.json`` and
``model.weights.h5``; a scikit-learn classifier adds ``estimator.skops``. Nothing is pickled. Identical
bundles have identical bytes.
"""

from __future__ import annotations

import io
import json
import re
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

import numpy as np

from genredag.errors import ModelError
from genredag.frames.batches import runs_of_windows
from genredag.frames.features import features
from genredag.runtime.backend import choose_backend
from genredag.runtime.files import atomic_path

if TYPE_CHECKING:
    import keras
    from sklearn.base import ClassifierMixin

    from genredag.frames.store import FrameSpec
    from genredag.models.layer_table import Row

BATCH_SIZE = 64
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip file can hold
# Types in our estimators that skops doesn't trust by default.
TRUSTED_TYPES = [
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._TemperatureScaling",
    "sklearn.tree._tree.Tree",
]


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
        Number of weights of a network; None for an estimator.
    warning
        Present if the split is leaky.
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
    warning: NotRequired[str]


@dataclass(frozen=True)
class Bundle:
    """A trained model.

    Attributes
    ----------
    info
        ``bundle.json``.
    model
        A Keras model or a scikit-learn classifier.
    classifier
        A scikit-learn classifier of the features that a Keras model returns, if it returns no probabilities.
    """

    info: BundleInfo
    model: keras.Model | ClassifierMixin
    classifier: ClassifierMixin | None = None

    @property
    def class_names(self) -> list[str]:
        """Genres in the order of the columns of `predict`."""
        return self.info["class_names"]

    @property
    def is_network(self) -> bool:
        """Whether the model is a Keras network."""
        return self.info["recipe"]["kind"] != "estimator"

    @property
    def over_windows(self) -> bool:
        """Whether the prediction of a slice also depends on the earlier slices of its track."""
        return self.is_network and self.model.input_shape[1] is None

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

    def _predict(self, slices: np.ndarray, n_valid: np.ndarray) -> np.ndarray:
        if self.info["features"]:
            slices = features(slices, self.info["frames"]["bins"], self.info["features"], n_valid)
        if not self.is_network:
            return self.model.predict_proba(slices)
        if self.over_windows:
            return self.model.predict_on_batch(slices[np.newaxis])[0]
        output = self.model.predict_on_batch(slices[:, np.newaxis] if self.info["features"] else slices)
        return self.classifier.predict_proba(output.astype(np.float32)) if self.classifier else output

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


def save_bundle(path: Path, bundle: Bundle) -> None:
    """Write `bundle` to `path`."""
    files = {"bundle.json": (json.dumps(bundle.info, indent=2, ensure_ascii=False) + "\n").encode()}
    if bundle.is_network:
        files["architecture.json"] = bundle.model.to_json().encode()
        files["model.weights.h5"] = _weights(bundle.model)
    estimator = bundle.classifier if bundle.is_network else bundle.model
    if estimator is not None:
        files["estimator.skops"] = _estimator(estimator)
    with atomic_path(path) as temporary:
        temporary.write_bytes(zipped(files))


def load_bundle(path: Path) -> Bundle:
    """Read a bundle.

    Raises
    ------
    ModelError
        The file isn't a bundle, or this environment can't load a part of it.
    ParameterError
        It holds a network, and neither TensorFlow nor JAX is installed.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        info = json.loads(files["bundle.json"])
        found = [_load_network(files)] if info["recipe"]["kind"] != "estimator" else []
        if info["recipe"]["kind"] != "network":
            found.append(_load_estimator(files["estimator.skops"]))
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise ModelError(
            f"can't be loaded as a bundle ({type(error).__name__}: {error})",
            where=str(path),
            hint="train again, or install the versions named in its bundle.json",
        ) from error
    return Bundle(info, *found)


def _load_network(files: dict[str, bytes]) -> keras.Model:
    if "keras" not in sys.modules:
        choose_backend()
    import keras

    model = keras.models.model_from_json(files["architecture.json"].decode())
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder, "model.weights.h5")
        weights.write_bytes(files["model.weights.h5"])
        model.load_weights(weights)
    return model


def _load_estimator(content: bytes) -> ClassifierMixin:
    import skops.io

    return skops.io.loads(content, trusted=TRUSTED_TYPES)


def _weights(model: keras.Model) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder, "model.weights.h5")
        model.save_weights(weights)
        return weights.read_bytes()


def _estimator(model: ClassifierMixin) -> bytes:
    """Return `model` in skops' format, with memory addresses replaced by numbers in order of appearance."""
    import skops.io

    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(model))) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    address = re.compile(r'(?<="__id__": )\d+|(?<="file": ")\d+')
    schema = files.pop("schema.json").decode()
    numbers = {name: str(i) for i, name in enumerate(dict.fromkeys(address.findall(schema)))}
    arrays = {numbers[name.removesuffix(".npy")] + ".npy": content for name, content in files.items()}
    return zipped({"schema.json": address.sub(lambda match: numbers[match[0]], schema).encode(), **arrays})


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return an uncompressed zip file of named contents, which alone determine its bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()
