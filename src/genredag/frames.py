"""The frame store: a representation of all tracks of a data set, time-major, flat and memory-mapped.

``frames.npy`` holds the values, ``frames.parquet`` where each track is in it, ``frames.json`` what the
values mean. A slice is a run of rows, so overlap and slice length cost no disk.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from genredag.atomic import atomic_path, write_json, write_parquet
from genredag.errors import DataError, ParameterError
from genredag.params import Group, Rendering
from genredag.progress import progress
from genredag.representations.registry import REPRESENTATIONS, describe

# Of audio. A shorter data set is rendered before processes that import librosa have started.
MIN_PARALLEL_SECONDS = 5_000.0

EMPTIED_CACHE_HINT = (
    "the cache folder was emptied: rerun the download stage "
    "(snakemake -F data/<dataset>/manifest.parquet, or dvc repro -f download)"
)


@dataclass(frozen=True)
class FrameSpec:
    """What the values of a frame store mean.

    Attributes
    ----------
    offset, step
        value = stored * step + offset.
    floor
        The value that stands for silence.
    bins
        A label of each column: centre frequency in Hz, or the name of a feature.
    params
        The representation's group of ``params.yaml``.
    sr
        Sample rate of the analysis in Hz; 0 if the data set came without audio.
    """

    representation: str
    n_bins: int
    frames_per_second: float
    n_tracks: int
    total_frames: int
    dtype: str
    offset: float
    step: float
    floor: float
    unit: str
    bins: list[float | str]
    params: dict[str, Any]
    sr: int

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Return `values` as they are stored."""
        if self.dtype == "uint8":
            return np.rint((values - self.offset) / self.step).clip(0, 255).astype(np.uint8)
        return values.astype(self.dtype)

    def decode(self, stored: np.ndarray) -> np.ndarray:
        """Return stored numbers as float32 values."""
        values = stored.astype(np.float32)
        if self.dtype == "uint8":
            values *= np.float32(self.step)
            values += np.float32(self.offset)
        return values


@dataclass(frozen=True)
class Frames:
    """An open frame store.

    Attributes
    ----------
    index
        track_id, first_frame, n_frames, duration (seconds); one row a track.
    array
        Stored numbers, shape (total_frames, n_bins), memory-mapped.
    """

    spec: FrameSpec
    index: pd.DataFrame
    array: np.ndarray

    def gather(self, first_frame: np.ndarray, n_frames: int, n_valid: np.ndarray) -> np.ndarray:
        """Return runs of frames, one for each of `first_frame`, padded with silence after `n_valid` frames.

        Returns
        -------
        np.ndarray
            Float32 values, shape (len(first_frame), n_frames, n_bins).
        """
        stored = np.empty((len(first_frame), n_frames, self.spec.n_bins), self.array.dtype)
        for run, first, valid in zip(stored, first_frame, n_valid, strict=True):
            run[:valid] = self.array[first : first + valid]
        values = self.spec.decode(stored)
        values[np.arange(n_frames) >= np.asarray(n_valid)[:, np.newaxis]] = self.spec.floor
        return values


def open_frames(directory: Path) -> Frames:
    """Open the frame store in `directory`.

    Raises
    ------
    DataError
        The three files don't belong together.
    """
    directory = Path(directory)
    spec = FrameSpec(**json.loads((directory / "frames.json").read_text(encoding="utf-8")))
    array = np.load(directory / "frames.npy", mmap_mode="r")
    if array.shape != (spec.total_frames, spec.n_bins):
        raise DataError(
            f"shape {array.shape}",
            where=str(directory / "frames.npy"),
            expected=f"{(spec.total_frames, spec.n_bins)} as in frames.json",
            hint="rerun the spectrograms stage",
        )
    return Frames(spec, pd.read_parquet(directory / "frames.parquet"), array)


