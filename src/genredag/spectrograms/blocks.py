"""Representations of tracks that are too long to be held in memory: block by block, in two passes.

The first pass finds what frames take from the whole track, such as its maximum. STFT and mel frames are the
same bits as those of the whole track at once. Handcrafted features, MFCC and chroma of an STFT differ by the
rounding of matrix products. The constant-Q transform downsamples recursively; its blocks, and chroma of them,
overlap by seconds, and differ by rounding. So do blocks of encoders, whose resampling begins anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from genredag.params.groups.spectrograms import (
    ChromaCens,
    ChromaCqt,
    ChromaStft,
    Cqt,
    Encoder,
    Handcrafted,
    Mel,
    Mfcc,
    Musicnn,
    OnnxEncoder,
    Stack,
    Stft,
)
from genredag.spectrograms import musicnn, onnx_encoder
from genredag.spectrograms.chroma_cens import chroma_cens
from genredag.spectrograms.chroma_cqt import chroma_cqt
from genredag.spectrograms.chroma_stft import chroma_stft
from genredag.spectrograms.cqt import cqt_power
from genredag.spectrograms.handcrafted import (
    CONTRAST_FMIN,
    Whole,
    frame_features,
    librosa_decibels,
    mel_bands,
    onset_strength,
)
from genredag.spectrograms.mel import mel_power, scaled
from genredag.spectrograms.mfcc import coefficients, mfcc_power
from genredag.spectrograms.spectrum import decibels, power_spectrogram
from genredag.spectrograms.stack import side_by_side
from genredag.spectrograms.stft import stft_power
from genredag.spectrograms.windows import WindowEncoder, embedded

# About a minute and a half at 22,050 / 512. A multiple of every power of two by which a constant-Q transform
# downsamples, so that all blocks begin on the same grid.
BLOCK_FRAMES = 4096
CQT_CONTEXT_FRAMES = 512
ENCODER_BLOCK_FRAMES = 64  # frames of encoders are a second or so apart
RESAMPLING_SECONDS = 0.1  # around a window, so that the ends of a block do not matter
TEMPO_SECONDS = 8.0  # librosa's window for the autocorrelation of onsets


@dataclass(frozen=True)
class Block:
    """Frames of a track and the samples that they need.

    Attributes
    ----------
    frames
        Numbers of the frames.
    samples
        Those of the track from `context` before the centre of the first frame to `context` after the last.
    missing
        How many of these samples would be before the track and after it.
    """

    frames: range
    samples: np.ndarray
    missing: tuple[int, int]

    def padded(self, mode: str) -> np.ndarray:
        """Return the samples with the missing ones padded, by a mode of `numpy.pad`."""
        return np.pad(self.samples, self.missing, mode=mode)  # type: ignore[call-overload]

    def narrowed(self, n_samples: int) -> Block:
        """Return the same frames with a context that is shorter by `n_samples` on both sides."""
        before, after = self.missing
        own = slice(max(n_samples - before, 0), len(self.samples) - max(n_samples - after, 0))
        missing = (max(before - n_samples, 0), max(after - n_samples, 0))
        return replace(self, samples=self.samples[own], missing=missing)


def blocks(
    samples: Iterable[np.ndarray], hop_length: int, context: int, n_frames: int | None = None
) -> Iterator[Block]:
    """Cut the samples of a track, which come in pieces of any length, into blocks.

    `n_frames` is how many frames a block has; None for `BLOCK_FRAMES`.
    """
    n_frames = n_frames or BLOCK_FRAMES
    held, first, start = np.zeros(0, np.float32), 0, 0  # `first`: position of held[0]; `start`: next frame
    for piece in samples:
        held = np.concatenate([held, piece])
        while first + len(held) > (start + n_frames - 1) * hop_length + context:
            yield _block(held, first, range(start, start + n_frames), hop_length, context)
            start += n_frames
            passed = max(start * hop_length - context - first, 0)
            held, first = held[passed:], first + passed
    last = 1 + (first + len(held)) // hop_length
    for begin in range(start, last, n_frames):
        yield _block(held, first, range(begin, min(begin + n_frames, last)), hop_length, context)


def _block(held: np.ndarray, first: int, frames: range, hop_length: int, context: int) -> Block:
    begin = frames[0] * hop_length - context - first
    end = frames[-1] * hop_length + context - first
    missing = (max(-begin, 0), max(end - len(held), 0))
    return Block(frames, held[max(begin, 0) : end], missing)


class Blockwise(Protocol):
    """A representation of one track, block by block.

    Attributes
    ----------
    context
        How many samples around the centre of a frame it takes.
    block_frames
        How many frames a block has; None for `BLOCK_FRAMES`.
    """

    context: int
    block_frames: int | None

    def look(self, block: Block) -> None:
        """Take note of a block, in the first pass."""

    def finish(self) -> None:
        """End the first pass."""

    def values(self, block: Block) -> np.ndarray:
        """Return the frames of a block, float32 (n_frames, n_bins), in the second pass."""


class RelativeBlocks:
    """Values made from power and the maximum power of the track, such as dB below it."""

    block_frames: int | None = None

    def __init__(
        self,
        power: Callable[[Block], np.ndarray],
        convert: Callable[[np.ndarray, float], np.ndarray],
        context: int,
    ) -> None:
        self.context = context
        self._power, self._convert, self._peak = power, convert, 0.0

    def look(self, block: Block) -> None:
        """See `Blockwise.look`."""
        self._peak = max(self._peak, float(self._power(block).max()))

    def finish(self) -> None:
        """See `Blockwise.finish`."""

    def values(self, block: Block) -> np.ndarray:
        """See `Blockwise.values`."""
        return self._convert(self._power(block), self._peak)


class LocalBlocks:
    """Values that take nothing from the track beyond their context."""

    def __init__(
        self, values: Callable[[Block], np.ndarray], context: int, block_frames: int | None = None
    ) -> None:
        self.context, self.block_frames = context, block_frames
        self.values = values

    def look(self, block: Block) -> None:
        """See `Blockwise.look`."""

    def finish(self) -> None:
        """See `Blockwise.finish`."""


class HandcraftedBlocks:
    """The features of `genredag.spectrograms.handcrafted`. Keeps the mel bands of the whole track."""

    block_frames: int | None = None

    def __init__(self, sr: int, params: Handcrafted) -> None:
        self.context = params.n_fft // 2
        self._sr, self._params = sr, params
        self._bands: list[np.ndarray] = []
        self._peak, self._loudest = 0.0, (_Loudest(), _Loudest())

    def look(self, block: Block) -> None:
        """See `Blockwise.look`."""
        power = self._power(block)
        self._bands.append(mel_bands(power, self._sr, self._params))
        self._peak = max(self._peak, float(np.abs(block.samples).max()))
        magnitude = np.sqrt(power)
        for loudest, level in zip(self._loudest, _contrast_levels(magnitude, self._sr), strict=True):
            loudest.look(magnitude, level)

    def finish(self) -> None:
        """See `Blockwise.finish`."""
        highest = float(max(bands.max() for bands in self._bands))
        self._bands = [librosa_decibels(bands, highest) for bands in self._bands]
        self._onsets = onset_strength(np.concatenate(self._bands, axis=1), self._sr, self._params)
        self._tempo = _tempo(self._onsets, self._sr, self._params.hop_length)

    def values(self, block: Block) -> np.ndarray:
        """See `Blockwise.values`."""
        own = slice(block.frames.start, block.frames.stop)
        bands = self._bands[block.frames.start // BLOCK_FRAMES]
        loudest = np.stack([loudest.spectrum for loudest in self._loudest], axis=1)
        whole = Whole(self._peak, self._tempo, self._onsets[own], loudest)
        padded = block.padded("edge")
        return frame_features(self._power(block), bands, padded, whole, self._sr, self._params)

    def _power(self, block: Block) -> np.ndarray:
        sizes = (self._params.n_fft, self._params.hop_length, "hann")
        return power_spectrogram(block.padded("constant"), *sizes, center=False).T


class StackBlocks:
    """The channels of a stack, each with the context that it needs."""

    block_frames: int | None = None

    def __init__(self, sr: int, params: Stack) -> None:
        self._params = params
        self._parts = [blockwise(name, sr, group) for name, group in params.channels.given.items()]
        self.context = max(part.context for part in self._parts)

    def look(self, block: Block) -> None:
        """See `Blockwise.look`."""
        for part in self._parts:
            part.look(block.narrowed(self.context - part.context))

    def finish(self) -> None:
        """See `Blockwise.finish`."""
        for part in self._parts:
            part.finish()

    def values(self, block: Block) -> np.ndarray:
        """See `Blockwise.values`."""
        channels = [part.values(block.narrowed(self.context - part.context)) for part in self._parts]
        return side_by_side(channels, self._params)


class _Loudest:
    """The spectrum with the highest level."""

    def __init__(self) -> None:
        self._level = -np.inf
        self.spectrum = np.zeros(0, np.float32)

    def look(self, spectra: np.ndarray, level: np.ndarray) -> None:
        """Keep the spectrum (n_bins,) of the frame with the highest level so far."""
        best = int(level.argmax())
        if level[best] > self._level:
            self._level, self.spectrum = float(level[best]), spectra[:, best].copy()


def _contrast_levels(magnitude: np.ndarray, sr: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the highest peak and the highest valley of each frame, as librosa's spectral contrast has them.

    The contrast is limited to 80 dB below the highest of the track.
    """
    frequencies = np.linspace(0, sr / 2, len(magnitude))
    edges = [0.0, *(CONTRAST_FMIN * 2.0**octave for octave in range(7))]
    levels = []
    for i, (low, high) in enumerate(pairwise(edges)):
        inside = np.flatnonzero((frequencies >= low) & (frequencies <= high))
        first, last = inside[0] - (i > 0), inside[-1] + 1
        last = len(magnitude) + 1 if i == 6 else last
        n = max(int(np.rint(0.02 * (min(last, len(magnitude)) - first))), 1)
        ordered = np.sort(magnitude[first : last - 1], axis=0)
        levels.append((ordered[-n:].mean(axis=0), ordered[:n].mean(axis=0)))
    peaks, valleys = zip(*levels, strict=True)
    return np.max(peaks, axis=0), np.max(valleys, axis=0)


