"""The arithmetic behind Keras: threads and silence, set before it is imported."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from importlib.util import find_spec

from genredag.errors import ParameterError

BACKENDS = ("tensorflow", "jax")


def configure_backend(threads: int) -> None:
    """Set the threads of Keras' backends, OpenMP and BLAS; import Keras.

    TensorFlow computes unless KERAS_BACKEND names another, such as ``jax``; ``~/.keras`` has no say. Sums of
    several threads round differently, so a result belongs to its number of threads. Call it before Keras is
    imported: later it reaches neither backend.

    Raises
    ------
    ParameterError
        KERAS_BACKEND names another backend, or one that isn't installed.
    """
    from threadpoolctl import threadpool_limits

    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if backend not in BACKENDS:
        raise ParameterError(repr(backend), where="KERAS_BACKEND", expected=" or ".join(BACKENDS))
    if find_spec(backend) is None:
        raise ParameterError(
            f"{backend} is not installed", where="KERAS_BACKEND", hint=f"pip install {backend}"
        )
    os.environ.update(
        KERAS_BACKEND=backend,
        NPROC=str(threads),  # JAX's
        TF_NUM_INTRAOP_THREADS=str(threads),
        TF_NUM_INTEROP_THREADS="1",
        OMP_NUM_THREADS=str(threads),
        TF_CPP_MIN_LOG_LEVEL="3",
    )
    with _no_stderr():
        import keras  # noqa: F401
    # NumPy's BLAS read OMP_NUM_THREADS when NumPy was imported, which may have been before.
    threadpool_limits(threads)


@contextlib.contextmanager
def _no_stderr() -> Iterator[None]:
    """Drop what C++ libraries print while they load; no setting of TensorFlow's can."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