def plan(name: str, group: Group, rendering: Rendering) -> FrameSpec:
    """Return the spec of a store that has no tracks yet.

    Raises
    ------
    ParameterError
        The representation can't be made of this sample rate, or not be stored as uint8.
    """
    description = describe(name, group, rendering.sr)
    offset, step = 0.0, 1.0
    if rendering.dtype == "uint8":
        if description["unit"] != "dB":
            where = "spectrograms.dtype"
            raise ParameterError(f"uint8 can't hold {name}", where=where, expected="float16")
        offset, step = description["floor"], -description["floor"] / 255
    return FrameSpec(
        representation=name,
        n_tracks=0,
        total_frames=0,
        dtype=rendering.dtype,
        offset=offset,
        step=step,
        params=group.model_dump(),
        sr=rendering.sr,
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
) -> FrameSpec:
    """Render the usable tracks of a manifest and write the frame store into `out_dir`.

    The bytes do not depend on `n_jobs`; memory does not grow with the number of tracks.

    Raises
    ------
    ParameterError
        The representation can't be made or stored with these parameters.
    DataError
        There is no usable track, or one is no longer where the manifest says.
    """
    tracks = manifest[manifest["status"] == "ok"]
    if tracks.empty:
        raise DataError("no usable track", where="manifest", hint="look into quarantine.csv for the reasons")
    spec = plan(name, group, rendering)
    if (tracks["sr"] == 0).all():
        spec, blocks = _precomputed(tracks, spec, cache_dir)
    else:
        blocks = _render_tracks(tracks, spec, cache_dir, n_jobs)
    blocks = progress(blocks, f"rendering {name}", total=len(tracks))
    n_frames = _write_frames(out_dir / "frames.npy", blocks, spec)
    spec = FrameSpec(**{**asdict(spec), "n_tracks": len(tracks), "total_frames": sum(n_frames)})
    write_parquet(out_dir / "frames.parquet", _index(tracks, n_frames))
    write_json(out_dir / "frames.json", asdict(spec))
    return spec


def _index(tracks: pd.DataFrame, n_frames: list[int]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "track_id": tracks["track_id"].to_numpy(),
            "first_frame": np.cumsum([0, *n_frames[:-1]], dtype=np.int64),
            "n_frames": np.array(n_frames, np.int32),
            "duration": tracks["duration"].to_numpy(np.float64),
        }
    )


def _render_tracks(
    tracks: pd.DataFrame, spec: FrameSpec, cache_dir: Path, n_jobs: int
) -> Iterator[np.ndarray]:
    """Yield the stored numbers of each track, in order."""
    from joblib import Parallel, delayed, parallel_config
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    if tracks["duration"].sum() < MIN_PARALLEL_SECONDS:
        n_jobs = 1
    jobs = (
        delayed(_render_track)(track_id, cache_dir / path, spec)
        for track_id, path in zip(tracks["track_id"], tracks["path"], strict=True)
    )
    # One thread of linear algebra, here and in each process: the sums of several threads round differently.
    with threadpool_limits(1), parallel_config("loky", inner_max_num_threads=1):
        yield from Parallel(n_jobs, return_as="generator")(jobs)


def _render_track(track_id: str, path: Path, spec: FrameSpec) -> np.ndarray:
    from genredag.audio import decode

    if not path.is_file():
        raise DataError(f"no such file: {path}", where=f"track {track_id}", hint=EMPTIED_CACHE_HINT)
    y, sr = decode(path, spec.sr)
    representation = REPRESENTATIONS[spec.representation]
    return spec.encode(representation.transform(y, sr, representation.group(**spec.params)))


def _precomputed(
    tracks: pd.DataFrame, spec: FrameSpec, cache_dir: Path
) -> tuple[FrameSpec, Iterator[np.ndarray]]:
    """Return the spec and the stored numbers of tracks that came as spectrograms, values as published."""
    from genredag.datasets.spectrograms import load_spectrograms

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
                f"{block.shape[1]} bins, {rate:g} frames a second",
                where=f"track {track_id}",
                expected=f"{spec.n_bins} as in params.yaml, {rates[0]:g} as in the first track",
            )
    values = {
        "frames_per_second": rates[0],
        "floor": float(min(block.min() for block in blocks)),
        **{"dtype": "float16", "offset": 0.0, "step": 1.0, "unit": "as published", "sr": 0},
    }
    spec = FrameSpec(**{**asdict(spec), **values})
    return spec, (spec.encode(block) for block in blocks)


def _write_frames(path: Path, blocks: Iterable[np.ndarray], spec: FrameSpec) -> list[int]:
    """Append `blocks` to one .npy file; return how many frames each has."""
    n_frames = []
    with atomic_path(path) as temporary, _naming(path), temporary.open("wb") as file:
        _write_header(file, 0, spec)
        for block in blocks:
            file.write(np.ascontiguousarray(block).data)
            n_frames.append(len(block))
        file.seek(0)
        _write_header(file, sum(n_frames), spec)
    return n_frames


def _write_header(file: IO[bytes], total_frames: int, spec: FrameSpec) -> None:
    """Write a .npy header; NumPy leaves room in it for the first axis to grow."""
    descr = np.lib.format.dtype_to_descr(np.dtype(spec.dtype))
    header = {"descr": descr, "fortran_order": False, "shape": (total_frames, spec.n_bins)}
    np.lib.format.write_array_header_1_0(file, header)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Give the errors of a full disk the name of the file."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC and error.filename is None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
