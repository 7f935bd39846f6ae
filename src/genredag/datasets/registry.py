"""The registry of data sets, and the function that builds a manifest from a name."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from genredag.datasets import MODULE_NAMES, fma, folder, gtzan, gtzan_fma, spectrograms, synthetic
from genredag.datasets.shards import read_listing, read_probes
from genredag.params.groups.datasets import Download
from genredag.runtime.folders import user_path
from genredag.tracks import audio
from genredag.tracks.manifest import (
    LEFT_OUT,
    assemble,
    check_usable,
    log_left_out,
    stored_path,
    track_path,
)

logger = logging.getLogger(__name__)

# Each module describes its data (HOMEPAGE, LICENSE, CITATION) and lists its tracks (list_tracks).
MODULES = {name: sys.modules[module] for name, module in MODULE_NAMES.items()}
PATH_KEYS = ("path", "metadata_path", "files", "tracks")


def build_manifest(
    name: str, group: Any, download: Download, cache_dir: Path, n_jobs: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Get a data set, decode each of its tracks once, and describe it.

    Parameters
    ----------
    name
        A key of ``datasets`` in ``params.yaml``.
    group
        Its values. Relative paths start in the project's folder: see `user_path`.
    download
        The download options, including the checks of tracks.
    cache_dir
        Where downloads and synthetic audio are kept.
    n_jobs
        Number of parallel decoding processes.

    Returns
    -------
    manifest
        See `manifest.assemble`.
    left_out
        What the user's folder contains besides tracks: columns `manifest.LEFT_OUT`. Other sets have none.

    Raises
    ------
    GenredagError
        The data set is unknown, can't be obtained, or too little of it is usable.
    """
    listing = list_tracks(name, group, download, cache_dir, n_jobs)
    probes = probe_tracks(name, listing.tracks, group, download, cache_dir, n_jobs)
    return _described(name, listing, probes, download)


def join_manifest(
    name: str, tracks: Path, probes: Sequence[Path], download: Download
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what `build_manifest` returns, from the files of `write_listing` and `write_probes`."""
    listing = read_listing(tracks)
    return _described(name, listing, read_probes(probes, listing.tracks), download)


def list_tracks(name: str, group: Any, download: Download, cache_dir: Path, n_jobs: int) -> folder.Listing:
    """Get a data set and list its tracks, with paths as a manifest stores them; see `build_manifest`."""
    cache_dir = _absolute(cache_dir)
    group = _resolved(group)
    if name == "folder":
        listing = folder.list_tracks(group)
        tracks, left_out = listing.tracks, listing.left_out
    else:
        tracks = _list_tracks(name, group, download, cache_dir, n_jobs).assign(problem="")
        left_out = pd.DataFrame(columns=LEFT_OUT)
    log_left_out(name, left_out)
    paths = [stored_path(track_path(path, cache_dir), cache_dir) for path in tracks["path"]]
    return folder.Listing(tracks.assign(path=paths), left_out)


def probe_tracks(
    name: str, tracks: pd.DataFrame, group: Any, download: Download, cache_dir: Path, n_jobs: int
) -> list[audio.Probe]:
    """Decode tracks, which `list_tracks` listed, once; the other parameters are those of `build_manifest`."""
    paths = [track_path(path, _absolute(cache_dir)) for path in tracks["path"]]
    if name == "spectrograms":
        return spectrograms.probe_all(
            tracks.assign(path=[str(path) for path in paths]),
            clip_seconds=group.clip_seconds,
            min_seconds=download.min_seconds,
        )
    return _probe_audio(paths, tracks["problem"], download, n_jobs)


def _described(
    name: str, listing: folder.Listing, probes: Sequence[audio.Probe], download: Download
) -> tuple[pd.DataFrame, pd.DataFrame]:
    manifest = assemble(listing.tracks, probes)
    check_usable(manifest, name=name, max_skipped=download.max_skipped)
    # pandas keeps these in Parquet, so that a model card can name them without this package.
    about = MODULES[name]
    manifest.attrs = {"homepage": about.HOMEPAGE, "license": about.LICENSE, "citation": about.CITATION}
    n_usable = int((manifest["status"] == "ok").sum())
    logger.info("%s: %d tracks of %d genres", name, n_usable, manifest["genre"].nunique())
    return manifest, listing.left_out


def _probe_audio(
    paths: Sequence[Path], problems: Iterable[str], download: Download, n_jobs: int
) -> list[audio.Probe]:
    """Probe the files that have no problem yet."""
    limits = {"min_seconds", "silence_db", "max_megabytes", "max_decoding_seconds"}
    known = [audio.Probe(problem=problem) for problem in problems]
    open_paths = [path for path, probe in zip(paths, known, strict=True) if not probe.problem]
    found = iter(audio.probe_all(open_paths, **download.model_dump(include=limits), n_jobs=n_jobs))
    return [probe if probe.problem else next(found) for probe in known]


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
        case "spectrograms":
            return spectrograms.list_tracks(group, cache_dir=cache_dir)
    raise ValueError(f"no data set is called {name!r}")


def _absolute(cache_dir: Path) -> Path:
    return Path(cache_dir).expanduser().resolve()


def _resolved(group: Any) -> Any:
    """Make the user's paths absolute."""
    update: dict[str, Any] = {}
    for key in PATH_KEYS:
        value = getattr(group, key, None)
        if isinstance(value, str):
            update[key] = str(user_path(value))
        elif isinstance(value, list):
            update[key] = [str(user_path(item)) for item in value]
    return group.model_copy(update=update)
