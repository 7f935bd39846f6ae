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

    Sums of several threads round differently, so a result belongs to its number of threads. Call it before
    Keras is imported: later it reaches neither backend. `choose_backend` says which backend computes.

    Raises
    ------
    ParameterError
        KERAS_BACKEND names another backend, or one that isn't installed; or none is installed.
    """
    from threadpoolctl import threadpool_limits

    choose_backend()
    os.environ.update(
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


def choose_backend() -> None:
    """Set KERAS_BACKEND, which Keras reads when it is imported.

    TensorFlow computes, or JAX where only that is installed, unless KERAS_BACKEND names one of them;
    ``~/.keras`` has no say.

    Raises
    ------
    ParameterError
        KERAS_BACKEND names another backend, or one that isn't installed; or none is installed.
    """
    backend = os.environ.get("KERAS_BACKEND") or next(iter(installed_backends()), "")
    if not backend:
        raise ParameterError(
            "neither TensorFlow nor JAX is installed",
            hint="pip install 'genredag[tensorflow]' or 'genredag[jax]'",
        )
    if backend not in BACKENDS:
        raise ParameterError(repr(backend), where="KERAS_BACKEND", expected=" or ".join(BACKENDS))
    if find_spec(backend) is None:
        raise ParameterError(
            f"{backend} is not installed", where="KERAS_BACKEND", hint=f"pip install 'genredag[{backend}]'"
        )
    os.environ["KERAS_BACKEND"] = backend


def installed_backends() -> list[str]:
    """Return the backends that are installed, the preferred one first."""
    return [name for name in BACKENDS if find_spec(name) is not None]


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
