"""Shared by several representations: the power spectrogram, and decibels below a track's maximum."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import TypedDict

import numpy as np

from genredag.errors import ParameterError
from genredag.runtime.cache import cached_array

BLOCK_SAMPLES = 2**17  # transformed at once


class Description(TypedDict):
    """Meaning of the columns and values of a representation.

    `bins` labels the columns by centre frequency in Hz or by name. `floor` is the value of silence, of each
    column if they differ. The unit ``"feature"`` means that every column has its own scale.
    """

    bins: Sequence[float | str]
    unit: str
    floor: float | list[float]


def power_spectrogram(
    y: np.ndarray, n_fft: int, hop_length: int, window: str, center: bool = True
) -> np.ndarray:
    """Return the power of a centred short-time Fourier transform: `librosa.stft`, squared, time-major.

    The numbers are librosa's but for the rounding of single precision, without its slow import.

    Parameters
    ----------
    y
        Samples, shape (n_samples,).
    center
        False: the first frame begins with the first sample, and the last ends with the last.

    Returns
    -------
    np.ndarray
        Float32, shape (1 + n_samples // hop_length, n_fft // 2 + 1).
    """
    padding = n_fft // 2 if center else 0
    taper = window_samples(window, n_fft).astype(np.float32)
    padded = np.pad(y, padding)
    power = np.empty((1 + (len(padded) - n_fft) // hop_length, n_fft // 2 + 1), np.float32)
    for rows, spectrum in spectra(padded, n_fft, hop_length, taper):
        np.add(spectrum.real**2, spectrum.imag**2, out=power[rows])
    return power


def spectra(
    y: np.ndarray, n_fft: int, hop_length: int, taper: np.ndarray | None = None
) -> Iterator[tuple[slice, np.ndarray]]:
    """Transform frames of `n_fft` samples, block by block, so that a block fits into the processor's cache.

    Single precision takes half the time of double precision; the relative error of power is about 1e-7 of
    the maximum. The numbers of a frame do not depend on its block.

    Parameters
    ----------
    y
        Float32 samples, (n_samples,); the first frame begins with the first sample.
    taper
        Window by which frames are multiplied, float32 (n_fft,).

    Yields
    ------
    tuple[slice, np.ndarray]
        Numbers of the frames, and their spectra, complex64 (n_frames, n_fft // 2 + 1).
    """
    from scipy.fft import rfft

    frames = np.lib.stride_tricks.sliding_window_view(y, n_fft)[::hop_length]
    n_rows = max(BLOCK_SAMPLES // n_fft, 1)
    for first in range(0, len(frames), n_rows):
        rows = slice(first, min(first + n_rows, len(frames)))
        yield rows, rfft(frames[rows] if taper is None else taper * frames[rows])


@functools.lru_cache(maxsize=8)
def window_samples(window: str, n_fft: int) -> np.ndarray:
    """Return a periodic window of SciPy, float64 (n_fft,), without the slow import of `scipy.signal`."""

    def compute() -> np.ndarray:
        from scipy.signal import get_window

        return get_window(window, n_fft)

    return cached_array("window", [window, n_fft], ["scipy"], compute)


def decibels(power: np.ndarray, top_db: float, peak: float | None = None) -> np.ndarray:
    """Convert power to dB relative to `peak`, or to its own maximum, in [-top_db, 0].

    Unlike `librosa.power_to_db` the result does not depend on the gain of the signal, and silence is
    -top_db rather than 0 dB.
    """
    peak = power.max() if peak is None else power.dtype.type(peak)
    if peak <= 0:
        return np.full_like(power, -top_db)
    relative = np.maximum(power / peak, np.float32(10 ** (-top_db / 10)))
    return np.maximum(10 * np.log10(relative), np.float32(-top_db))


def shares(power: np.ndarray, peak: float | None = None) -> np.ndarray:
    """Return power as a share of `peak`, or of its own maximum, in [0, 1]; silence is 0.

    Power itself may exceed what float16 can hold (65,504): a full-scale sine has a power of n_fft ** 2 / 16.
    Shares of the maximum never do, and like decibels they do not depend on the gain of the signal. The
    smallest share that float16 distinguishes from 0 is 6e-8, 72 dB below the maximum.
    """
    peak = power.max() if peak is None else power.dtype.type(peak)
    return power / peak if peak > 0 else np.zeros_like(power)


def check_window(window: str, n_fft: int, where: str) -> None:
    """Reject the name of a window that SciPy does not know.

    Raises
    ------
    ParameterError
        There is no such window, or it needs arguments.
    """
    from scipy.signal import get_window

    try:
        get_window(window, n_fft)
    except ValueError as error:
        raise ParameterError(
            f"{window!r}: {error}",
            where=f"{where}.window",
            expected="a window such as hann, hamming or blackman",
        ) from None
