"""Constant-Q transform in dB."""

from __future__ import annotations

import warnings

import numpy as np

from genredag.errors import ParameterError
from genredag.params.groups.spectrograms import Cqt
from genredag.spectrograms.spectrum import Description, decibels


def cqt(y: np.ndarray, sr: int, params: Cqt) -> np.ndarray:
    """Return the constant-Q transform of mono samples `y` in dB below its maximum.

    `sr` is in Hz. The method is that of Schoerkhuber & Klapuri (2010). Float32 in [-top_db, 0], shape
    (1 + n_samples // hop_length, n_bins).

    Hop lengths that can be halved once per octave are fastest. Others end the recursive downsampling early.
    """
    return decibels(cqt_power(y, sr, params), params.top_db)


def cqt_power(y: np.ndarray, sr: int, params: Cqt) -> np.ndarray:
    """Return the power of each bin, (n_frames, n_bins)."""
    import librosa

    n_frames = 1 + len(y) // params.hop_length
    with warnings.catch_warnings():  # filters of low bins may exceed a short track, which is padded
        warnings.filterwarnings("ignore", message="n_fft=", category=UserWarning)
        transform = librosa.cqt(
            y,
            sr=sr,
            hop_length=params.hop_length,
            fmin=params.fmin,
            n_bins=params.n_bins,
            bins_per_octave=params.bins_per_octave,
        )[:, :n_frames]
    return np.ascontiguousarray((transform.real**2 + transform.imag**2).T)


def columns(params: Cqt) -> range:
    """Return the numbers of the columns of `cqt`."""
    return range(params.n_bins)


def describe(params: Cqt, sr: int) -> Description:
    """Return the centre frequencies of the columns of `cqt` in Hz, and its unit and floor.

    Raises
    ------
    ParameterError
        The filter of the highest bin extends beyond half the sample rate.
    """
    bins = frequencies(params, sr, "representations.cqt.n_bins", "fewer n_bins, or a lower fmin")
    return {"bins": bins.round(3).tolist(), "unit": "dB", "floor": -params.top_db}


def frequencies(params: Cqt, sr: int, where: str, hint: str) -> np.ndarray:
    """Return the centre frequencies of a constant-Q transform in Hz, (n_bins,).

    Parameters
    ----------
    where, hint
        The parameter to change, and how, for the error.

    Raises
    ------
    ParameterError
        The filter of the highest bin extends beyond half the sample rate.
    """
    import librosa

    bins = librosa.cqt_frequencies(params.n_bins, fmin=params.fmin, bins_per_octave=params.bins_per_octave)
    _, highest = librosa.filters.wavelet_lengths(freqs=bins, sr=sr)
    if highest > sr / 2:
        raise ParameterError(
            f"the filter of the highest of {params.n_bins} bins ends at {highest:.0f} Hz",
            where=where,
            expected=f"at most half of spectrograms.sr, {sr / 2:g} Hz",
            hint=hint,
        )
    return bins
