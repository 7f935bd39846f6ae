"""Slices of a frame store, gathered in batches, so that memory does not grow with the data set."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from genredag.frames.features import features
from genredag.frames.store import Frames

if TYPE_CHECKING:
    import keras
    import pandas as pd

CHUNK = 256
# A bin that hardly varies in training would magnify any change in a new track. Its variance is therefore at
# least this share of the mean variance of all bins of its channel. Features have different units, so their
# variance must only exceed the rounding error of a constant, as a share of the mean square.
LEAST_VARIANCE = 1e-4
ROUNDING = 1e-10
# Length of a sequence: two minutes in slices of 3 s with 50 % overlap. Without a limit, memory would grow
# with the longest track.
MAX_WINDOWS = 80

Pair = tuple[np.ndarray, np.ndarray]
Prepare = Callable[[np.ndarray, np.ndarray, np.random.Generator], Pair]


@dataclass(frozen=True)
class SliceSet:
    """Slices of a frame store and their classes.

    Attributes
    ----------
    first_frame, n_valid
        First frame of each slice, and the number of its frames that belong to the track.
    labels
        Index of each slice's class.
    n_frames
        Length of a slice, in frames.
    track_ids
        The track of each slice; for a shifted copy, its original.
    cut_from
        The track, or the shifted copy, that each slice was cut from. Its slices are adjacent and in order.
    """

    frames: Frames
    first_frame: np.ndarray
    n_valid: np.ndarray
    labels: np.ndarray
    n_frames: int
    track_ids: np.ndarray
    cut_from: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Return these slices: float32 (len(rows), n_frames, n_bins)."""
        return self.frames.gather(self.first_frame[rows], self.n_frames, self.n_valid[rows])

    def batch(self, rows: np.ndarray) -> Pair:
        """Return these slices and their classes."""
        return self.take(rows), self.labels[rows]

    def chunks(self) -> Iterator[np.ndarray]:
        """Yield all slices in order, `CHUNK` at a time."""
        for rows in self.chunks_of_rows():
            yield self.take(rows)

    def chunks_of_rows(self) -> list[np.ndarray]:
        """Return the numbers of all slices in order, `CHUNK` at a time."""
        return np.split(np.arange(len(self)), range(CHUNK, len(self), CHUNK))


