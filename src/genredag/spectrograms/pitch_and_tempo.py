"""Pitch-shifted and time-stretched copies of tracks, for training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genredag.params.groups.spectrograms import Shift

if TYPE_CHECKING:
    import numpy as np


def shifted(y: np.ndarray, sr: int, shift: Shift) -> np.ndarray:
    """Shift the pitch and tempo of mono samples with librosa's phase vocoder."""
    import librosa

    if shift.pitch_semitones:
        y = librosa.effects.pitch_shift(y, sr=sr, n_steps=shift.pitch_semitones)
    return librosa.effects.time_stretch(y, rate=shift.tempo) if shift.tempo != 1 else y
