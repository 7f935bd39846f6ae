"""Chromagram of a constant-Q transform."""

from __future__ import annotations

from typing import TypedDict

import numpy as np

from genredag.errors import ParameterError
from genredag.params.groups.spectrograms import ChromaCqt, Cqt
from genredag.spectrograms.column_names import CHROMA_UNIT, pitch_names
from genredag.spectrograms.cqt import cqt_power, frequencies
from genredag.spectrograms.spectrum import Description


def chroma_cqt(y: np.ndarray, sr: int, params: ChromaCqt) -> np.ndarray:
    """Return the chromagram of mono samples `y` from the magnitudes of their constant-Q transform.

    It is `librosa.feature.chroma_cqt` (A = 440 Hz plus `tuning`). Each frame is divided by its maximum. `sr`
    is in Hz. Float32 in [0, 1], shape (1 + n_samples // hop_length, n_chroma).
    """
    from librosa import feature

    chroma = feature.chroma_cqt(C=magnitudes(y, sr, params), sr=sr, **mapping(params))
    return np.ascontiguousarray(chroma.T, np.float32)


def magnitudes(y: np.ndarray, sr: int, params: ChromaCqt) -> np.ndarray:
    """Return the magnitudes of the constant-Q transform, (n_bins, n_frames)."""
    return np.sqrt(cqt_power(y, sr, _transform(params))).T


class Mapping(TypedDict):
    """librosa's arguments for mapping a constant-Q transform to pitch classes."""

    n_chroma: int
    bins_per_octave: int
    fmin: float


def mapping(params: ChromaCqt) -> Mapping:
    """Return how the bins of the transform map to pitch classes."""
    return {
        "n_chroma": params.n_chroma,
        "bins_per_octave": params.bins_per_octave,
        "fmin": params.fmin,
    }


def columns(params: ChromaCqt) -> list[str]:
    """Return the names of the columns of `chroma_cqt`."""
    return pitch_names(params.n_chroma)


def describe(params: ChromaCqt, sr: int) -> Description:
    """Return the names of the columns of `chroma_cqt`, its unit and its floor.

    Raises
    ------
    ParameterError
        The bins of an octave can't be divided among its pitch classes, or the filter of the highest bin
        extends beyond half the sample rate.
    """
    check_transform(params, sr, "representations.chroma_cqt")
    return {"bins": columns(params), "unit": CHROMA_UNIT, "floor": 0.0}


def check_transform(params: ChromaCqt, sr: int, where: str) -> None:
    """Reject parameters that librosa can't use; see `describe`."""
    if params.bins_per_octave % params.n_chroma:
        raise ParameterError(
            str(params.bins_per_octave),
            where=f"{where}.bins_per_octave",
            expected=f"a multiple of n_chroma, {params.n_chroma}",
        )
    frequencies(_transform(params), sr, f"{where}.n_octaves", "fewer n_octaves, or a lower fmin")


def _transform(params: ChromaCqt) -> Cqt:
    return Cqt(
        hop_length=params.hop_length,
        bins_per_octave=params.bins_per_octave,
        n_bins=params.n_octaves * params.bins_per_octave,
        fmin=params.fmin * 2 ** (params.tuning / params.bins_per_octave),
        top_db=80.0,  # not used: magnitudes stay linear
    )
