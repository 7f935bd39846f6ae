"""Embeddings of the user's own encoder, an ONNX file that takes samples: no code is needed to plug it in."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from genredag.errors import ParameterError, require
from genredag.params.groups.spectrograms import OnnxEncoder
from genredag.runtime.cache import default_cache_dir
from genredag.spectrograms.spectrum import Description
from genredag.spectrograms.windows import describe_embedding, embedded_track, embedding_names

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

INPUT = "one float32 input of samples, (1, n_samples) or (n_samples,)"
OUTPUT = "an output (n_columns,), (1, n_columns) or (1, n_steps, n_columns)"


def onnx_embedding(y: np.ndarray, sr: int, params: OnnxEncoder) -> np.ndarray:
    """Return the embeddings of windows of mono samples `y`; `sr` is in Hz.

    Float32, shape (1 + n_samples // hop, n_columns). The window of a frame is centred on it, except at the
    ends of the track. If the output has a row for each step of time, an embedding is their mean.

    Raises
    ------
    ParameterError
        The file is missing, has changed, is not ONNX, or has other inputs or outputs.
    """
    return embedded_track(y, sr, params.hop_samples(sr), encoder(params))


def describe(params: OnnxEncoder, sr: int) -> Description:
    """Name the columns of `onnx_embedding`."""
    return describe_embedding(columns(params))


def columns(params: OnnxEncoder) -> list[str]:
    """Return the names of the columns of `onnx_embedding`; the encoder runs once on noise."""
    return embedding_names(encoder(params).n_columns)


def recorded(params: OnnxEncoder) -> OnnxEncoder:
    """Return the parameters for a frame store: with the hash of the file."""
    return params.model_copy(update={"sha256": _sha256(*_state(_found(params)))})


def obtain(params: OnnxEncoder, _cache_dir: Path) -> None:
    """Check the user's own file; see `encoder`."""
    encoder(params)


class OnnxWindows:
    """An opened encoder; see `genredag.spectrograms.windows`.

    Raises
    ------
    ParameterError
        It has no such output, or other inputs, or fails on noise or returns NaN for it.
    """

    def __init__(self, session: InferenceSession, params: OnnxEncoder, path: Path) -> None:
        self.sr, self.n_samples = params.sr, round(params.window * params.sr)
        self._session, self._layer, self._where = session, params.layer, str(path)
        self._input, self._has_batch = _checked_input(session, self.n_samples, self._where)
        names = [output.name for output in session.get_outputs()]
        if params.layer not in names:
            raise ParameterError(
                f"no output {params.layer!r}",
                where=self._where,
                expected=f"`layer` as one of {', '.join(names)}",
                hint="export the encoder with that layer as an output",
            )
        noise = np.random.default_rng(0).normal(0, 0.1, self.n_samples).astype(np.float32)
        embedded = self.embed(noise)
        if not np.isfinite(embedded).all():
            what = f"output {params.layer!r} is NaN or infinite for noise"
            raise ParameterError(what, where=self._where, hint="export the encoder again")
        self.n_columns = len(embedded)

    def embed(self, window: np.ndarray) -> np.ndarray:
        """See `WindowEncoder.embed`."""
        given = np.ascontiguousarray(window[np.newaxis] if self._has_batch else window, np.float32)
        try:
            (values,) = self._session.run([self._layer], {self._input: given})
        except Exception as error:  # onnxruntime has an exception for each kind of failure
            what = f"fails on {len(window)} samples: {str(error).splitlines()[0][:200]}"
            raise ParameterError(
                what, where=self._where, expected=INPUT, hint="check `window` and `sr`"
            ) from None
        values = np.asarray(values)
        if values.ndim == 3 and len(values) == 1:
            values = values.mean(axis=1)
        if values.ndim == 2 and len(values) == 1:
            values = values[0]
        if values.ndim != 1 or not values.size or not np.issubdtype(values.dtype, np.floating):
            what = f"output {self._layer!r} is {values.dtype} {values.shape}"
            raise ParameterError(what, where=self._where, expected=OUTPUT, hint="choose another `layer`")
        return values.astype(np.float32)


def encoder(params: OnnxEncoder) -> OnnxWindows:
    """Return the opened encoder; it is opened and checked once per process and state of the file.

    Raises
    ------
    ParameterError
        The file is missing, has changed, is not ONNX, or has other inputs or outputs.
    MissingExtraError
        onnxruntime isn't installed.
    """
    require("onnxruntime")
    path = _found(params)
    state = _state(path)
    if params.sha256 is not None and _sha256(*state) != params.sha256:
        raise ParameterError(
            f"another file: sha256 {_sha256(*state)}",
            where=str(path),
            expected=params.sha256,
            hint="use the encoder that the frames or the model were made with",
        )
    return _opened(params, *state)


def _found(params: OnnxEncoder) -> Path:
    """Return the user's file, or the copy in the cache that is named after its hash."""
    path = Path(params.path).expanduser()
    cached = default_cache_dir() / "encoders" / f"{params.sha256}.onnx"
    if not path.is_file() and params.sha256 is not None and cached.is_file():
        return cached
    if not path.is_file():
        also = f", or {cached}" if params.sha256 else ""
        raise ParameterError(
            "no such file",
            where=str(path),
            expected=f"the ONNX file of an encoder{also}",
            hint="paths are relative to the project's folder",
        )
    return path


def _state(path: Path) -> tuple[Path, int, int]:
    state = path.stat()
    return path, state.st_size, state.st_mtime_ns


@functools.lru_cache(maxsize=8)
def _sha256(path: Path, _size: int, _mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@functools.lru_cache(maxsize=2)
def _opened(params: OnnxEncoder, path: Path, _size: int, _mtime_ns: int) -> OnnxWindows:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # tracks run in parallel
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has an exception for each kind of broken file
        what = f"not a usable ONNX file: {str(error).splitlines()[0][:200]}"
        raise ParameterError(what, where=str(path), hint="export the encoder again") from None
    return OnnxWindows(session, params, path)


def _checked_input(session: InferenceSession, n_samples: int, where: str) -> tuple[str, bool]:
    """Return the name of the only input, and whether it has an axis before that of samples."""
    inputs = session.get_inputs()
    axes: list[object] = list(inputs[0].shape) if len(inputs) == 1 else []
    batch = axes[:-1]  # an axis of any size is a name, or None
    one_track = all(axis == 1 or not isinstance(axis, int) for axis in batch)
    if len(axes) not in (1, 2) or inputs[0].type != "tensor(float)" or not one_track:
        shown = ", ".join(f"{one.name}: {one.type} {one.shape}" for one in inputs)
        raise ParameterError(f"takes {shown or 'nothing'}", where=where, expected=INPUT)
    if isinstance(axes[-1], int) and axes[-1] != n_samples:
        raise ParameterError(
            f"takes {axes[-1]} samples, but window * sr is {n_samples}",
            where=where,
            expected=f"a window of {axes[-1]} samples",
            hint="check `window` and `sr`",
        )
    return inputs[0].name, len(axes) == 2
