"""Copies of tracks in another pitch or tempo, to train on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genredag.params.groups.spectrograms import Shift

if TYPE_CHECKING:
    import numpy as np


def shifted(y: np.ndarray, sr: int, shift: Shift) -> np.ndarray:
    """Return mono samples in another pitch and tempo, by librosa's phase vocoder."""
    import librosa

    if shift.pitch_semitones:
        y = librosa.effects.pitch_shift(y, sr=sr, n_steps=shift.pitch_semitones)
    return librosa.effects.time_stretch(y, rate=shift.tempo) if shift.tempo != 1 else y
