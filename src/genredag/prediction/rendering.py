"""From a song to the slices that a model takes. Needs no model, so that it can run in another process."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import soxr
from pydantic import ValidationError

from genredag.bundles.parts import takes_audio
from genredag.errors import DataError, ModelError
from genredag.frames.slices import count_slices, slice_places
from genredag.frames.split_slices import SliceSpec
from genredag.frames.store import FrameSpec, gather
from genredag.frames.track import track_frames
from genredag.prediction.fetching import Limits, fetch, is_address
from genredag.prediction.song import Spectrogram, UnreadableSong
from genredag.spectrograms.blocks import blocks, blockwise
from genredag.spectrograms.registry import hop_length, read_group
from genredag.tracks.audio import open_blocks

# Longer songs are rendered block by block, in two passes. Shorter ones take the code of the frame store.
LONG_SECONDS = 600.0
MAX_HOURS = 6.0
_PIECE = 1 << 18
_HIGHEST_SR = 192_000  # a header may claim any rate
# How predictions of samples name their source.
SAMPLES = "samples"
# A file, an http(s) address, or samples and their rate in Hz. Samples are floats in [-1, 1] or integers,
# (n_samples,), or with one row or column for each channel.
Source = Path | str | tuple[np.ndarray, int]
# The frames and the slices of a bundle.
Rendering = tuple[FrameSpec, SliceSpec]


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

    def spectrogram(self, n_columns: int = 1200) -> Spectrogram:
        """Return the frames in at most `n_columns` columns, each the mean of neighbouring frames."""
        edges = np.linspace(0, len(self.frames), min(n_columns, len(self.frames)) + 1).astype(int)
        columns = [
            self.spec.decode(self.frames[a:b]).mean(axis=0, dtype=np.float32) for a, b in pairwise(edges)
        ]
        return Spectrogram(np.stack(columns), self.spec.bins, self.spec.unit, self.duration)


def render_all(
    source: Source, renderings: Sequence[Rendering], limits: Limits | None = None
) -> list[RenderedSong]:
    """Render a song in several ways; equal ones are rendered once, and an address is fetched once.

    Raises
    ------
    DataError
        The song can't be fetched or decoded, or is silent.
    """
    if is_address(source):
        with tempfile.TemporaryDirectory(prefix="genredag-") as folder:
            file = fetch(str(source), Path(folder), limits or Limits())
            try:
                found = render_all(file, renderings)
            except DataError as error:
                raise DataError(error.what, where=str(source)) from None
        return [dataclasses.replace(song, source=str(source)) for song in found]
    found = []
    for i, rendering in enumerate(renderings):
        same = renderings.index(rendering)
        found.append(found[same] if same < i else render_song(source, *rendering))
    return found


def render_or_reason(
    source: Source, renderings: Sequence[Rendering], limits: Limits
) -> list[RenderedSong] | UnreadableSong:
    """Do what `render_all` does, but return the reason if the song is unreadable."""
    try:
        return render_all(source, renderings, limits)
    except DataError as error:
        name = SAMPLES if isinstance(source, tuple) else str(source)
        return UnreadableSong(name, str(DataError(error.what, expected=error.expected, hint=error.hint)))


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
        The model was trained on precomputed spectrograms, or by another version of genredag whose
        representations have other parameters.
    """
    from threadpoolctl import threadpool_limits

    _check_computable(spec)
    song = _Song(source, spec.sr)
    with threadpool_limits(1):  # the sums of several threads round differently
        y = song.samples(LONG_SECONDS)
        frames = track_frames(y, spec, where=song.name) if y is not None else _long_frames(song, spec)
    number = np.arange(max(count_slices(song.duration, slices.seconds, slices.overlap), 1))
    places = slice_places(number, len(frames), spec.frames_per_second, slices.seconds, slices.overlap)
    return RenderedSong(song.name, song.duration, frames, spec, slices, *places)


