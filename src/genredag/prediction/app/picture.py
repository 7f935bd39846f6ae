"""What the page shows of a song before a model hears it: its waveform and its spectrogram."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from genredag.errors import DataError
from genredag.prediction.app.limits import TooLongError
from genredag.spectrograms.spectrum import decibels
from genredag.tracks.audio import open_blocks

SR = 22050  # in Hz
N_FFT, HOP, FMIN = 2048, 512, 30.0  # of the spectrogram: samples, samples, Hz
ROWS = 112
WIDTH = 1200  # of the waveform and of the spectrogram, at most
TOP_DB = 80.0
BLOCK = 512 * HOP  # samples drawn at a time: memory hardly depends on the song's length


@dataclass(frozen=True)
class Picture:
    """A song's waveform and spectrogram.

    Attributes
    ----------
    duration
        Seconds.
    peaks
        The largest absolute samples of equal parts of the song, rounded, (n_columns,).
    hz
        Centre frequencies of the rows of the spectrogram, ascending.
    spectrogram
        Mel spectrogram, one byte a pixel, (n_columns, n_rows): 0 is 80 dB below its maximum, 255 the maximum.
    """

    duration: float
    peaks: list[float]
    hz: list[float]
    spectrogram: bytes


def draw(path: Path, max_seconds: float) -> Picture:
    """Decode a song and draw it.

    Raises
    ------
    DataError
        It can't be decoded, is silent, or is longer than `max_seconds`.
    """
    n_samples, peaks, power = 0, [], []
    for block in _blocks(path, max_seconds):
        n_samples += len(block)
        padded = np.pad(block, (0, -len(block) % HOP))
        peaks.append(np.abs(padded).reshape(-1, HOP).max(axis=1))
        power.append(_power(padded))
    waveform = _narrowed(np.concatenate([np.zeros(0, np.float32), *peaks]), np.max)
    if not waveform.any():
        raise DataError("silent: all samples are 0" if n_samples else "no samples")
    hz, _ = _bands()
    shades = decibels(_narrowed(np.concatenate(power), np.mean), TOP_DB) / TOP_DB + 1
    return Picture(
        duration=n_samples / SR,
        peaks=waveform.astype(float).round(3).tolist(),
        hz=hz.round(1).tolist(),
        spectrogram=np.rint(shades * 255).astype(np.uint8).tobytes(),
    )


def _power(samples: np.ndarray) -> np.ndarray:
    """Return the power in the bands of a block, (len(samples) // HOP, ROWS)."""
    _, weights = _bands()
    centred = np.pad(samples, N_FFT // 2)
    frames = np.lib.stride_tricks.sliding_window_view(centred, N_FFT)[:-1:HOP]
    spectrum = np.fft.rfft(frames * np.hanning(N_FFT).astype(np.float32))
    return (np.abs(spectrum) ** 2).astype(np.float32) @ weights


@functools.cache
def _bands() -> tuple[np.ndarray, np.ndarray]:
    """Return the centres of the bands in Hz, evenly spaced in mel, and their weights, (n_frequencies, ROWS).

    Bands are triangles that reach to the centres of their neighbours, but at least to the next frequencies
    of the transform. (librosa's filters are the same where they are wide; importing them takes seconds.)
    """
    low, high = 2595 * np.log10(1 + np.array([FMIN, SR / 2]) / 700)
    hz = 700 * (10 ** (np.linspace(low, high, ROWS + 2) / 2595) - 1)
    centres, frequencies = hz[1:-1], np.fft.rfftfreq(N_FFT, 1 / SR)
    width = np.maximum(np.diff(hz)[1:], SR / N_FFT)
    weights = np.maximum(0, 1 - np.abs(frequencies[:, np.newaxis] - centres) / width)
    return centres, (weights / weights.sum(axis=0)).astype(np.float32)


def _narrowed(values: np.ndarray, combine: Callable[..., np.ndarray]) -> np.ndarray:
    """Combine neighbouring rows so that at most `WIDTH` equal parts remain."""
    if len(values) <= WIDTH:
        return values
    edges = np.linspace(0, len(values), WIDTH + 1).astype(int)
    return np.stack([combine(values[a:b], axis=0) for a, b in itertools.pairwise(edges)])


def song_pieces(path: Path, sr: int, max_seconds: float = math.inf) -> Iterator[np.ndarray]:
    """Yield the mono samples of a song at `sr`, some at a time.

    Raises
    ------
    TooLongError
        The song is longer than `max_seconds`.
    DataError
        It can't be decoded.
    """
    n_samples = 0
    with open_blocks(path) as (own_sr, pieces):
        stream = soxr.ResampleStream(own_sr, sr, 1, dtype="float32", quality="HQ")
        for piece in pieces:
            n_samples += len(piece)
            if n_samples > max_seconds * own_sr:
                raise TooLongError(
                    f"longer than {max_seconds / 60:g} minutes",
                    hint="cut it, or start the app with a larger --max-minutes",
                )
            yield stream.resample_chunk(piece)
        yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


def _blocks(path: Path, max_seconds: float) -> Iterator[np.ndarray]:
    """Yield the samples of a song at `SR`, `BLOCK` at a time."""
    held = np.zeros(0, np.float32)
    for piece in song_pieces(path, SR, max_seconds):
        held = np.concatenate([held, piece])
        while len(held) >= BLOCK:
            yield held[:BLOCK]
            held = held[BLOCK:]
    yield held
