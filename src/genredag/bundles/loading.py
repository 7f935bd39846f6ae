"""Loading of a trained model from any of its files."""

from __future__ import annotations

from pathlib import Path

from genredag.bundles.bundle import read_bundle
from genredag.bundles.onnx_bundle import load_onnx_bundle
from genredag.bundles.parts import ONNX_SUFFIX
from genredag.bundles.predictor import Predictor


def load_bundle(path: Path, threads: int | None = None) -> Predictor:
    """Load a bundle: a zip file, or an ONNX model that `genredag.bundles.export` wrote.

    Parameters
    ----------
    threads
        Threads of an ONNX model; None for one per core. Keras takes them from
        `genredag.runtime.backend.configure_backend`.

    Raises
    ------
    ModelError
        The file isn't a bundle, or this environment can't load a part of it.
    """
    path = Path(path)
    if path.suffix.lower() == ONNX_SUFFIX:
        return load_onnx_bundle(path, threads)
    return read_bundle(path)
