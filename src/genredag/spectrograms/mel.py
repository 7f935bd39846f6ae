"""Mel spectrogram, in dB or in power."""

from __future__ import annotations

import functools
import logging
import warnings
from typing import TYPE_CHECKING

import numpy as np

from genredag.params.groups.spectrograms import Mel
from genredag.runtime.cache import cached_array
from genredag.spectrograms.spectrum import (
    Description,
    check_window,
    decibels,
    power_spectrogram,
    shares,
)

if TYPE_CHECKING:
    from scipy.sparse import csr_array

logger = logging.getLogger(__name__)


def mel(y: np.ndarray, sr: int, params: Mel) -> np.ndarray:
    """Return the mel spectrogram of mono samples `y`, in dB below its maximum or as shares of it.

    The scale and the area normalisation are Slaney's. `sr` is in Hz. The result is float32 in [-top_db, 0],
    or in [0, 1] if the scale is power, shape (1 + n_samples // hop_length, n_mels).
    """
    return np.ascontiguousarray(scaled(mel_power(y, sr, params), params))


def scaled(power: np.ndarray, params: Mel, peak: float | None = None) -> np.ndarray:
    """Return power in the scale of the params, relative to `peak` or to its own maximum."""
    return shares(power, peak) if params.scale == "power" else decibels(power, params.top_db, peak)


def mel_power(y: np.ndarray, sr: int, params: Mel, center: bool = True) -> np.ndarray:
    """Return the power of each mel band, (n_frames, n_mels); see `power_spectrogram`."""
    power = power_spectrogram(y, params.n_fft, params.hop_length, params.window, center)
    return power @ mel_filters(sr, params.n_fft, params.n_mels, params.fmin, params.fmax).T


def columns(params: Mel) -> range:
    """Return the numbers of the columns of `mel`."""
    return range(params.n_mels)


def describe(params: Mel, sr: int) -> Description:
    """Return the centre frequencies of `mel` in Hz, its unit and floor; warn about empty bands."""
    import librosa

    check_window(params.window, params.n_fft, "representations.mel")
    warn_of_empty_bands(sr, params.n_fft, params.n_mels, params.fmin, params.fmax, "representations.mel")
    bins = librosa.mel_frequencies(params.n_mels + 2, fmin=params.fmin, fmax=params.fmax)[1:-1]
    labels = bins.round(3).tolist()
    if params.scale == "power":
        return {"bins": labels, "unit": "share of the maximum power", "floor": 0.0}
    return {"bins": labels, "unit": "dB", "floor": -params.top_db}


def warn_of_empty_bands(sr: int, n_fft: int, n_mels: int, fmin: float, fmax: float, where: str) -> None:
    """Log a warning if some mel bands contain no frequency of the transform."""
    n_empty = np.count_nonzero(np.diff(mel_filters(sr, n_fft, n_mels, fmin, fmax).indptr) == 0)
    if n_empty:
        hint = "fewer n_mels, or a larger n_fft"
        logger.warning("%s: %d of %d bands are empty. Hint: %s", where, n_empty, n_mels, hint)


@functools.lru_cache(maxsize=8)
def mel_filters(sr: int, n_fft: int, n_mels: int, fmin: float, fmax: float) -> csr_array:
    """Return librosa's mel filters as a sparse matrix, shape (n_mels, n_fft // 2 + 1).

    About 1 % of the weights are not 0. librosa builds and multiplies the dense matrix for every track.
    """
    from scipy.sparse import csr_array

    def compute() -> np.ndarray:
        import librosa

        with warnings.catch_warnings(action="ignore", category=UserWarning):  # `describe` warns
            return librosa.filters.mel(sr=sr, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax)

    return csr_array(cached_array("mel", [sr, n_fft, n_mels, fmin, fmax], ["librosa"], compute))
