"""Mel-frequency cepstral coefficients."""

from __future__ import annotations

import math

import numpy as np

from genredag.params.groups.spectrograms import Mel, Mfcc
from genredag.spectrograms.mel import mel_power, warn_of_empty_bands
from genredag.spectrograms.spectrum import Description, check_window, decibels


def mfcc(y: np.ndarray, sr: int, params: Mfcc) -> np.ndarray:
    """Return the mel-frequency cepstral coefficients of mono samples `y` (Davis & Mermelstein 1980).

    They are the orthonormal cosine transform (type II) of mel bands in dB below the track's maximum, as in
    ``librosa.feature.mfcc(S=librosa.power_to_db(bands, ref=np.max))``, so that they do not depend on the gain
    of the signal. In ``librosa.feature.mfcc(y=y)``, the dB have a fixed reference; only the first
    coefficient differs, by a constant per track. `sr` is in Hz. Float32, shape
    (1 + n_samples // hop_length, n_mfcc).
    """
    return coefficients(mfcc_power(y, sr, params), params)


def mfcc_power(y: np.ndarray, sr: int, params: Mfcc, center: bool = True) -> np.ndarray:
    """Return the power of the mel bands, (n_frames, n_mels); see `mel_power`."""
    shared = params.model_dump(exclude={"n_mfcc", "fmax"})
    return mel_power(y, sr, Mel(**shared, fmax=_fmax(params, sr), scale="db"), center)


def coefficients(power: np.ndarray, params: Mfcc, peak: float | None = None) -> np.ndarray:
    """Return the coefficients of mel bands (n_frames, n_mels), whose dB are relative to `peak`."""
    from scipy.fft import dct

    cepstrum = dct(decibels(power, params.top_db, peak), axis=1, norm="ortho")
    return np.ascontiguousarray(cepstrum[:, : params.n_mfcc])


def columns(params: Mfcc) -> list[str]:
    """Return the names of the columns of `mfcc`."""
    return [f"mfcc_{i}" for i in range(1, params.n_mfcc + 1)]


def describe(params: Mfcc, sr: int) -> Description:
    """Name the columns of `mfcc`; silence, a constant in dB, has only the first coefficient.

    Raises
    ------
    ParameterError
        SciPy has no such window.
    """
    check_window(params.window, params.n_fft, "representations.mfcc")
    band = (params.fmin, _fmax(params, sr))
    warn_of_empty_bands(sr, params.n_fft, params.n_mels, *band, "representations.mfcc")
    floor = [-params.top_db * math.sqrt(params.n_mels), *[0.0] * (params.n_mfcc - 1)]
    return {"bins": columns(params), "unit": "feature", "floor": floor}


def _fmax(params: Mfcc, sr: int) -> float:
    return sr / 2 if params.fmax is None else params.fmax