def check_takes_audio(path: Path) -> None:
    """Check that a bundle can be applied to audio, without loading its model.

    Raises
    ------
    ModelError
        The file isn't a bundle, or the model was trained on precomputed spectrograms.
    """
    if not takes_audio(path):
        raise _takes_no_audio(str(path))


def _takes_no_audio(where: str) -> ModelError:
    what = "was trained on precomputed spectrograms, and can't be applied to audio"
    hint = "use `genredag predict-frames`, or train on a data set with audio"
    return ModelError(what, where=where, hint=hint)


def _check_computable(spec: FrameSpec) -> None:
    if spec.sr == 0:
        raise _takes_no_audio(spec.representation)
    try:
        read_group(spec.representation, spec.params)
    except (KeyError, ValidationError):
        raise ModelError(
            "this version of genredag can't compute it with the model's parameters",
            where=spec.representation,
            hint="`genredag card` names the version that trained the model",
        ) from None


def _long_frames(song: _Song, spec: FrameSpec) -> np.ndarray:
    """Return what `track_frames` returns, in two passes over the song, block by block."""
    params = read_group(spec.representation, spec.params)
    whole, n_frames = blockwise(spec.representation, spec.sr, params), 0
    sizes = (hop_length(params, spec.sr), whole.context, whole.block_frames)
    for block in blocks(song.pieces(), *sizes):
        whole.look(block)
        n_frames = block.frames.stop
    whole.finish()
    frames = np.empty((n_frames, spec.n_bins), spec.dtype)
    for block in blocks(song.pieces(), *sizes):
        frames[block.frames.start : block.frames.stop] = spec.encode(whole.values(block), where=song.name)
    return frames


class _Song:
    """The mono samples of a song at a given rate, at once or in pieces.

    Attributes
    ----------
    name
        The file or address, as given.
    duration
        Length in seconds, known after the first pass over all samples.
    """

    def __init__(self, source: Source, sr: int) -> None:
        self.name = SAMPLES if isinstance(source, tuple) else str(source)
        self.duration = 0.0
        self._source, self._sr = source, sr

    def samples(self, max_seconds: float) -> np.ndarray | None:
        """Return all samples, (n_samples,), or None if the song is longer than `max_seconds`."""
        with self._opened() as (own_sr, pieces):
            kept, n_samples = [np.zeros(0, np.float32)], 0
            for piece in pieces:
                kept.append(piece)
                n_samples += len(piece)
                if n_samples > max_seconds * min(own_sr, _HIGHEST_SR):
                    return None
        y = np.concatenate(kept)
        self._check(n_samples / own_sr, bool(y.any()))
        return y if own_sr == self._sr else soxr.resample(y, own_sr, self._sr, quality="HQ")

    def pieces(self) -> Iterator[np.ndarray]:
        """Yield the samples in pieces."""
        n_samples, loud = 0, False
        with self._opened() as (own_sr, pieces):
            stream = soxr.ResampleStream(own_sr, self._sr, 1, dtype="float32", quality="HQ")
            for piece in pieces:
                n_samples, loud = n_samples + len(piece), loud or bool(piece.any())
                if n_samples > MAX_HOURS * 3600 * own_sr:
                    raise DataError(f"longer than {MAX_HOURS:g} hours", where=self.name, hint="cut it")
                yield piece if own_sr == self._sr else stream.resample_chunk(piece)
            if own_sr != self._sr:
                yield stream.resample_chunk(np.zeros(0, np.float32), last=True)
        self._check(n_samples / own_sr, loud)

    def _check(self, duration: float, loud: bool) -> None:
        self.duration = duration
        if not loud:
            raise DataError("silent: all samples are 0" if duration else "no samples", where=self.name)

    @contextmanager
    def _opened(self) -> Iterator[tuple[int, Iterator[np.ndarray]]]:
        if isinstance(self._source, tuple):
            y, sr = _mono(*self._source)
            yield sr, (y[i : i + _PIECE] for i in range(0, len(y), _PIECE))
        else:
            with open_blocks(Path(self._source)) as opened:
                yield opened


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
