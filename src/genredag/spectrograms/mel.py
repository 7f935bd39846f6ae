"""Mel spectrogram in dB."""

from __future__ import annotations

import functools
import logging
import warnings
from typing import TYPE_CHECKING

import numpy as np

from genredag.params.groups.spectrograms import Mel
from genredag.spectrograms.spectrum import Description, check_window, decibels, power_spectrogram

if TYPE_CHECKING:
    from scipy.sparse import csr_array

logger = logging.getLogger(__name__)


def mel(y: np.ndarray, sr: int, params: Mel) -> np.ndarray:
    """Return the mel spectrogram of mono samples `y`, in dB below its maximum.

    The scale and the area normalisation are Slaney's. `sr` is in Hz. The result is float32 in [-top_db, 0],
    shape (1 + n_samples // hop_length, n_mels).
    """
    return np.ascontiguousarray(decibels(mel_power(y, sr, params), params.top_db))


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
    filters = mel_filters(sr, params.n_fft, params.n_mels, params.fmin, params.fmax)
    n_empty = np.count_nonzero(np.diff(filters.indptr) == 0)
    if n_empty:
        logger.warning(
            "representations.mel: %d of %d bands are empty. Hint: fewer n_mels, or a larger n_fft",
            n_empty,
            params.n_mels,
        )
    bins = librosa.mel_frequencies(params.n_mels + 2, fmin=params.fmin, fmax=params.fmax)[1:-1]
    return {"bins": bins.round(3).tolist(), "unit": "dB", "floor": -params.top_db}


@functools.lru_cache(maxsize=8)
def mel_filters(sr: int, n_fft: int, n_mels: int, fmin: float, fmax: float) -> csr_array:
    """Return librosa's mel filters as a sparse matrix, shape (n_mels, n_fft // 2 + 1).

    About 1 % of the weights are not 0. librosa builds and multiplies the dense matrix for every track.
    """
    import librosa
    from scipy.sparse import csr_array

    with warnings.catch_warnings(action="ignore", category=UserWarning):  # `describe` warns about empty bands
        return csr_array(librosa.filters.mel(sr=sr, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax))
