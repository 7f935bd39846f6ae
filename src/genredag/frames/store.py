"""The frame store: a representation of all tracks of a data set, time-major, flat and memory-mapped.

``frames.npy`` holds the values, ``frames.parquet`` the position of each track, and ``frames.json`` the
meaning of the values. A slice is a run of rows, so overlap and slice length cost no disk space.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genredag.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class FrameSpec:
    """Meaning of the values of a frame store.

    Attributes
    ----------
    offset, step
        value = stored * step + offset.
    floor
        The value of silence; of each column if they differ.
    unit
        ``"feature"`` if every column has its own scale.
    bins
        Label of each column: its centre frequency in Hz, or the name of a feature.
    params
        The representation's group of ``params.yaml``.
    sr
        Sample rate of the analysis in Hz; 0 if the data set has no audio.
    shifts
        Names of the shifts; every track has a copy for each.
    n_channels
        Number of channels, whose bins are side by side: `n_bins` counts the bins of all of them.
    """

    representation: str
    n_bins: int
    frames_per_second: float
    n_tracks: int
    total_frames: int
    dtype: str
    offset: float
    step: float
    floor: float | list[float]
    unit: str
    bins: Sequence[float | str]
    params: dict[str, Any]
    sr: int
    shifts: list[str] = field(default_factory=list)
    n_channels: int = 1

    def encode(self, values: np.ndarray, *, where: str = "") -> np.ndarray:
        """Return `values` in the stored type.

        Parameters
        ----------
        where
            What the values are of, for the error.

        Raises
        ------
        DataError
            A value is NaN or infinite, or too large for the stored type.
        """
        if not np.isfinite(values).all():
            what = f"{self.representation} has values that are NaN or infinite"
            raise DataError(what, where=where, hint="listen to the track; remove it if it is damaged")
        if self.dtype == "uint8":
            return np.rint((values - self.offset) / self.step).clip(0, 255).astype(np.uint8)
        with np.errstate(over="ignore"):
            stored = values.astype(self.dtype)
        if not np.isfinite(stored).all():
            largest = np.abs(values).max()
            raise DataError(
                f"{self.representation} has a value of {largest:.6g}, too large for {self.dtype}",
                where=where,
                expected=f"at most {np.finfo(self.dtype).max:,.0f}",
                hint="take the logarithm of the values (dB), or divide all of them by a constant",
            )
        return stored

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
        track_id, first_frame, n_frames, duration (seconds) and parent; one row per track. The parent of a
        shifted copy is its original; that of a track is null.
    array
        Stored numbers, shape (total_frames, n_bins), memory-mapped.
    """

    spec: FrameSpec
    index: pd.DataFrame
    array: np.ndarray

    def gather(self, first_frame: np.ndarray, n_frames: int, n_valid: np.ndarray) -> np.ndarray:
        """Return runs of frames, one per entry of `first_frame`, padded with silence after `n_valid` frames.

        Returns
        -------
        np.ndarray
            Float32 values, shape (len(first_frame), n_frames, n_bins).
        """
        return gather(self.array, self.spec, first_frame, n_frames, n_valid)


def gather(
    array: np.ndarray, spec: FrameSpec, first_frame: np.ndarray, n_frames: int, n_valid: np.ndarray
) -> np.ndarray:
    """Return runs of frames of stored numbers (total_frames, n_bins); see `Frames.gather`."""
    stored = np.empty((len(first_frame), n_frames, spec.n_bins), array.dtype)
    for run, first, valid in zip(stored, first_frame, n_valid, strict=True):
        run[:valid] = array[first : first + valid]
    values = spec.decode(stored)
    values[np.arange(n_frames) >= np.asarray(n_valid)[:, np.newaxis]] = spec.floor
    return values


def open_frames(directory: Path) -> Frames:
    """Open the frame store in `directory`.

    Raises
    ------
    DataError
        The three files are inconsistent.
    """
    import pandas as pd

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
