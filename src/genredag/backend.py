"""The arithmetic behind Keras: threads and silence, set before it is imported."""

from __future__ import annotations

import os


def configure_backend(threads: int) -> None:
    """Write the environment variables by which TensorFlow and OpenMP choose their threads.

    Sums of several threads round differently, so a result belongs to its number of threads. Call it before
    Keras is imported: later it has no effect.
    """
    os.environ.update(
        TF_NUM_INTRAOP_THREADS=str(threads),
        TF_NUM_INTEROP_THREADS="1",
        OMP_NUM_THREADS=str(threads),
        TF_CPP_MIN_LOG_LEVEL="3",
    )
