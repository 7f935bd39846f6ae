"""Precomputed spectrograms, for collections that can share frames but not audio."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from genredag.datasets import gtzan
from genredag.datasets.fetch import file_digest
from genredag.datasets.folder import read_table
from genredag.errors import DataError, ParameterError
from genredag.params.groups.datasets import Spectrograms
from genredag.runtime.files import atomic_path
from genredag.tracks.audio import Probe
from genredag.tracks.manifest import LISTED
from genredag.tracks.precomputed import load_spectrograms

HOMEPAGE = "your own"
LICENSE = "that of your files"
CITATION = "% cite where your files come from\n"
SUBSETS = ("train", "validation", "test")


def list_tracks(params: Spectrograms, *, cache_dir: Path) -> pd.DataFrame:
    """List the tracks of all files. Genre, artist and subset come from the table; for GTZAN's ids, they are
    known.

    Raises
    ------
    DataError
        A file or the table can't be used.
    """
    files = [Path(file) for file in params.given_files()]
    table = None if params.tracks is None else read_tracks(Path(params.tracks))
    paths: dict[str, str] = {}
    shapes = set()
    for file in files:
        if file.suffix == ".npy":
            file = _import_npy(file, table, cache_dir / "spectrograms")
        ids, frames = load_spectrograms(file)
        twice = sorted({track_id for track_id in ids if track_id in paths or ids.count(track_id) > 1})
        if twice:
            raise DataError(f"{twice[0]} is listed twice", where=str(file), expected="each track once")
        paths |= dict.fromkeys(ids, str(file))
        shapes.add(frames.shape[1:])
    if len(shapes) > 1:
        raise DataError(
            f"tracks of {' and '.join(f'{bins} x {length}' for length, bins in sorted(shapes))}",
            where="datasets.spectrograms.files",
            expected="the same number of bins and frames in all files",
        )
    if table is None:
        table = _known_tracks(list(paths))
    # A track of the table without frames is also listed, and will be quarantined.
    places = [paths.get(track_id, params.files[0]) for track_id in table["track_id"]]
    return table.assign(path=places, subgenres=None)[LISTED]


def probe_all(tracks: pd.DataFrame, *, clip_seconds: float, min_seconds: float) -> list[Probe]:
    """Check the frames of each track; a track is silent if all values are equal."""
    probes = {}
    for path in sorted(set(tracks["path"])):
        ids, frames = load_spectrograms(Path(path))
        for track_id, track in zip(ids, frames, strict=True):
            digest = hashlib.sha256(np.ascontiguousarray(track).tobytes()).hexdigest()
            problem = _problem(track, clip_seconds, min_seconds)
            probes[track_id] = Probe(duration=clip_seconds, sha256=digest, problem=problem)
    return [probes.get(track_id, Probe(problem="missing")) for track_id in tracks["track_id"]]


def _problem(frames: np.ndarray, clip_seconds: float, min_seconds: float) -> str:
    if not frames.size or not np.isfinite(frames).all():
        return "unreadable: some values are NaN or infinite" if frames.size else "unreadable: no frames"
    if clip_seconds < min_seconds:
        return f"too short: {clip_seconds:.2f} s"
    return "silent: all values are equal" if frames.min() == frames.max() else ""


def read_tracks(path: Path) -> pd.DataFrame:
    """Read the user's table: track_id, genre, and artist and subset where they are known.

    Raises
    ------
    DataError
        It can't be read, or a split has another name than `SUBSETS`.
    """
    table = read_table(path, required=["track_id", "genre"], optional=["artist", "split"])
    odd = table.loc[~table["split"].isin([*SUBSETS, None]), "split"]
    if not odd.empty:
        raise DataError(
            f"split {odd.iloc[0]!r}", where=f"{path}, line {odd.index[0]}", expected=", ".join(SUBSETS)
        )
    return table.rename(columns={"split": "subset"}).reset_index(drop=True)


def _known_tracks(track_ids: list[str]) -> pd.DataFrame:
    """Take the genre from ids like ``blues.00000``; if they are GTZAN's, the artist and subset too."""
    odd = [track_id for track_id in track_ids if "." not in track_id]
    if odd:
        raise DataError(
            f"{odd[0]!r} contains no genre",
            where="datasets.spectrograms",
            expected="ids like blues.00000",
            hint="set datasets.spectrograms.tracks to a CSV of track_id,genre[,artist][,split]",
        )
    known = gtzan.read_facts().reindex(track_ids).rename_axis("track_id").reset_index()
    return known.assign(genre=known["track_id"].str.split(".").str[0])


def _import_npy(path: Path, table: pd.DataFrame | None, cache_dir: Path) -> Path:
    """Write an array and the ids of its rows to an ``.npz`` file in the cache."""
    if table is None:
        raise ParameterError(
            "an .npy file has no ids",
            where="datasets.spectrograms.tracks",
            expected=f"a CSV with the same rows as {path.name}",
        )
    try:
        frames = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"unreadable: {error}", where=str(path)) from None
    ids = table["track_id"].to_numpy("str")
    key = hashlib.sha256(f"{file_digest(path)} {'|'.join(ids)}".encode()).hexdigest()
    target = cache_dir / f"{key[:16]}.npz"
    if not target.is_file():
        with atomic_path(target) as temporary:
            np.savez(temporary, track_id=ids, frames=frames)
    return target
