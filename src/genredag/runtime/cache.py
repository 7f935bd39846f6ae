"""The user's cache: downloads, synthetic audio and more, shared by checkouts and runners."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from genredag.runtime.files import write_npy


def default_cache_dir() -> Path:
    """Return ``$GENREDAG_CACHE`` or the platform's cache folder for genredag."""
    import os

    import platformdirs

    return Path(os.environ.get("GENREDAG_CACHE") or platformdirs.user_cache_path("genredag"))


def cached_array(
    name: str, arguments: Sequence[float | str], packages: Sequence[str], compute: Callable[[], np.ndarray]
) -> np.ndarray:
    """Return an array that takes long to compute, if only because of imports, from the user's cache.

    Parameters
    ----------
    name, arguments
        What the array is, and the arguments that determine it.
    packages
        The installed packages that compute it; with another version, it is computed again.
    compute
        Computes the array, if it isn't in the cache. A cache that can't be read or written is ignored.
    """
    key = json.dumps([*arguments, *(f"{package} {version(package)}" for package in packages)])
    path = default_cache_dir() / "arrays" / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.npy"
    with contextlib.suppress(OSError, ValueError):
        return np.load(path, allow_pickle=False)
    array = compute()
    with contextlib.suppress(OSError):
        write_npy(path, array)
    return array
