"""The body of `genredag models`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from genredag.models.catalogue import catalogue, catalogue_table, ids_of
from genredag.params.loading import load_params
from genredag.runtime.backend import configure_backend, installed_backends


def print_catalogue(as_json: bool, ids: bool, published: bool) -> None:
    """Print every learner as a table, as JSON, or only the ids, with or without the published presets."""
    from rich.console import Console

    recipes = load_params(params_file()).models
    if ids:
        print(f"[{', '.join(ids_of(recipes, published))}]")
        return
    counted = bool(installed_backends() or os.environ.get("KERAS_BACKEND"))
    if counted:
        configure_backend(threads=1)
    rows = catalogue(recipes, counted)
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        # A file or a pipe has no width of its own.
        width = None if Console().is_terminal else 200
        Console(width=width).print(catalogue_table(rows))
    if not counted:
        print(
            "Weights are not counted: neither TensorFlow nor JAX is installed. "
            "Hint: pip install 'genredag[tensorflow]'",
            file=sys.stderr,
        )


def params_file() -> Path:
    """Return ``params.yaml`` of the current folder, else of the installed package or its checkout."""
    package = Path(__file__).parents[1]
    candidates = [Path("params.yaml"), package / "params.yaml", package.parents[1] / "params.yaml"]
    return next((path for path in candidates if path.is_file()), candidates[0])
