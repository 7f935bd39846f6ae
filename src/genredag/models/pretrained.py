"""Published weight files: found in the user's cache or downloaded, checked by hash, read by layer name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genredag.errors import ModelError

if TYPE_CHECKING:
    import h5py
    import keras
    import numpy as np


@dataclass(frozen=True)
class WeightsFile:
    """Where a network's published weights are.

    Attributes
    ----------
    hash
        Algorithm and hexadecimal digest, as in ``md5:6d6b...``.
    """

    name: str
    url: str
    hash: str


def fetch_weights(file: WeightsFile, cache_dir: Path) -> Path:
    """Return the path of `file` in ``cache_dir/weights``, downloaded if needed, with its hash verified.

    Raises
    ------
    ModelError
        It isn't cached and can't be downloaded, or has a different hash.
    """
    import pooch

    folder = Path(cache_dir) / "weights"
    try:
        return Path(pooch.retrieve(file.url, known_hash=file.hash, fname=file.name, path=folder))
    except (OSError, ValueError) as error:
        # requests' errors are OSErrors; pooch raises ValueError for a download with a different hash.
        reason = type(error).__name__ if isinstance(error, OSError) else "the download has a different hash"
        raise ModelError(
            f"{file.name} is not cached with the right hash and can't be downloaded ({reason})",
            where="weights: imagenet",
            expected=f"{folder / file.name} with {file.hash}",
            hint=f"download {file.url} elsewhere and put it there, or set weights to null or to a path",
        ) from None


def load_weights(model: keras.Model, path: Path) -> None:
    """Set the weights of the layers of `model` from the file at `path`, by layer name.

    ``/`` in names is read as ``_``, because Keras 3 forbids slashes. Layers that only the file has (a
    classifier on top) are ignored.

    Raises
    ------
    ModelError
        The file can't be read or lacks a layer, or a layer has different shapes.
    """
    saved = read_weights(path)
    layers = [layer for layer in model.layers if layer.weights]
    for layer in layers:
        shapes = [tuple(weight.shape) for weight in layer.weights]
        found = [array.shape for array in saved.get(layer.name, [])]
        if found != shapes:
            raise ModelError(
                f"weights of layer {layer.name!r} have shapes {found or 'none at all'}",
                where=str(path),
                expected=f"{shapes}, as {model.name} has",
                hint="choose the file that was published for this network",
            )
    for layer in layers:
        layer.set_weights(saved[layer.name])


def check_layers(path: Path, layers: Iterable[str]) -> None:
    """Reject a weights file that lacks one of `layers`; no weights are read.

    Raises
    ------
    ModelError
        It lacks a layer, does not exist, or is not a Keras weights file.
    """
    with _layers_of(path) as root:
        names = {_text(layer).replace("/", "_") for layer in root.attrs["layer_names"]}
    missing = [layer for layer in layers if layer not in names]
    if missing:
        raise ModelError(
            f"no layer {missing[0]!r}",
            where=str(path),
            expected="weights of this architecture",
            hint="choose the file that was published for it",
        )


def read_weights(path: Path) -> dict[str, list[np.ndarray]]:
    """Return the arrays of each layer of a Keras HDF5 file (``.h5`` of Keras 1 and 2, or a whole model).

    Raises
    ------
    ModelError
        There is no such file, or it is not a Keras weights file.
    """
    with _layers_of(path) as root:
        return {
            _text(layer).replace("/", "_"): [
                root[_text(layer)][_text(name)][()] for name in root[_text(layer)].attrs["weight_names"]
            ]
            for layer in root.attrs["layer_names"]
        }


@contextmanager
def _layers_of(path: Path) -> Iterator[h5py.Group]:
    """Open a weights file and yield the group that holds its layers."""
    import h5py

    try:
        with h5py.File(path) as file:
            yield file.get("model_weights", file)
    except FileNotFoundError:
        raise ModelError("no such weights file", where=str(path), hint="check `weights`") from None
    except (OSError, KeyError):
        expected = "HDF5 with a group for each layer, as Keras 2 saved weights"
        raise ModelError("not a Keras weights file", where=str(path), expected=expected) from None


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name
