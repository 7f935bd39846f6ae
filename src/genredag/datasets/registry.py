"""The registry of data sets, and the function that builds a manifest from a name."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from genredag.datasets import MODULE_NAMES, fma, folder, gtzan, gtzan_fma, spectrograms, synthetic
from genredag.params.groups.datasets import Download
from genredag.tracks import audio
from genredag.tracks.manifest import assemble, check_usable, stored_path, track_path

logger = logging.getLogger(__name__)

# Each module describes its data (HOMEPAGE, LICENSE, CITATION) and lists its tracks (list_tracks).
MODULES = {name: sys.modules[module] for name, module in MODULE_NAMES.items()}
PATH_KEYS = ("path", "metadata_path", "files", "tracks")


def build_manifest(name: str, group: Any, download: Download, cache_dir: Path, n_jobs: int) -> pd.DataFrame:
    """Get a data set, decode each of its tracks once, and return its manifest (see `manifest.assemble`).

    Parameters
    ----------
    name
        A key of ``datasets`` in ``params.yaml``.
    group
        Its values. Relative paths are resolved against the working directory.
    download
        The download options, including the checks of tracks.
    cache_dir
        Where downloads and synthetic audio are kept.
    n_jobs
        Number of parallel decoding processes.

    Raises
    ------
    GenredagError
        The data set is unknown, can't be obtained, or too little of it is usable.
    """
    cache_dir = Path(cache_dir).expanduser().resolve()
    group = _resolved(group)
    tracks = _list_tracks(name, group, download, cache_dir, n_jobs)
    paths = [track_path(path, cache_dir) for path in tracks["path"]]
    if name == "spectrograms":
        probes = spectrograms.probe_all(
            tracks, clip_seconds=group.clip_seconds, min_seconds=download.min_seconds
        )
    else:
        probes = audio.probe_all(
            paths, min_seconds=download.min_seconds, silence_db=download.silence_db, n_jobs=n_jobs
        )
    tracks["path"] = [stored_path(path, cache_dir) for path in paths]
    manifest = assemble(tracks, probes)
    check_usable(manifest, name=name, max_skipped=download.max_skipped)
    # pandas keeps these in Parquet, so that a model card can name them without this package.
    about = MODULES[name]
    manifest.attrs = {"homepage": about.HOMEPAGE, "license": about.LICENSE, "citation": about.CITATION}
    logger.info("%s: %d tracks of %d genres", name, len(manifest), manifest["genre"].nunique())
    return manifest


def _list_tracks(name: str, group: Any, download: Download, cache_dir: Path, n_jobs: int) -> pd.DataFrame:
    common: Any = {"download": download, "cache_dir": cache_dir}
    match name:
        case "synthetic":
            return synthetic.list_tracks(group, cache_dir=cache_dir, n_jobs=n_jobs)
        case "gtzan":
            return gtzan.list_tracks(group, **common)
        case "fma_small" | "fma_medium":
            tracks = fma.list_tracks(group, subset=name.removeprefix("fma_"), **common)
            return tracks.dropna(subset="genre")
        case "gtzan_fma":
            both = {"gtzan": _resolved(group.gtzan), "fma": _resolved(group.fma)}
            return gtzan_fma.list_tracks(group.model_copy(update=both), **common)
        case "folder":
            return folder.list_tracks(group)
        case "spectrograms":
            return spectrograms.list_tracks(group, cache_dir=cache_dir)
    raise NotImplementedError(name)


def _resolved(group: Any) -> Any:
    """Make the user's paths absolute."""
    update: dict[str, Any] = {}
    for key in PATH_KEYS:
        value = getattr(group, key, None)
        if isinstance(value, str):
            update[key] = str(Path(value).expanduser().resolve())
        elif isinstance(value, list):
            update[key] = [str(Path(item).expanduser().resolve()) for item in value]
    return group.model_copy(update=update)
