"""Fingerprints of the user's own files that ``params.yaml`` names."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from genredag.params.schema import Params
from genredag.runtime.folders import Found, walk_folder


def source_state(params: Params, dataset: str) -> str:
    """Return a fingerprint of the user's own files that a data set is read from, or "" if there are none.

    It covers names, sizes and modification times of the files at `path`, `metadata_path`, `files` and
    `tracks` in the group of the data set and in the groups that it mixes.
    """
    paths: list[str] = []
    own = params.entry("datasets", dataset).model_dump()
    for group in (own, own.get("gtzan", {}), own.get("fma", {})):
        paths += [group[key] for key in ("path", "metadata_path", "tracks") if group.get(key)]
        paths += group.get("files", [])
    lines = sorted(line for path in paths for line in _file_states(Path(path)))
    return hashlib.sha256(os.fsencode("\n".join(lines))).hexdigest() if lines else ""


def songs_state(params: Params) -> str:
    """Return a fingerprint of the files at ``external_songs.path``, or "" without any."""
    path = params.external_songs.path
    lines = sorted(_file_states(Path(path))) if path else []
    return hashlib.sha256("\n".join(lines).encode()).hexdigest() if lines else ""


def weights_state(params: Params, model: str) -> str:
    """Return name, size and date of the user's own file of a model's weights, or "" if there is none."""
    backbone = params.entry("models", model).backbone
    path = backbone and backbone.weights_path
    return "".join(_file_states(path)) if path else ""


def _file_states(path: Path) -> Iterator[str]:
    found = [Found(path)] if path.is_file() else walk_folder(path) if path.is_dir() else []
    for file in found:
        if not file.problem:
            state = file.path.stat()
            yield f"{file.path}:{state.st_size}:{state.st_mtime_ns}"
