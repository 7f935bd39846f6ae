"""Chroma energy normalised statistics."""

from __future__ import annotations

import numpy as np

from genredag.params.groups.spectrograms import ChromaCens
from genredag.spectrograms.chroma_cqt import check_transform, magnitudes, mapping
from genredag.spectrograms.column_names import CENS_UNIT, pitch_names
from genredag.spectrograms.spectrum import Description


def chroma_cens(y: np.ndarray, sr: int, params: ChromaCens) -> np.ndarray:
    """Return the chroma energy normalised statistics of mono samples `y` (Mueller & Ewert 2011).

    It is `librosa.feature.chroma_cens`: shares of a constant-Q chromagram are quantised, smoothed over time
    and divided by the Euclidean norm of the frame. `sr` is in Hz. Float32 in [0, 1], shape
    (1 + n_samples // hop_length, n_chroma).
    """
    from librosa import feature

    chroma = feature.chroma_cens(
        C=magnitudes(y, sr, params), sr=sr, win_len_smooth=params.smooth_frames, **mapping(params)
    )
    return np.ascontiguousarray(chroma.T, np.float32)


def columns(params: ChromaCens) -> list[str]:
    """Return the names of the columns of `chroma_cens`."""
    return pitch_names(params.n_chroma)


def describe(params: ChromaCens, sr: int) -> Description:
    """Return the names of the columns of `chroma_cens`, its unit and its floor.

    Raises
    ------
    ParameterError
        librosa can't use the parameters; see `genredag.spectrograms.chroma_cqt.describe`.
    """
    check_transform(params, sr, "representations.chroma_cens")
    return {"bins": columns(params), "unit": CENS_UNIT, "floor": 0.0}
