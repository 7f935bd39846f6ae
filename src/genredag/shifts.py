"""Shifts: copies of tracks in another pitch or tempo, to train on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from genredag.groups import Group

if TYPE_CHECKING:
    import numpy as np


class Shift(Group):
    """A copy of every track in another pitch or tempo, which follows it into training."""

    pitch_semitones: Annotated[float, Field(ge=-12, le=12)] = Field(description="semitones upwards")
    tempo: Annotated[float, Field(ge=0.5, le=2)] = Field(description="how many times as fast")

    @property
    def name(self) -> str:
        """What ids of such copies end in: ``"pitch+1"``, ``"pitch-2_tempo0.9"``; empty if nothing changes."""
        pitch = f"pitch{self.pitch_semitones:+g}" if self.pitch_semitones else ""
        tempo = f"tempo{self.tempo:g}" if self.tempo != 1 else ""
        return "_".join(filter(None, (pitch, tempo)))


def _differing(shifts: list[Shift]) -> list[Shift]:
    names = [shift.name for shift in shifts]
    for i, name in enumerate(names):
        if not name:
            raise ValueError(f"number {i} changes neither pitch nor tempo; expected a copy that differs")
        if name in names[:i]:
            raise ValueError(f"number {i} repeats {name}; expected each shift once")
    return shifts


Shifts = Annotated[list[Shift], AfterValidator(_differing)]


def shifted(y: np.ndarray, sr: int, shift: Shift) -> np.ndarray:
    """Return mono samples in another pitch and tempo, by librosa's phase vocoder."""
    import librosa

    if shift.pitch_semitones:
        y = librosa.effects.pitch_shift(y, sr=sr, n_steps=shift.pitch_semitones)
    return librosa.effects.time_stretch(y, rate=shift.tempo) if shift.tempo != 1 else y
