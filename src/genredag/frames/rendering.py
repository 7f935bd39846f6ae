"""Rendering of the usable tracks of a manifest, and of shifted copies of them, into a frame store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from genredag.errors import DataError, ParameterError
from genredag.frames.store import FrameSpec
from genredag.frames.track import track_frames
from genredag.params.groups.base import Group
from genredag.params.groups.spectrograms import Rendering, Shift
from genredag.runtime.backend import keep_freed_memory
from genredag.runtime.files import atomic_path, write_json, write_parquet
from genredag.runtime.progress import progress
from genredag.spectrograms.pitch_and_tempo import shifted
from genredag.spectrograms.registry import describe, known
from genredag.tracks.audio import decode
from genredag.tracks.precomputed import load_spectrograms
from genredag.tracks.shards import WHOLE, Shard

# Of audio. Rendering less than this is faster than starting processes that import librosa.
MIN_PARALLEL_SECONDS = 5_000.0

# Maps the samples of a track and their sample rate to other samples.
Change = Callable[[np.ndarray, int], np.ndarray]

EMPTIED_CACHE_HINT = (
    "the cache folder was emptied: rerun the download stage, without the runner's cache (snakemake "
    "--workflow-profile none --cores 1 -F data/<dataset>/manifest.parquet, or dvc repro -f download)"
)


def plan(name: str, group: Group, rendering: Rendering) -> FrameSpec:
    """Return the spec of a store without tracks.

    Raises
    ------
    ParameterError
        The representation can't be computed at this sample rate, or can't be stored as uint8.
    """
    description = describe(name, group, rendering.sr)
    offset, step = 0.0, 1.0
    if rendering.dtype == "uint8":
        floor = description["floor"]
        if description["unit"] != "dB" or isinstance(floor, list):
            raise ParameterError(
                f"uint8 can't hold {name}: it has 256 values, for decibels",
                where="spectrograms.dtype",
                expected="float16",
            )
        offset, step = floor, -floor / 255
    return FrameSpec(
        representation=name,
        n_tracks=0,
        total_frames=0,
        dtype=rendering.dtype,
        offset=offset,
        step=step,
        params=known(name).recorded(group).model_dump(),
        sr=rendering.sr,
        shifts=[shift.name for shift in rendering.shifts],
        **description,
    )


def render(
    manifest: pd.DataFrame,
    name: str,
    group: Group,
    rendering: Rendering,
    *,
    cache_dir: Path,
    out_dir: Path,
    n_jobs: int,
    shard: Shard = WHOLE,
) -> FrameSpec:
    """Render the usable tracks of a manifest, or a shard of them, and write the frame store into `out_dir`.

    Shifted copies come after all tracks, so that tracks have the same rows and bytes with and without copies.
    The bytes do not depend on `n_jobs`. Memory does not grow with the number of tracks.

    Shards share out tracks and copies alike. Precomputed spectrograms take no work and have one floor, so the
    first shard holds all of them.

    Raises
    ------
    ParameterError
        The representation can't be computed or stored with these parameters, or there is no audio to shift.
    DataError
        There is no usable track, the file of a track is missing, or a value can't be stored.
    """
    tracks = manifest[manifest["status"] == "ok"]
    if tracks.empty:
        raise DataError("no usable track", where="manifest", hint="see quarantine.csv for the reasons")
    spec = plan(name, group, rendering)
    tracks = with_shifted_copies(tracks, rendering.shifts)
    precomputed = (tracks["sr"] == 0).all()
    if precomputed and rendering.shifts:
        raise ParameterError("no audio to shift", where="spectrograms.shifts", expected="[]")
    if precomputed and shard.number == 1:
        spec, blocks = _precomputed(tracks, spec, cache_dir)
    else:
        tracks = tracks.iloc[:0] if precomputed else tracks.iloc[shard.rows(len(tracks))]
        changes = [shift and partial(shifted, shift=shift) for shift in tracks["shift"]]
        blocks = render_tracks(tracks, changes, spec, cache_dir=cache_dir, n_jobs=n_jobs)
    blocks = progress(blocks, f"rendering {name}", total=len(tracks))
    n_frames = _write_frames(out_dir / "frames.npy", blocks, spec)
    spec = replace(spec, n_tracks=len(tracks), total_frames=sum(n_frames))
    write_parquet(out_dir / "frames.parquet", frame_index(tracks, n_frames))
    write_json(out_dir / "frames.json", asdict(spec))
    return spec


def with_shifted_copies(tracks: pd.DataFrame, shifts: Sequence[Shift]) -> pd.DataFrame:
    """Return `tracks`, followed by shifted copies of all of them, shift by shift.

    New columns are `parent`, the id of a copy's original, and `shift`. Both are null for originals.
    """
    groups = [tracks.assign(parent=pd.Series(pd.NA, tracks.index, "str"), shift=None)]
    for shift in shifts:
        copies = tracks.assign(
            parent=tracks["track_id"], shift=pd.Series([shift] * len(tracks), tracks.index)
        )
        copies["track_id"] += f"~{shift.name}"
        copies["duration"] /= shift.tempo
        groups.append(copies)
    return pd.concat(groups, ignore_index=True)


def frame_index(tracks: pd.DataFrame, n_frames: Sequence[int]) -> pd.DataFrame:
    """Return the index of a frame store (`Frames.index`) from its tracks, in order, and their lengths."""
    return pd.DataFrame(
        {
            "track_id": tracks["track_id"].to_numpy(),
            "first_frame": np.cumsum([0, *n_frames], dtype=np.int64)[:-1],
            "n_frames": np.array(n_frames, np.int32),
            "duration": tracks["duration"].to_numpy(np.float64),
            "parent": tracks["parent"].array,
        }
    )


def render_tracks(
    tracks: pd.DataFrame,
    changes: Sequence[Change | None],
    spec: FrameSpec,
    *,
    cache_dir: Path,
    n_jobs: int,
) -> Iterator[np.ndarray]:
    """Yield the stored numbers of each track, (n_frames, n_bins), in order.

    Parameters
    ----------
    tracks
        Rows of a manifest: track_id, path, duration.
    changes
        The change of each track's samples before rendering, or None.
    """
    from joblib import Parallel, delayed, parallel_config
    from threadpoolctl import threadpool_limits

    if tracks["duration"].sum() < MIN_PARALLEL_SECONDS:
        n_jobs = 1
    jobs = (
        delayed(_render_track)(track_id, cache_dir / path, change, spec)
        for track_id, path, change in zip(tracks["track_id"], tracks["path"], changes, strict=True)
    )
    # One thread of linear algebra, here and in each process: the sums of several threads round differently.
    with threadpool_limits(1), parallel_config("loky", inner_max_num_threads=1):
        yield from Parallel(n_jobs, return_as="generator")(jobs)


def _render_track(track_id: str, path: Path, change: Change | None, spec: FrameSpec) -> np.ndarray:
    keep_freed_memory()
    if not path.is_file():
        raise DataError(f"no such file: {path}", where=f"track {track_id}", hint=EMPTIED_CACHE_HINT)
    y, sr = decode(path, spec.sr)
    if change is not None:
        y = change(y, sr)
    return track_frames(y, spec, where=f"track {track_id}")


def _precomputed(
    tracks: pd.DataFrame, spec: FrameSpec, cache_dir: Path
) -> tuple[FrameSpec, Iterator[np.ndarray]]:
    """Return the spec and the stored numbers of precomputed spectrograms, with values as published."""
    published: dict[str, np.ndarray] = {}
    for path in sorted(set(tracks["path"])):
        track_ids, arrays = load_spectrograms(cache_dir / path)
        published.update(zip(track_ids, arrays, strict=True))
    missing = sorted(set(tracks["track_id"]) - set(published))
    if missing:
        hint = "the files changed since the download stage: rerun it"
        raise DataError(f"no frames of track {missing[0]}", where="datasets.spectrograms.files", hint=hint)
    blocks = [published[track_id] for track_id in tracks["track_id"]]
    rates = [len(block) / duration for block, duration in zip(blocks, tracks["duration"], strict=True)]
    for track_id, block, rate in zip(tracks["track_id"], blocks, rates, strict=True):
        if block.shape[1] != spec.n_bins or not np.isclose(rate, rates[0]):
            raise DataError(
                f"{block.shape[1]} bins, {rate:g} frames per second",
                where=f"track {track_id}",
                expected=f"{spec.n_bins} as in params.yaml, {rates[0]:g} as in the first track",
            )
    values = {
        "frames_per_second": rates[0],
        "floor": float(min(block.min() for block in blocks)),
        **{"dtype": "float16", "offset": 0.0, "step": 1.0, "unit": "as published", "sr": 0},
    }
    spec = FrameSpec(**{**asdict(spec), **values})
    named = zip(tracks["track_id"], blocks, strict=True)
    return spec, (spec.encode(block, where=f"track {track_id}") for track_id, block in named)


def _write_frames(path: Path, blocks: Iterable[np.ndarray], spec: FrameSpec) -> list[int]:
    """Append `blocks` to one .npy file; return how many frames each has."""
    n_frames = []
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        write_header(file, 0, spec)
        for block in blocks:
            file.write(np.ascontiguousarray(block).data)
            n_frames.append(len(block))
        file.seek(0)
        write_header(file, sum(n_frames), spec)
    return n_frames


def write_header(file: IO[bytes], total_frames: int, spec: FrameSpec) -> None:
    """Write the header of ``frames.npy``; NumPy leaves room in it for the first axis to grow."""
    descr = np.lib.format.dtype_to_descr(np.dtype(spec.dtype))
    header = {"descr": descr, "fortran_order": False, "shape": (total_frames, spec.n_bins)}
    np.lib.format.write_array_header_1_0(file, header)