@dataclass(frozen=True)
class Sequences:
    """The tracks of a `SliceSet` as sequences of slices, in one run or several (see `runs_of_windows`).

    Attributes
    ----------
    rows
        The slices of each run (n_runs, n_windows). Shorter runs repeat their last slice.
    weights
        Weight of each of `rows`: 0 for padding, otherwise equal and scaled so that the mean over all is the
        mean over slices.
    """

    slices: SliceSet
    rows: np.ndarray
    weights: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, runs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return slices (n_runs, n_windows, n_frames, n_bins), and the class and weight of each."""
        rows = self.rows[runs]
        values = self.slices.take(rows.ravel())
        return values.reshape(*rows.shape, *values.shape[1:]), self.slices.labels[rows], self.weights[runs]


def sequences(slices: SliceSet) -> Sequences:
    """Return the slices of each track or shifted copy as a sequence; of a long one, as several."""
    starts = np.flatnonzero(slices.cut_from[1:] != slices.cut_from[:-1]) + 1
    tracks = np.split(np.arange(len(slices)), starts)
    runs = [run for track in tracks for run in runs_of_windows(track)]
    first, counts = (np.array([[f(run)] for run in runs]) for f in (np.min, len))
    window = np.arange(counts.max())
    weights = (window < counts) * (counts.size * len(window) / len(slices))
    return Sequences(slices, first + np.minimum(window, counts - 1), weights.astype(np.float32))


def runs_of_windows(track: np.ndarray) -> list[np.ndarray]:
    """Return the slices of a track in runs of nearly equal length, at most `MAX_WINDOWS` each."""
    n_runs = -(-len(track) // MAX_WINDOWS)
    return np.array_split(track, n_runs) if n_runs else []


def slice_set(
    frames: Frames, slices: pd.DataFrame, n_frames: int, genres: pd.Series, class_names: Sequence[str]
) -> SliceSet:
    """Return rows of ``slices.parquet`` and their `genres` as a `SliceSet`."""
    index = {name: i for i, name in enumerate(class_names)}
    return SliceSet(
        frames=frames,
        first_frame=slices["first_frame"].to_numpy(),
        n_valid=slices["n_valid"].to_numpy(),
        labels=np.array([index[genre] for genre in genres], np.int32),
        n_frames=n_frames,
        track_ids=slices["parent"].fillna(slices["track_id"]).to_numpy(str),
        cut_from=slices["track_id"].to_numpy(str),
    )


def summarise(slices: SliceSet, name: str) -> np.ndarray:
    """Compute the features of slices, float32 (n_slices, n_features)."""
    spec, n_valid = slices.frames.spec, slices.n_valid
    values = [
        features(slices.take(rows), spec.bins, name, n_valid[rows], spec.frames_per_second)
        for rows in slices.chunks_of_rows()
    ]
    return np.concatenate(values)


def with_features(slices: SliceSet, values: np.ndarray, rows: np.ndarray) -> SliceSet:
    """Return slices of one frame each: these `rows` of float32 `values` (n, n_features), without a copy."""
    numbers = {"n_bins": values.shape[1], "n_channels": 1, "offset": 0.0, "step": 1.0, "floor": 0.0}
    spec = dataclasses.replace(slices.frames.spec, dtype="float32", unit="feature", **numbers)
    return dataclasses.replace(
        slices,
        frames=Frames(spec, slices.frames.index, values),
        first_frame=rows,
        n_valid=np.ones_like(rows),
        n_frames=1,
    )


def statistics(
    slices: SliceSet, normalisation: Literal["bin", "global", "none"]
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return mean and variance (n_bins,) over all frames of `slices`, in float64; None for ``"none"``.

    ``"global"`` gives all bins of a channel the same two numbers.
    """
    if normalisation == "none":
        return None
    spec, n_bins = slices.frames.spec, slices.frames.spec.n_bins
    total, squares = np.zeros(n_bins), np.zeros(n_bins)
    for chunk in slices.chunks():
        values = chunk.reshape(-1, n_bins).astype(np.float64)
        total += values.sum(axis=0)
        squares += np.square(values).sum(axis=0)
    n = len(slices) * slices.n_frames
    mean, power = ((sums / n).reshape(spec.n_channels, -1) for sums in (total, squares))
    if normalisation == "global":
        mean, power = (np.broadcast_to(x.mean(axis=1, keepdims=True), x.shape) for x in (mean, power))
    variance = np.maximum(power - np.square(mean), 0)
    if spec.unit == "feature" and spec.n_channels == 1:
        return mean.ravel(), np.where(variance > ROUNDING * power, variance, 1.0).ravel()
    variance = np.maximum(variance, LEAST_VARIANCE * variance.mean(axis=1, keepdims=True))
    return mean.ravel(), np.where(variance > 0, variance, 1.0).ravel()


def shuffled_batches(
    slices: SliceSet | Sequences, batch_size: int, seed: int | None, prepare: Prepare | None = None
) -> keras.utils.PyDataset:
    """Return batches (slices, labels) of slices or (slices, labels, weights) of tracks for Keras.

    Without a seed, they stay in order. With a seed, ``start_epoch(epoch)`` sets the order of that epoch. It
    depends only on seed and epoch, so that a resumed training run sees the same batches. `prepare` maps
    slices, labels and a generator to the input of the network. The generator depends only on seed, epoch and
    batch.
    """
    import keras

    class Batches(keras.utils.PyDataset):
        def __init__(self) -> None:
            super().__init__()
            self.order = np.arange(len(slices))
            self.epoch = 0

        def __len__(self) -> int:
            return -(-len(slices) // batch_size)

        def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
            rows = self.order[index * batch_size : (index + 1) * batch_size]
            x, y, *weights = slices.batch(rows)
            if prepare is not None:
                x, y = prepare(x, y, np.random.default_rng([seed or 0, self.epoch, index]))
            return x, y, *weights

        def start_epoch(self, epoch: int) -> None:
            self.epoch = epoch
            if seed is not None:
                self.order = np.random.default_rng([seed, epoch]).permutation(len(slices))

    return Batches()
