"""The state of the user's own weights, which ``params.yaml`` names."""

from __future__ import annotations

from genredag.params.schema import Params


def weights_state(params: Params, model: str) -> str:
    """Return name, size and date of the user's own file of a model's weights, or "" if there is none."""
    backbone = params.entry("models", model).backbone
    path = backbone and backbone.weights_path
    if not path or not path.is_file():
        return ""
    state = path.stat()
    return f"{path}:{state.st_size}:{state.st_mtime_ns}"
