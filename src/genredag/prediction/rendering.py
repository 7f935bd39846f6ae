"""From a song to the slices that a model takes. Needs no model, so that it can run in another process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from genredag.errors import DataError, ModelError
from genredag.frames.slices import count_slices, slice_places
from genredag.frames.split_slices import SliceSpec
from genredag.frames.store import FrameSpec, gather
from genredag.frames.track import track_frames
from genredag.tracks.audio import decode

# How predictions of samples name their source.
SAMPLES = "samples"
# A file, or samples and their rate in Hz. Samples are floats in [-1, 1] or integers, (n_samples,), or with
# one row or column for each channel.
Source = Path | str | tuple[np.ndarray, int]


@dataclass(frozen=True)
class RenderedSong:
    """The frames of a song, and where its slices are.

    Attributes
    ----------
    source
        The file or address, as given.
    duration
        Length of the song, in seconds.
    frames
        Stored numbers, (n_frames, n_bins), in the type of the frame store that the model was trained on.
    start, first_frame, n_valid
        Where each slice begins, in seconds and in frames, and how many of its frames belong to the song.
    """

    source: str
    duration: float
    frames: np.ndarray
    spec: FrameSpec
    slices: SliceSpec
    start: np.ndarray
    first_frame: np.ndarray
    n_valid: np.ndarray

    def __len__(self) -> int:
        return len(self.start)

    @property
    def end(self) -> np.ndarray:
        """Where each slice ends, in seconds: at the latest with the song."""
        return np.minimum(self.start + self.slices.seconds, self.duration)

    def take(self, rows: np.ndarray | slice) -> np.ndarray:
        """Return these slices: float32 (n_rows, n_frames, n_bins)."""
        first_frame, n_valid = self.first_frame[rows], self.n_valid[rows]
        return gather(self.frames, self.spec, first_frame, self.slices.n_frames, n_valid)


def render_song(source: Source, spec: FrameSpec, slices: SliceSpec) -> RenderedSong:
    """Decode a song, render it as a model's training tracks were, and cut it into slices.

    A song shorter than a slice becomes one padded slice.

    Parameters
    ----------
    spec, slices
        As in the model's bundle.

    Raises
    ------
    DataError
        The song can't be decoded, or is silent.
    ModelError
        The model was trained on precomputed spectrograms.
    """
    from threadpoolctl import threadpool_limits

    if spec.sr == 0:
        raise ModelError(
            "was trained on precomputed spectrograms, and can't be applied to audio",
            where=spec.representation,
            hint="train on a data set with audio",
        )
    name = str(source) if isinstance(source, (str, Path)) else SAMPLES
    y, duration = _samples(source, spec.sr)
    if not y.any():
        raise DataError("silent: all samples are 0", where=name)
    with threadpool_limits(1):  # the sums of several threads round differently
        frames = track_frames(y, spec)
    number = np.arange(max(count_slices(duration, slices.seconds, slices.overlap), 1))
    places = slice_places(number, len(frames), spec.frames_per_second, slices.seconds, slices.overlap)
    return RenderedSong(name, duration, frames, spec, slices, *places)


def _samples(source: Source, sr: int) -> tuple[np.ndarray, float]:
    """Return the mono samples of a song at `sr`, and its duration in seconds."""
    y, own_sr = _mono(*source) if isinstance(source, tuple) else decode(Path(source))
    duration = len(y) / own_sr
    return (y if own_sr == sr else soxr.resample(y, own_sr, sr, quality="HQ")), duration


def _mono(samples: np.ndarray, sr: int) -> tuple[np.ndarray, int]:
    """Return samples as the mean of the channels, float32 in [-1, 1]; the shorter axis is the channels.

    Raises
    ------
    DataError
        There are no samples, or some are NaN or infinite.
    """
    y = np.asarray(samples)
    if np.issubdtype(y.dtype, np.integer):
        y = y / -float(np.iinfo(y.dtype).min)
    if y.ndim == 2:
        y = y.mean(axis=int(y.shape[0] > y.shape[1]))
    y = y.astype(np.float32)
    if y.ndim != 1 or not y.size or sr <= 0:
        what = f"samples of shape {np.shape(samples)} at {sr} Hz"
        raise DataError(what, where=SAMPLES, expected="(n_samples,) or two axes, and a sample rate")
    if not np.isfinite(y).all():
        raise DataError("some samples are NaN or infinite", where=SAMPLES)
    return y, sr
