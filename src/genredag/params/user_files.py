"""The state of the user's own weights and encoders, which ``params.yaml`` names."""

from __future__ import annotations

from pathlib import Path

from genredag.params.groups.spectrograms import OnnxEncoder
from genredag.params.schema import Params


def weights_state(params: Params, model: str) -> str:
    """Return name, size and date of the user's own file of a model's weights, or "" if there is none."""
    backbone = params.entry("models", model).backbone
    return _file_state(backbone and backbone.weights_path)


def encoder_state(params: Params, representation: str) -> str:
    """Return name, size and date of the user's own encoder, or "" if the representation has none."""
    group = params.entry("representations", representation)
    return _file_state(Path(group.path) if isinstance(group, OnnxEncoder) else None)


def _file_state(path: Path | None) -> str:
    if not path or not path.is_file():
        return ""
    state = path.stat()
    return f"{path}:{state.st_size}:{state.st_mtime_ns}"
