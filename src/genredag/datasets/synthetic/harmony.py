"""Harmony: chords written as roman numerals, their pitches as MIDI numbers, and melodies over them."""

from __future__ import annotations

import re

import numpy as np

DEGREES = {"I": 0, "II": 2, "III": 4, "IV": 5, "V": 7, "VI": 9, "VII": 11}
ACCIDENTALS = {"b": -1, "": 0, "#": 1}
QUALITIES: dict[str, tuple[int, ...]] = {  # semitones above the root
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "5": (0, 7, 12),
    "7": (0, 4, 7, 10),
    "m7": (0, 3, 7, 10),
    "maj7": (0, 4, 7, 11),
    "9": (0, 4, 10, 14),
    "m9": (0, 3, 10, 14),
    "dim": (0, 3, 6),
    "sus4": (0, 5, 7),
}
SCALES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "pentatonic": (0, 2, 4, 7, 9),
}
_CHORD = re.compile(r"([b#]?)(VII|VI|V|IV|III|II|I)(.*)")


def frequency(pitch: np.ndarray | float, tuning_cents: float = 0.0) -> np.ndarray | float:
    """Return the frequency in Hz of a MIDI pitch (69 = A4 = 440 Hz), `tuning_cents` sharp."""
    return 440.0 * 2.0 ** ((np.asarray(pitch) - 69.0) / 12.0 + tuning_cents / 1200.0)


def parse_chord(symbol: str) -> tuple[int, tuple[int, ...]]:
    """Read a chord such as ``bVIImaj7``.

    Returns
    -------
    tuple of int and tuple of int
        Semitones of the root above the tonic, and of the chord's tones above the root.
    """
    match = _CHORD.fullmatch(symbol)
    if match is None or match[3] not in QUALITIES:
        raise ValueError(
            f"{symbol!r} is not a chord; expected a roman numeral and one of {sorted(QUALITIES)}"
        )
    return (DEGREES[match[2]] + ACCIDENTALS[match[1]]) % 12, QUALITIES[match[3]]


def voicing(symbol: str, key: int, centre: int) -> list[int]:
    """Return a chord's pitches in the inversion that lies within half an octave of `centre`.

    `key` is the tonic's pitch class, 0 (C) to 11 (B). Power chords keep their root below.
    """
    root, tones = parse_chord(symbol)
    low = centre - 6
    if tones == QUALITIES["5"]:
        bottom = low + (key + root - low) % 12
        return [bottom + tone for tone in tones]
    return sorted(low + (key + root + tone - low) % 12 for tone in tones)


def bass_pitch(symbol: str, key: int, degree: str, lowest: int = 28) -> int:
    """Return the pitch of a chord's degree (``"1"`` to ``"8"``) in the octaves above `lowest` (28 = E1)."""
    root, tones = parse_chord(symbol)
    third = next((tone for tone in tones if tone in (3, 4)), 7)
    fifth = 6 if 6 in tones else 7
    seventh = 11 if 11 in tones else 10
    above = {"1": 0, "3": third, "5": fifth, "6": 9, "7": seventh, "8": 12}[degree]
    return lowest + (key + root - lowest) % 12 + above


def melody(
    rng: np.random.Generator, n_notes: int, scale: str, key: int, centre: int, leap: float
) -> list[int]:
    """Return a random walk on a scale that is pulled back to `centre`.

    Parameters
    ----------
    rng
        Source of randomness.
    n_notes
        Number of notes.
    scale
        A key of `SCALES`.
    key
        Pitch class of the tonic.
    centre
        Pitch that the melody stays close to.
    leap
        Standard deviation of an interval, in steps of the scale.
    """
    ladder = np.array([12 * octave + key + tone for octave in range(11) for tone in SCALES[scale]])
    home = int(np.argmin(np.abs(ladder - centre)))
    place, pitches = float(home), []
    for step in rng.normal(0.0, leap, n_notes):
        place += step - 0.2 * (place - home)
        pitches.append(int(ladder[round(min(max(place, 0), len(ladder) - 1))]))
    return pitches
