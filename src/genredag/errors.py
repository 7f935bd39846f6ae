"""What can go wrong for a user, said in one line: where, what, what was expected, a hint."""

from __future__ import annotations

import errno
import functools
import os
import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import ParamSpec

P = ParamSpec("P")

EXIT_USER_ERROR = 2
# The extra of genredag that installs each optional dependency.
EXTRAS = {
    "dvc": "workflow",
    "jax": "jax",
    "jinja2": "report",
    "matplotlib": "report",
    "packaging": "workflow",
    "seaborn": "report",
    "snakemake": "workflow",
    "statsmodels": "report",
    "tensorflow": "tensorflow",
}


class GenredagError(Exception):
    """A mistake that a user can mend.

    Parameters
    ----------
    what
        What is wrong, with the offending value.
    where
        The file, the key of ``params.yaml`` or the track concerned.
    expected
        What would have been right.
    hint
        What to do about it.
    """

    def __init__(self, what: str, *, where: str = "", expected: str = "", hint: str = "") -> None:
        self.what, self.where, self.expected, self.hint = what, where, expected, hint
        super().__init__(str(self))

    def __str__(self) -> str:
        line = f"{self.where}: {self.what}" if self.where else self.what
        if self.expected:
            line += f"; expected {self.expected}"
        if self.hint:
            line += f"{'' if line.endswith('?') else '.'} Hint: {self.hint}"
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
    """Check that optional dependencies are installed, before work that runs them as programs.

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
    errno.EFBIG: "the file would be larger than this system allows: raise the limit (ulimit -f)",
    errno.EACCES: "check the permissions of that folder, or choose another",
    errno.EPERM: "check the permissions of that folder, or choose another",
    errno.EROFS: "that file system is read-only: choose another folder",
    errno.ENOTDIR: "a file stands where a folder is needed: move it away",
    errno.EEXIST: "something stands where an output goes: move it away",
    errno.EISDIR: "a folder stands where a file is needed: move it away",
    errno.ENOENT: "check the path; stages run in order with `snakemake` or `dvc exp run`",
}


def exits_cleanly(main: Callable[P, None]) -> Callable[P, None]:
    """Turn a user's mistake into one line on stderr and exit status 2; let bugs keep their traceback."""

    @functools.wraps(main)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            main(*args, **kwargs)
        except GenredagError as error:
            _exit(str(error))
        except ModuleNotFoundError as error:
            module = (error.name or "").partition(".")[0]
            if module not in EXTRAS:
                raise
            _exit(str(MissingExtraError(module)))
        except OSError as error:
            if isinstance(error, FileNotFoundError) and error.errno is None:  # pyarrow's
                error = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), *error.args)
            if error.errno not in _OS_HINTS or (error.filename is None and error.errno != errno.ENOSPC):
                raise
            _exit(f"{error.filename or 'disk'}: {error.strerror}. Hint: {_OS_HINTS[error.errno]}")

    return wrapper


def _exit(line: str) -> None:
    print(f"genredag: error: {line}", file=sys.stderr)
    sys.exit(EXIT_USER_ERROR)
