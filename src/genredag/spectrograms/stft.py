"""Short-time Fourier transform in dB, on a linear or a logarithmic frequency axis."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from genredag.params.groups.spectrograms import Stft
from genredag.spectrograms.spectrum import Description, check_window, decibels, power_spectrogram

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def stft(y: np.ndarray, sr: int, params: Stft) -> np.ndarray:
    """Return the spectrogram of mono samples `y` in dB below its maximum.

    `sr` is in Hz. Float32 in [-top_db, 0], shape (1 + n_samples // hop_length, n_bins).
    """
    return np.ascontiguousarray(decibels(stft_power(y, sr, params), params.top_db))


def stft_power(y: np.ndarray, sr: int, params: Stft, center: bool = True) -> np.ndarray:
    """Return the power of each bin, (n_frames, n_bins); see `power_spectrogram`."""
    power = power_spectrogram(y, params.n_fft, params.hop_length, params.window, center)
    if params.axis == "log":
        power = power @ log_filters(sr, params.n_fft, params.n_bins, params.fmin).T
    return power


def columns(params: Stft) -> range:
    """Return the numbers of the columns of `stft`."""
    return range(params.n_bins if params.axis == "log" else params.n_fft // 2 + 1)


def describe(params: Stft, sr: int) -> Description:
    """Return the centre frequencies of the columns of `stft` in Hz, and its unit and floor."""
    check_window(params.window, params.n_fft, "representations.stft")
    if params.axis == "log":
        bins = _log_frequencies(sr, params.n_bins, params.fmin)
    else:
        bins = np.linspace(0, sr / 2, params.n_fft // 2 + 1)
    return {"bins": bins.round(3).tolist(), "unit": "dB", "floor": -params.top_db}


@functools.lru_cache(maxsize=8)
def log_filters(sr: int, n_fft: int, n_bins: int, fmin: float) -> csr_array:
    """Return the matrix that maps a power spectrum to a logarithmic axis.

    Like mel filters, triangles extend from one centre to the next, but at least one FFT bin to either side.
    So every filter covers at least one FFT bin: low filters interpolate between neighbouring FFT bins, and
    high ones average. The weights of each filter sum to 1.

    Returns
    -------
    csr_array
        Float32, shape (n_bins, n_fft // 2 + 1); centres from `fmin` to ``sr / 2`` Hz.
    """
    from scipy.sparse import csr_array

    resolution = sr / n_fft
    centres = _log_frequencies(sr, n_bins, fmin)[:, np.newaxis]
    ratio = (sr / 2 / fmin) ** (1 / (n_bins - 1))
    below = np.maximum(centres - centres / ratio, resolution)
    above = np.maximum(centres * ratio - centres, resolution)
    distance = np.linspace(0, sr / 2, n_fft // 2 + 1) - centres
    weights = np.maximum(1 - np.where(distance < 0, -distance / below, distance / above), 0)
    return csr_array((weights / weights.sum(axis=1, keepdims=True)).astype(np.float32))


def _log_frequencies(sr: int, n_bins: int, fmin: float) -> np.ndarray:
    return np.geomspace(fmin, sr / 2, n_bins)
