"""Precomputed spectrograms: for collections that may share frames, but no audio."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from genredag.atomic import atomic_path
from genredag.audio import Probe
from genredag.datasets import gtzan
from genredag.datasets.fetch import file_digest
from genredag.datasets.folder import read_table
from genredag.datasets.manifest import LISTED
from genredag.errors import DataError, ParameterError
from genredag.params import Spectrograms

HOMEPAGE = "your own"
LICENSE = "that of your files"
CITATION = "% cite where your files come from\n"


def load_spectrograms(path: Path) -> tuple[list[str], np.ndarray]:
    """Read an ``.npz`` of ``track_id`` and one other array: (n_tracks, n_bins, n_frames), low bins first.

    Returns
    -------
    track_ids
        One a track.
    frames
        Shape (n_tracks, n_frames, n_bins): time-major, values and dtype as published.

    Raises
    ------
    DataError
        The file is missing, or holds something else.
    """
    where, expected = str(path), "an .npz with track_id and one array (n_tracks, n_bins, n_frames)"
    if not zipfile.is_zipfile(path):
        raise DataError("not an .npz, or cut", where=where, expected=expected)
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"unreadable: {error}", where=where, expected=expected) from None
    ids = arrays.pop("track_id", None)
    if ids is None or ids.ndim != 1 or len(arrays) != 1:
        raise DataError(f"holds {', '.join(arrays) or 'nothing'}", where=where, expected=expected)
    (frames,) = arrays.values()
    if frames.ndim != 3 or len(frames) != len(ids) or frames.dtype.kind not in "uif":
        raise DataError(f"{len(ids)} ids and an array {frames.shape}", where=where, expected=expected)
    return [str(track_id) for track_id in ids], frames.transpose(0, 2, 1)


def list_tracks(params: Spectrograms, *, cache_dir: Path) -> pd.DataFrame:
    """List the tracks of all files, with genre, artist and subset from the table or, for GTZAN's ids, known.

    Raises
    ------
    DataError
        A file or the table can't be used.
    """
    if not params.files:
        raise ParameterError(
            "no files", where="datasets.spectrograms.files", hint="docs/datasets.md tells the format"
        )
    table = None if params.tracks is None else _read_tracks(Path(params.tracks))
    paths: dict[str, str] = {}
    shapes = set()
    for file in map(Path, params.files):
        if file.suffix == ".npy":
            file = _import_npy(file, table, cache_dir / "spectrograms")
        ids, frames = load_spectrograms(file)
        twice = sorted({track_id for track_id in ids if track_id in paths or ids.count(track_id) > 1})
        if twice:
            raise DataError(f"{twice[0]} stands twice", where=str(file), expected="each track once")
        paths |= dict.fromkeys(ids, str(file))
        shapes.add(frames.shape[1:])
    if len(shapes) > 1:
        raise DataError(
            f"tracks of {' and '.join(f'{bins} x {length}' for length, bins in sorted(shapes))}",
            where="datasets.spectrograms.files",
            expected="as many bins and frames in all files",
        )
    if table is None:
        table = _known_tracks(list(paths))
    # A track of the table that has no frames is listed all the same: it goes to quarantine.
    places = [paths.get(track_id, params.files[0]) for track_id in table["track_id"]]
    return table.assign(path=places, subgenres=None)[LISTED]


def probe_all(tracks: pd.DataFrame, *, clip_seconds: float, min_seconds: float) -> list[Probe]:
    """Look at the frames of each track; a track whose frames are all one value is silent."""
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
        return "unreadable: values that are no numbers" if frames.size else "unreadable: no frames"
    if clip_seconds < min_seconds:
        return f"too short: {clip_seconds:.2f} s"
    return "silent: all values are equal" if frames.min() == frames.max() else ""


def _read_tracks(path: Path) -> pd.DataFrame:
    table = read_table(path, required=["track_id", "genre"], optional=["artist", "split"])
    return table.rename(columns={"split": "subset"}).reset_index(drop=True)


def _known_tracks(track_ids: list[str]) -> pd.DataFrame:
    """Take the genre from ids like ``blues.00000``; if they are GTZAN's, the artist and subset too."""
    odd = [track_id for track_id in track_ids if "." not in track_id]
    if odd:
        raise DataError(
            f"{odd[0]!r} names no genre",
            where="datasets.spectrograms",
            expected="ids like blues.00000",
            hint="set datasets.spectrograms.tracks to a CSV of track_id,genre[,artist][,split]",
        )
    known = gtzan.read_facts().reindex(track_ids).rename_axis("track_id").reset_index()
    return known.assign(genre=known["track_id"].str.split(".").str[0])


def _import_npy(path: Path, table: pd.DataFrame | None, cache_dir: Path) -> Path:
    """Write an array and the ids of its rows as one ``.npz`` into the cache."""
    if table is None:
        raise ParameterError(
            "an .npy holds no ids",
            where="datasets.spectrograms.tracks",
            expected=f"a CSV whose rows are those of {path.name}",
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
