"""The Keras backend: its choice, threads, memory and log level, set before Keras is imported; its batches."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import os
import platform
import sys
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from genredag.errors import ParameterError

if TYPE_CHECKING:
    import keras
    import tensorflow

BACKENDS = ("tensorflow", "jax")
# Instructions that multiply in bfloat16, and where Linux names those of the processor.
_BFLOAT16, _PROCESSORS = {"amx_bf16", "avx512_bf16"}, Path("/proc/cpuinfo")
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4  # as in glibc's malloc.h


def configure_backend(threads: int, keep_memory: bool = True) -> None:
    """Set the threads of Keras' backends and what `limit_threads` sets; import Keras.

    Call this before Keras is imported; afterwards it has no effect on either backend, which `choose_backend`
    selects.

    Parameters
    ----------
    keep_memory
        Whether to call `keep_freed_memory`.

    Raises
    ------
    ParameterError
        KERAS_BACKEND names an unsupported backend or one that isn't installed, or none is installed.
    """
    choose_backend()
    if keep_memory:
        keep_freed_memory()
    os.environ.update(
        NPROC=str(threads),  # for JAX
        TF_NUM_INTRAOP_THREADS=str(threads),
        TF_NUM_INTEROP_THREADS="1",
        TF_CPP_MIN_LOG_LEVEL="3",
        OMP_NUM_THREADS=str(threads),
    )
    with _no_stderr(), _quick_imports():
        import keras  # noqa: F401
    limit_threads(threads)


def limit_threads(threads: int) -> None:
    """Set the threads of OpenMP and BLAS, which scikit-learn and NumPy use.

    Results depend on the number of threads, because sums over several threads round differently.
    """
    from threadpoolctl import threadpool_limits

    os.environ["OMP_NUM_THREADS"] = str(threads)
    # If NumPy was already imported, its BLAS has read the old OMP_NUM_THREADS.
    threadpool_limits(threads)


@functools.cache
def keep_freed_memory() -> None:
    """Let the process keep memory that it frees, for later allocations.

    glibc returns the memory of a large array to the system as soon as the array is freed. Each training step
    and each track makes such arrays anew, and the system clears their pages again, which took a quarter of
    the processor time of a CRNN, and an eighth of that of rendering. Other C libraries are left as they are.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    for option, value in ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, 2**31 - 1), (_M_TOP_PAD, 2**26)):
        libc.mallopt(option, value)


def choose_backend() -> None:
    """Set KERAS_BACKEND, which Keras reads when it is imported.

    TensorFlow is used if it is installed, else JAX, unless KERAS_BACKEND names one of them. ``~/.keras`` is
    ignored.

    Raises
    ------
    ParameterError
        KERAS_BACKEND names an unsupported backend or one that isn't installed, or none is installed.
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


def settled_precision(precision: str) -> str:
    """Return a precision of networks; for ``"auto"``, the one that this machine should train in.

    This is mixed_bfloat16 if TensorFlow runs on a processor that multiplies in bfloat16 and says so (x86,
    Linux); otherwise float32. Import Keras first.
    """
    if precision != "auto":
        return precision
    import keras

    found = keras.backend.backend() == "tensorflow" and not _BFLOAT16.isdisjoint(_processor_flags())
    return "mixed_bfloat16" if found else "float32"


def _processor_flags() -> set[str]:
    """Return the capabilities of the processor as Linux on x86 lists them; none elsewhere."""
    try:
        lines = _PROCESSORS.read_text().splitlines()
    except OSError:
        return set()
    return next((set(line.split()) for line in lines if line.startswith("flags")), set())


def installed_backends() -> list[str]:
    """Return the backends that are installed, the preferred one first."""
    return [name for name in BACKENDS if find_spec(name) is not None]


@contextlib.contextmanager
def fed(*parts: keras.utils.PyDataset) -> Iterator[list[keras.utils.PyDataset | tensorflow.data.Dataset]]:
    """Yield the batches of each part in the form in which the backend trains on them fastest.

    Keras gives TensorFlow a data set with autotuning. In a process with one processor, TensorFlow 2.21 often
    waits at the end of an epoch for the autotuner, which sleeps for periods that double up to a minute. The
    data sets yielded here have no autotuner. Each epoch reads the batches again, in order.

    TensorFlow makes batches in a thread of its own. An error there leaves the block as it was raised, not
    within one of TensorFlow's. The block ends when the batch that is being made is done, whatever interrupts
    arrive in the meantime: at the end of the process, TensorFlow would wait for ever for a thread that Python
    has stopped.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        yield list(parts)
        return
    from tensorflow.errors import OpError

    makers = [_Maker(batches) for batches in parts]
    try:
        yield [maker.dataset() for maker in makers]
    except OpError:
        for maker in makers:
            if maker.error:
                raise maker.error from None
        raise
    finally:
        for maker in makers:
            maker.stopped = True
        for maker in makers:
            maker.wait()


class _Maker:
    """Makes batches for TensorFlow until it is stopped, and keeps an error that ends this."""

    def __init__(self, batches: keras.utils.PyDataset) -> None:
        self.batches = batches
        self.error: Exception | None = None
        self.stopped = False
        self._busy = threading.Lock()

    def dataset(self) -> tensorflow.data.Dataset:
        import tensorflow

        options = tensorflow.data.Options()
        options.autotune.enabled = False
        signature = tuple(
            tensorflow.TensorSpec((None, *part.shape[1:]), part.dtype) for part in self.batches[0]
        )
        found = tensorflow.data.Dataset.from_generator(self._in_order, output_signature=signature)
        counted = found.apply(tensorflow.data.experimental.assert_cardinality(len(self.batches)))
        return counted.prefetch(1).with_options(options)

    def wait(self) -> None:
        """Wait for the batch that is being made, if any."""
        while True:
            with contextlib.suppress(KeyboardInterrupt), self._busy:
                return

    def _in_order(self) -> Iterator[object]:
        for index in range(len(self.batches)):
            with self._busy:
                if self.stopped:
                    return
                try:
                    batch = self.batches[index]
                except Exception as error:
                    self.error = error
                    raise
            yield batch


@contextlib.contextmanager
def _no_stderr() -> Iterator[None]:
    """Discard what C++ libraries print while they load; TensorFlow has no setting for it."""
    saved = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


@contextlib.contextmanager
def _quick_imports() -> Iterator[None]:
    """Import TensorFlow sooner: collect no garbage, and hide JAX, which it would import too.

    What was imported is left out of later collections.
    """
    if "keras" in sys.modules:
        yield
        return
    hidden = {"jax"} - {os.environ["KERAS_BACKEND"]} - sys.modules.keys()
    collected = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        for name in hidden:
            sys.modules[name] = None  # type: ignore[assignment]
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
        gc.freeze()
        if collected:
            gc.enable()
