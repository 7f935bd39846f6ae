"""genredag: a reproducible data pipeline for music genre recognition."""

from importlib import import_module
from typing import Any

# What `genredag` offers, and the module that defines it, which is imported at the first use.
_MODULES = {
    "evaluate": "genredag.prediction.external",
    "load": "genredag.prediction.classifier",
    "song_figure": "genredag.prediction.plots",
}
__all__ = ["evaluate", "load", "song_figure"]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
