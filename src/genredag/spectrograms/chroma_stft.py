"""Chromagram of a short-time Fourier transform."""

from __future__ import annotations

import numpy as np

from genredag.params.groups.spectrograms import ChromaStft
from genredag.spectrograms.column_names import CHROMA_UNIT, pitch_names
from genredag.spectrograms.spectrum import Description, check_window, power_spectrogram


def chroma_stft(y: np.ndarray, sr: int, params: ChromaStft, center: bool = True) -> np.ndarray:
    """Return the chromagram of mono samples `y` from their power spectrogram (Ellis 2007).

    It is `librosa.feature.chroma_stft` with a given tuning, which librosa would estimate. Each frame is
    divided by its maximum. `sr` is in Hz; for `center` see `power_spectrogram`. Float32 in [0, 1], shape
    (1 + n_samples // hop_length, n_chroma).
    """
    from librosa import feature

    power = power_spectrogram(y, params.n_fft, params.hop_length, params.window, center).T
    chroma = feature.chroma_stft(S=power, sr=sr, n_chroma=params.n_chroma, tuning=params.tuning)
    return np.ascontiguousarray(chroma.T, np.float32)


def columns(params: ChromaStft) -> list[str]:
    """Return the names of the columns of `chroma_stft`."""
    return pitch_names(params.n_chroma)


def describe(params: ChromaStft, sr: int) -> Description:
    """Return the names of the columns of `chroma_stft`, its unit and its floor.

    Raises
    ------
    ParameterError
        SciPy has no such window.
    """
    check_window(params.window, params.n_fft, "representations.chroma_stft")
    return {"bins": columns(params), "unit": CHROMA_UNIT, "floor": 0.0}
