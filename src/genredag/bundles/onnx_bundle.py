"""A bundle as one ONNX model, computed by onnxruntime: needs neither Keras nor scikit-learn."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from genredag.bundles.parts import require_part
from genredag.bundles.predictor import BundleInfo, Predictor
from genredag.errors import ModelError, require
from genredag.frames.features import NAMES

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

# Names in the graph. An ensemble may also take features of the slices, by the name of their set.
INPUT, OUTPUT = "slices", "probabilities"
_HINT = "export the bundle again: genredag export bundle.zip --onnx model.onnx"


@dataclass(frozen=True)
class OnnxBundle(Predictor):
    """A trained model in ONNX.

    Attributes
    ----------
    info
        ``bundle.json`` of the bundle that was exported.
    path, threads
        See `load_onnx_bundle`, which gives the same bundle in another process. None: it has no file.
    """

    info: BundleInfo
    session: InferenceSession
    path: Path | None = None
    threads: int | None = None

    @property
    def over_windows(self) -> bool:
        """Whether the prediction of a slice also depends on the earlier slices of its track."""
        return len(self.session.get_inputs()[0].shape) == 4

    def _predict(self, slices: np.ndarray, n_valid: np.ndarray) -> np.ndarray:
        inputs = {
            given.name: self._inputs(slices, n_valid)
            if given.name == INPUT
            else self._features(given.name, slices, n_valid)
            for given in self.session.get_inputs()
        }
        feeds = {name: np.ascontiguousarray(values, np.float32) for name, values in inputs.items()}
        (output,) = self.session.run([OUTPUT], feeds)
        return output[0] if self.over_windows else output


def load_onnx_bundle(path: Path, threads: int | None = None) -> OnnxBundle:
    """Load a model that `genredag.bundles.export.export_onnx` wrote.

    Parameters
    ----------
    threads
        Threads of the computation; None for one per core.

    Raises
    ------
    ModelError
        The file isn't such a model.
    MissingExtraError
        onnxruntime isn't installed.
    """
    require("onnxruntime")
    # From bytes, a model can't refer to other files.
    return OnnxBundle(_info(path), open_session(path.read_bytes(), threads, str(path)), path, threads)


def open_session(model: bytes, threads: int | None, where: str) -> InferenceSession:
    """Return a session of an ONNX model with the names and types of an exported bundle.

    Raises
    ------
    ModelError
        It isn't one.
    """
    # From 1.32 on, onnxruntime reports its use to its maker, and writes an id and a database into the user's
    # cache, unless this is set before it is imported. A user who sets it to 0 wants it.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors, which are raised as well
    try:
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no other class
        raise ModelError(
            f"can't be loaded as an ONNX model ({_first_line(error)})", where=where, hint=_HINT
        ) from error
    names = [[one.name for one in ends] for ends in (session.get_inputs(), session.get_outputs())]
    if not set(names[0]) <= {INPUT, *NAMES} or names[1] != [OUTPUT]:
        raise ModelError(f"takes {names[0]} and returns {names[1]}", where=where, hint=_HINT)
    return session


def _info(path: Path) -> BundleInfo:
    return require_part(path, "bundle.json", json.loads, hint=_HINT)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
