"""Scores: the notes and strokes of a track, composed for an artist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from genredag.datasets.synthetic import harmony
from genredag.datasets.synthetic.artists import Artist
from genredag.datasets.synthetic.rhythm import BASS_LINES, BEATS, GROOVES, STEPS, STRUMS, step_times, strokes

# Centre of the pitch range by role (MIDI pitch), and by instrument where it differs.
CENTRES = {"chords": 60, "pad": 64, "lead": 70}
CENTRES_OF = {"rapper": 50, "shouter": 53, "singer": 64, "choir": 62, "cello": 52, "flute": 77, "violin": 74}


class Note(NamedTuple):
    """A note: its start in the clip and its duration (seconds), MIDI pitch, and velocity (0 to 1)."""

    start: float
    seconds: float
    pitch: int
    velocity: float


class Stroke(NamedTuple):
    """A drum stroke: its start (seconds), and velocity (0 to 1)."""

    start: float
    velocity: float


@dataclass(frozen=True)
class Score:
    """A composed track: instruments and notes by role, strokes by drum."""

    tempo_bpm: float
    instruments: dict[str, str]
    notes: dict[str, list[Note]]
    strokes: dict[str, list[Stroke]]


@dataclass(frozen=True)
class Song:
    """The basis of all parts: the grid of steps, the chord of each bar, the key, and the random generator."""

    grid: np.ndarray  # (16 n_bars + 1,) seconds
    chords: list[str]
    key: int
    loose: float  # seconds
    rng: np.random.Generator

    def place(self, bar: int, step: int) -> float:
        """Return the time of a step, with human timing."""
        return float(self.grid[bar * STEPS + step] + self.rng.normal(0.0, self.loose))

    def velocity(self, velocity: float) -> float:
        """Return a velocity with human variation."""
        return float(np.clip(velocity * self.rng.normal(1.0, 0.08), 0.05, 1.2))


def write_score(artist: Artist, clip_seconds: float, rng: np.random.Generator) -> Score:
    """Compose a track for an artist. Like a clip, it begins anywhere in a song.

    Notes may begin before 0 and end after `clip_seconds`.
    """
    tempo = artist.tempo_bpm * 2.0 ** rng.normal(0.0, 0.05)
    bar_seconds = BEATS * 60.0 / tempo
    n_bars = int(np.ceil(clip_seconds / bar_seconds)) + 1
    grid = step_times(n_bars, tempo, artist.swing, artist.swung) - rng.uniform(0.0, bar_seconds)
    cycle = str(rng.choice(artist.progressions)).split()
    first = int(rng.integers(len(cycle)))
    chords = [cycle[(first + bar) % len(cycle)] for bar in range(n_bars)]
    song = Song(grid, chords, int(rng.integers(12)), artist.loose_ms / 1000.0, rng)
    instruments = {role: str(rng.choice(names)) for role, names in artist.instruments.items()}
    centres = {role: CENTRES_OF.get(instruments[role], CENTRES[role]) + artist.register for role in CENTRES}
    strum, line, groove = (str(rng.choice(p)) for p in (artist.strums, artist.bass_lines, artist.grooves))
    notes = {
        "bass": _bass(song, line),
        "chords": _chords(song, strum, centres["chords"], artist.strum_length),
        "pad": _chords(song, artist.pad_figure, centres["pad"], artist.strum_length),
        "lead": _lead(song, artist, centres["lead"]),
    }
    return Score(tempo, instruments, notes, _drums(song, GROOVES[groove]))


def _drums(song: Song, groove: dict[str, str]) -> dict[str, list[Stroke]]:
    played: dict[str, list[Stroke]] = {}
    for drum, pattern in groove.items():
        played[drum] = [
            Stroke(song.place(bar, step), song.velocity(velocity))
            for bar in range(len(song.chords))
            for step, velocity in zip(*strokes(pattern), strict=True)
        ]
    return played


def _bass(song: Song, line: str) -> list[Note]:
    pattern = BASS_LINES[line]
    notes = []
    for bar, chord in enumerate(song.chords):
        for step, velocity, held in _held(pattern):
            pitch = harmony.bass_pitch(chord, song.key, pattern[step])
            seconds = 0.9 * _span(song, bar, step, held)
            notes.append(Note(song.place(bar, step), seconds, pitch, song.velocity(velocity)))
    return notes


def _chords(song: Song, figure: str, centre: int, length: float) -> list[Note]:
    pattern = STRUMS[figure]
    notes = []
    for bar, chord in enumerate(song.chords):
        tones = harmony.voicing(chord, song.key, centre)
        for count, (step, velocity, held) in enumerate(_held(pattern)):
            sounding = [tones[count % len(tones)]] if figure.startswith("arpeggio") else tones
            seconds = length * _span(song, bar, step, held)
            start, velocity = song.place(bar, step), song.velocity(velocity)
            notes += [Note(start, seconds, pitch, velocity) for pitch in sounding]
    return notes


def _lead(song: Song, artist: Artist, centre: int) -> list[Note]:
    motifs = [_motif(song.rng, artist.notes_per_bar) for _ in range(2)]
    bars = [
        motifs[song.rng.integers(2)] if song.rng.random() < artist.lead_share else "." * STEPS
        for _ in song.chords
    ]
    count = sum(STEPS - bar.count(".") for bar in bars)
    pitches = iter(harmony.melody(song.rng, count, artist.scale, song.key, centre, artist.leap))
    notes = []
    for bar, pattern in enumerate(bars):
        for step, velocity, held in _held(pattern):
            seconds = 0.9 * _span(song, bar, step, min(held, 8))
            notes.append(Note(song.place(bar, step), seconds, next(pitches), song.velocity(velocity)))
    return notes


def _motif(rng: np.random.Generator, notes_per_bar: float) -> str:
    """Draw the rhythm of a bar; strong beats are more likely than weak ones."""
    weight = np.tile([1.0, 0.25, 0.7, 0.3], BEATS)
    count = int(np.clip(rng.poisson(notes_per_bar), 1, STEPS))
    steps = rng.choice(STEPS, size=count, replace=False, p=weight / weight.sum())
    return "".join("x" if step in steps else "." for step in range(STEPS))


def _held(pattern: str) -> list[tuple[int, float, int]]:
    """Return (step, velocity, steps until the next stroke or the bar's end) of each stroke."""
    steps, velocities = strokes(pattern)
    ends = np.append(steps, STEPS)[1:]
    return [(int(s), float(v), int(e - s)) for s, v, e in zip(steps, velocities, ends, strict=True)]


def _span(song: Song, bar: int, step: int, steps: int) -> float:
    start = bar * STEPS + step
    return float(song.grid[start + steps] - song.grid[start])
