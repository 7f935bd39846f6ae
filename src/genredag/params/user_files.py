"""The user's own files that ``params.yaml`` names, by the state that they are in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from genredag.params.schema import Params


def source_state(params: Params, dataset: str) -> str:
    """Return a fingerprint of the user's own files that a data set is read from, "" if there are none.

    Names, sizes and dates of the files at `path`, `metadata_path`, `files` and `tracks` of its group, and of
    the groups that it mixes.
    """
    given: list[str] = []
    own = params.entry("datasets", dataset).model_dump()
    for group in (own, own.get("gtzan", {}), own.get("fma", {})):
        given += [group[key] for key in ("path", "metadata_path", "tracks") if group.get(key)]
        given += group.get("files", [])
    lines = sorted(line for path in given for line in _file_states(Path(path)))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest() if lines else ""


def weights_state(params: Params, model: str) -> str:
    """Return name, size and date of the user's own file that a model's weights come from, "" without one."""
    backbone = params.entry("models", model).backbone
    path = backbone and backbone.weights_path
    return "".join(_file_states(path)) if path else ""


def _file_states(path: Path) -> Iterator[str]:
    for file in [path] if path.is_file() else sorted(path.rglob("*")):
        state = file.stat()
        if file.is_file():
            yield f"{file}:{state.st_size}:{state.st_mtime_ns}"
