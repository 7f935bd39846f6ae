"""A bundle: one zip file with everything that prediction needs.

``bundle.json`` describes the model and its input. A network adds ``architecture.json`` and
``model.weights.h5``; a scikit-learn classifier adds ``estimator.skops``. An ensemble adds a folder with these
files for each member. Nothing is pickled. Identical bundles have identical bytes.
"""

from __future__ import annotations

import io
import json
import math
import re
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from genredag.bundles.ensemble import EnsembleBundle
from genredag.bundles.parts import DAMAGED, opened
from genredag.bundles.predictor import BundleInfo, Predictor
from genredag.errors import ModelError
from genredag.runtime.backend import choose_backend, installed_backends
from genredag.runtime.files import atomic_path

if TYPE_CHECKING:
    import keras
    from sklearn.base import ClassifierMixin

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip file can hold
_MEMBER = "member_{}/"
# Types in our estimators that skops doesn't trust by default.
TRUSTED_TYPES = [
    "genredag.models.soft_limit.SoftLimit",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._TemperatureScaling",
    "sklearn.tree._tree.Tree",
]


@dataclass(frozen=True)
class Bundle(Predictor):
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
    def estimator_features(self) -> str | None:
        """The feature set that a scikit-learn model takes; None for a network."""
        return None if self.is_network else self.info["features"]

    @property
    def over_windows(self) -> bool:
        """Whether the prediction of a slice also depends on the earlier slices of its track."""
        return self.is_network and self.model.input_shape[1] is None

    def _predict(self, slices: np.ndarray, n_valid: np.ndarray) -> np.ndarray:
        inputs = self._inputs(slices, n_valid)
        if not self.is_network:
            return self.model.predict_proba(inputs)
        output = self.model.predict_on_batch(inputs)
        if self.over_windows:
            return output[0]
        return self.classifier.predict_proba(output.astype(np.float32)) if self.classifier else output


def save_bundle(path: Path, bundle: Bundle | EnsembleBundle) -> None:
    """Write `bundle` to `path`."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(zipped(_files(bundle)))


def _files(bundle: Predictor) -> dict[str, bytes]:
    """Return the files of a bundle by name; members of an ensemble have folders.

    They are not zip files in a zip file, the last of which a truncated file would be taken for.
    """
    files = {"bundle.json": (json.dumps(bundle.info, indent=2, ensure_ascii=False) + "\n").encode()}
    if isinstance(bundle, EnsembleBundle):
        for i, member in enumerate(bundle.members):
            files |= {_MEMBER.format(i) + name: content for name, content in _files(member).items()}
        return files
    assert isinstance(bundle, Bundle)
    if bundle.is_network:
        files["architecture.json"] = bundle.model.to_json().encode()
        files["model.weights.h5"] = _weights(bundle.model)
    estimator = bundle.classifier if bundle.is_network else bundle.model
    if estimator is not None:
        files["estimator.skops"] = _estimator(estimator)
    return files


def read_bundle(path: Path) -> Bundle | EnsembleBundle:
    """Read a zip file that `save_bundle` wrote.

    Raises
    ------
    ModelError
        The file isn't a bundle, or this environment can't load a part of it.
    """
    try:
        with opened(path) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        info = json.loads(files["bundle.json"])
        if info["recipe"]["kind"] == "ensemble":
            return _ensemble(info, files, path)
        return _single(info, files, path)
    except (*DAMAGED, KeyError, TypeError) as error:
        raise ModelError(
            f"can't be loaded as a bundle ({type(error).__name__}: {error})",
            where=str(path),
            hint="train again, or install the versions named in its bundle.json",
        ) from error


def _ensemble(info: BundleInfo, files: dict[str, bytes], path: Path) -> EnsembleBundle:
    members: list[Bundle] = []
    for i, weight in enumerate(info["weights"]):
        folder = _MEMBER.format(i)
        own = {name.removeprefix(folder): files[name] for name in files if name.startswith(folder)}
        member = _single(json.loads(own["bundle.json"]), own, path)
        if _input(member.info) != _input(info) or not 0 < weight < math.inf:
            raise ValueError(f"{folder} doesn't belong to it")
        members.append(member)
    if _MEMBER.format(len(members)) + "bundle.json" in files:
        raise ValueError("a member has no weight")
    return EnsembleBundle(info, tuple(members))


def _input(info: BundleInfo) -> tuple[object, ...]:
    return info["class_names"], info["frames"], info["slices"]


def _single(info: BundleInfo, files: dict[str, bytes], path: Path) -> Bundle:
    kind = info["recipe"]["kind"]
    found = [_load_network(files, path)] if kind != "estimator" else []
    if kind != "network":
        found.append(_load_estimator(files["estimator.skops"]))
    return Bundle(info, *found)


def _load_network(files: dict[str, bytes], path: Path) -> keras.Model:
    if not installed_backends():
        raise ModelError(
            "holds a network, and neither TensorFlow nor JAX is installed",
            where=str(path),
            hint=f"where TensorFlow is installed, run `genredag export {path} --onnx model.onnx` and use"
            " model.onnx here; or pip install 'genredag[tensorflow]'",
        )
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