def _tempo(onsets: np.ndarray, sr: int, hop_length: int) -> float:
    """Return `librosa.feature.tempo` of the onsets, without holding the tempogram of the whole track."""
    import librosa

    length = int(librosa.time_to_frames(TEMPO_SECONDS, sr=sr, hop_length=hop_length))
    padded = np.pad(onsets, length // 2, mode="linear_ramp", end_values=0)
    total = np.zeros(length)
    for first in range(0, len(onsets), BLOCK_FRAMES):
        n = min(BLOCK_FRAMES, len(onsets) - first)
        part = padded[first : first + n - 1 + length]
        tempogram = librosa.feature.tempogram(
            onset_envelope=part, sr=sr, hop_length=hop_length, win_length=length, center=False
        )
        total += tempogram.sum(axis=1, dtype=np.float64)
    mean = (total / len(onsets))[:, np.newaxis]
    return librosa.feature.tempo(tg=mean, sr=sr, hop_length=hop_length).item()


def blockwise(name: str, sr: int, params: Any) -> Blockwise:
    """Return how to compute the representation `name` of one track; `sr` is in Hz."""
    match params:
        case Handcrafted():
            return HandcraftedBlocks(sr, params)
        case Stack():
            return StackBlocks(sr, params)
        case ChromaCens() | ChromaCqt() | Cqt():
            return _of_constant_q(sr, params)
        case ChromaStft():
            return LocalBlocks(
                lambda block: chroma_stft(block.padded("constant"), sr, params, center=False),
                params.n_fft // 2,
            )
        case Stft() | Mel() | Mfcc():
            return _of_power(sr, params)
        case Musicnn():
            return _of_encoder(sr, params, musicnn.encoder(params))
        case OnnxEncoder():
            return _of_encoder(sr, params, onnx_encoder.encoder(params))
    raise ValueError(f"no representation is called {name!r}")


def _of_power(sr: int, params: Stft | Mel | Mfcc) -> Blockwise:
    def power(block: Block) -> np.ndarray:
        y = block.padded("constant")
        match params:
            case Stft():
                return stft_power(y, sr, params, center=False)
            case Mel():
                return mel_power(y, sr, params, center=False)
            case Mfcc():
                return mfcc_power(y, sr, params, center=False)

    def convert(power: np.ndarray, peak: float) -> np.ndarray:
        match params:
            case Stft():
                return decibels(power, params.top_db, peak)
            case Mel():
                return scaled(power, params, peak)
            case Mfcc():
                return coefficients(power, params, peak)

    return RelativeBlocks(power, convert, params.n_fft // 2)


def _of_constant_q(sr: int, params: Cqt | ChromaCqt) -> Blockwise:
    context = CQT_CONTEXT_FRAMES * params.hop_length

    def values(block: Block) -> np.ndarray:
        match params:
            case Cqt():
                found = cqt_power(block.samples, sr, params)
            case ChromaCens():
                found = chroma_cens(block.samples, sr, params)
            case ChromaCqt():
                found = chroma_cqt(block.samples, sr, params)
        before = (context - block.missing[0]) // params.hop_length
        return found[before : before + len(block.frames)]

    if isinstance(params, Cqt):
        return RelativeBlocks(values, lambda power, peak: decibels(power, params.top_db, peak), context)
    return LocalBlocks(values, context)


def _of_encoder(sr: int, params: Encoder, encoder: WindowEncoder) -> Blockwise:
    hop_length = params.hop_samples(sr)
    # A window that does not fit before the end of the track begins up to its length before the frame.
    context = math.ceil((encoder.n_samples / encoder.sr + RESAMPLING_SECONDS) * sr)
    grid = sr // math.gcd(sr, encoder.sr)  # so that blocks begin on a sample of the encoder
    context = grid * math.ceil(context / grid)

    def values(block: Block) -> np.ndarray:
        centres = np.arange(len(block.frames)) * hop_length + context - block.missing[0]
        return embedded(block.samples, sr, centres / sr, encoder)

    return LocalBlocks(values, context, ENCODER_BLOCK_FRAMES)
