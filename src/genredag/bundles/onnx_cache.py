"""Bundles converted to ONNX once and kept in the user's cache, because Keras takes seconds to start."""

from __future__ import annotations

import hashlib
import logging
from importlib.util import find_spec
from pathlib import Path

from genredag.bundles.loading import load_bundle
from genredag.bundles.parts import ONNX_SUFFIX, is_network
from genredag.bundles.predictor import Predictor
from genredag.errors import ModelError
from genredag.runtime.backend import configure_backend, installed_backends

logger = logging.getLogger(__name__)

FORMAT = 1  # increase it when the export changes
_CONVERTERS = ("onnx", "onnxruntime", "skl2onnx", "tf2onnx")


def load_as_onnx(path: Path, cache_dir: Path) -> Predictor:
    """Load a bundle as an ONNX model with one thread; convert it at the first time, if that is possible.

    Without the converters, or if they fail, the bundle itself predicts, and the log says so.

    Parameters
    ----------
    cache_dir
        The user's cache, see `genredag.runtime.cache`.

    Raises
    ------
    ModelError
        The file isn't a bundle, or it is a network, was not converted, and Keras has no backend.
    """
    if path.suffix.lower() == ONNX_SUFFIX:
        return load_bundle(path, threads=1)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    cached = cache_dir / "onnx" / f"{digest}-{FORMAT}{ONNX_SUFFIX}"
    if (find_spec("onnxruntime") and cached.is_file()) or _converted(path, cached):
        try:
            return load_bundle(cached, threads=1)
        except ModelError as error:
            logger.warning("%s", error)
    if is_network(path) and installed_backends():
        configure_backend(threads=1)
    return load_bundle(path)


def _converted(path: Path, cached: Path) -> bool:
    """Convert a bundle; return whether that succeeded."""
    missing = [name for name in _CONVERTERS if find_spec(name) is None]
    network = is_network(path)
    if network and find_spec("tensorflow") is None:
        missing.append("tensorflow")
    if missing:
        if network and installed_backends():
            what = "%s: starts slowly, because %s isn't installed, which converts it to ONNX. Hint: %s"
            logger.warning(what, path, missing[0], "pip install 'genredag[predict,export]'")
        return False
    from genredag.bundles.export import export_onnx

    logger.info("%s: converting to ONNX, once", path)
    if network:
        configure_backend(threads=1)
    try:
        export_onnx(path, cached)
    except Exception as error:  # converters raise errors of many kinds
        logger.warning("%s: can't be converted to ONNX, predicting without it (%s)", path, error)
        return False
    return True
