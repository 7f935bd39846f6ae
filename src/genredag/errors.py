"""Errors that users can correct. Each prints as one line: where, what, what was expected, a hint."""

from __future__ import annotations

import errno
import functools
import os
import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import ParamSpec

P = ParamSpec("P")

# Exit statuses: an error that the user can correct; a data set that lacks something that was requested.
EXIT_USER_ERROR = 2
EXIT_UNSUITABLE = 3
EXIT_INTERRUPTED = 130  # as shells have it: 128 and the number of the signal

_PREFIX = "genredag: error: "
_EXPECTED = "; expected "
_HINT = " Hint: "
# The extra of genredag that installs each optional dependency.
EXTRAS = {
    "anyio": "app",
    "cleanlab": "report",
    "dvc": "workflow",
    "fastapi": "app",
    "jax": "jax",
    "jinja2": "report",
    "keras": "tensorflow",
    "matplotlib": "report",
    "mutagen": "predict",
    "onnx": "export",
    "onnxruntime": "predict",
    "packaging": "workflow",
    "seaborn": "report",
    "skl2onnx": "export",
    "snakemake": "workflow",
    "starlette": "app",
    "statsmodels": "report",
    "tensorflow": "tensorflow",
    "tf2onnx": "export",
    "uvicorn": "app",
}


class GenredagError(Exception):
    """An error that a user can correct.

    Parameters
    ----------
    what
        What is wrong, with the offending value.
    where
        The file, the key of ``params.yaml`` or the track concerned.
    expected
        What was expected instead.
    hint
        How to fix it.

    Attributes
    ----------
    exit_status
        Exit status of a script that ends with this error.
    """

    exit_status = EXIT_USER_ERROR

    def __init__(self, what: str, *, where: str = "", expected: str = "", hint: str = "") -> None:
        self.what, self.where, self.expected, self.hint = what, where, expected, hint
        super().__init__(str(self))

    def __str__(self) -> str:
        line = f"{self.where}: {self.what}" if self.where else self.what
        if self.expected:
            line += f"{_EXPECTED}{self.expected}"
        if self.hint:
            line += f"{'' if line.endswith('?') else '.'}{_HINT}{self.hint}"
        return " ".join(line.split())

    def __reduce__(self) -> tuple:
        return (functools.partial(type(self), self.what, **self._details()), ())

    def _details(self) -> dict[str, str]:
        return {"where": self.where, "expected": self.expected, "hint": self.hint}


class ParameterError(GenredagError):
    """A value of ``params.yaml`` or of the command line is unusable."""


class DataError(GenredagError):
    """Audio, an archive, a manifest or a file made from them is unusable."""


class ModelError(GenredagError):
    """A model can't be built, trained, loaded or applied."""


class UnsuitableDataError(DataError):
    """The data set is intact but lacks something requested: artists, a listed split, or enough tracks."""

    exit_status = EXIT_UNSUITABLE


class SlicesTooSmallError(ModelError):
    """The model needs larger slices than the data set and the parameters provide."""

    exit_status = EXIT_UNSUITABLE


class MissingExtraError(GenredagError):
    """An optional dependency is not installed.

    Parameters
    ----------
    module
        A key of `EXTRAS`.
    """

    def __init__(self, module: str) -> None:
        self.module = module
        super().__init__(f"{module} is not installed", hint=f"pip install 'genredag[{EXTRAS[module]}]'")

    def __reduce__(self) -> tuple:
        return (type(self), (self.module,))


def require(*modules: str) -> None:
    """Check that optional dependencies are installed, before starting work that runs them as programs.

    Raises
    ------
    MissingExtraError
        One of them is missing.
    """
    for module in modules:
        if find_spec(module) is None:
            raise MissingExtraError(module)


_OS_HINTS = {
    errno.ENOSPC: "free some disk space, or move data/ and results/ to a larger disk",
    errno.EDQUOT: "your quota is used up: free some disk space, or move data/ and results/ to another disk",
    errno.EFBIG: "the file would be larger than this system allows: raise the limit (ulimit -f)",
    errno.EACCES: "check the permissions of that folder, or choose another",
    errno.EPERM: "check the permissions of that folder, or choose another",
    errno.EROFS: "that file system is read-only: choose another folder",
    errno.ENOTDIR: "a file exists where a folder is needed: move it",
    errno.EEXIST: "something already exists at the output path: move it",
    errno.EISDIR: "a folder exists where a file is needed: move it",
    errno.ENOENT: "check the path; stages run in order with `snakemake` or `dvc exp run`",
    errno.ENAMETOOLONG: "shorten the name: most file systems allow 255 bytes",
}

_MEMORY_HINT = (
    "run fewer jobs at once (snakemake --cores 1), close other programs, or lower batch_size of the model"
)


def exits_cleanly(main: Callable[P, None]) -> Callable[P, None]:
    """Print a `GenredagError` as one line on stderr and exit with its status; bugs keep their traceback.

    The status is `EXIT_UNSUITABLE` if the data set lacks something that was requested, and `EXIT_USER_ERROR`
    for all other errors, including files that can't be read or written. Ctrl-C ends in one line, too.
    """

    @functools.wraps(main)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            main(*args, **kwargs)
        except GenredagError as error:
            _exit(str(error), error.exit_status)
        except KeyboardInterrupt:
            print("genredag: interrupted", file=sys.stderr)
            sys.exit(EXIT_INTERRUPTED)
        except Exception as error:
            _exit_if_known(error)
            raise

    return wrapper


def _exit_if_known(error: Exception) -> None:
    """Exit with one line if an error of the system or of a library is one that users can correct."""
    if _is_out_of_memory(error):
        _exit(f"out of memory: {str(error) or 'no details'}. Hint: {_MEMORY_HINT}")
    if isinstance(error, ModuleNotFoundError):
        module = (error.name or "").partition(".")[0]
        if module in EXTRAS:
            _exit(str(MissingExtraError(module)))
    if isinstance(error, FileNotFoundError) and error.errno is None:  # from pyarrow
        error = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), *error.args)
    if not isinstance(error, OSError) or error.errno not in _OS_HINTS:
        return
    if error.filename is not None or error.errno == errno.ENOSPC:
        _exit(f"{error.filename or 'disk'}: {error.strerror}. Hint: {_OS_HINTS[error.errno]}")


def _is_out_of_memory(error: BaseException | None) -> bool:
    """Whether an error, or one that led to it, says that the system gives no more memory.

    TensorFlow, JAX and the loader of shared libraries have errors of their own for that.
    """
    if error is None:
        return False
    text = str(error)
    return (
        isinstance(error, MemoryError)
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        or type(error).__name__ == "ResourceExhaustedError"
        or text.startswith("RESOURCE_EXHAUSTED")
        or (isinstance(error, ImportError) and "failed to map segment" in text)
        or _is_out_of_memory(error.__cause__)
    )


def reported_error(stderr: str) -> str:
    """Return the last error that `exits_cleanly` wrote to the stderr of a script, or "" if there is none."""
    lines = [line for line in stderr.splitlines() if line.startswith(_PREFIX)]
    return lines[-1].removeprefix(_PREFIX) if lines else ""


def without_remedy(error: str) -> str:
    """Return a printed `GenredagError` without what was expected and without the hint."""
    return error.partition(_EXPECTED)[0].partition(_HINT)[0].removesuffix(".")


def _exit(line: str, status: int = EXIT_USER_ERROR) -> None:
    text = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in line)
    print(f"{_PREFIX}{text}", file=sys.stderr)
    sys.exit(status)
