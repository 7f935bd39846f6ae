"""Fictional artists: the properties that all their tracks share, drawn from the style of their genre."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genredag.datasets.synthetic.genres import GENRES, STYLES, Range, Style, Weights

ROLES = ("bass", "chords", "lead", "pad")
EQ_HZ = (60.0, 150.0, 400.0, 1000.0, 2500.0, 6000.0)  # centres of the recording chain's equaliser
CROSSOVER = 0.07  # probability that a choice comes from a neighbouring genre

_FIRST_WORDS = """
    Amber Velvet Hollow Silver Crooked Northern Paper Midnight Copper Gentle Iron Lucky Marble Painted
    Quiet Restless Salted Scarlet Sleepy Solar Tangled Tidal Twin Violet Wandering Winter Yellow
"""
_LAST_WORDS = """
    Arcade Avenue Beacon Canyon Cartwright Delmar Ferris Foxglove Garland Harbour Holloway Juniper Kestrel
    Lantern Lindqvist Mercer Meridian Moreno Okoro Orchard Parade Pemberton Quarry Rivers Saltmarsh
    Sparrow Tambor Thicket Underwood Vasquez Whitlock
"""
_STRIDE = 311  # coprime to the number of names, so that successive names differ


@dataclass(frozen=True)
class Chain:
    """An artist's recording chain."""

    eq_db: tuple[float, ...]  # at EQ_HZ
    bandwidth_hz: float
    room_seconds: float  # to -60 dB
    wet_db: float
    saturation_db: float  # into tanh
    noise_db: float  # below full scale
    peak_db: float


@dataclass(frozen=True)
class Artist:
    """What an artist's tracks have in common."""

    tempo_bpm: float
    swing: float
    swung: str
    loose_ms: float
    grooves: tuple[str, ...]
    kit: str
    drum_pitch: float  # factor on the drums' frequencies
    drum_length: float  # factor on their decay
    progressions: tuple[str, ...]
    scale: str
    instruments: dict[str, tuple[str, ...]]  # choices of each role
    levels_db: dict[str, float]  # of each role, and of "drum"
    bass_lines: tuple[str, ...]
    strums: tuple[str, ...]
    strum_length: float
    pad_figure: str
    notes_per_bar: float
    leap: float
    lead_share: float
    register: int  # semitones that chords and lead are shifted up
    tilt_db: float  # per octave, of every instrument
    drive_db: float
    echo_db: float
    tuning_cents: float
    chain: Chain


def artist_name(genre: str, index: int) -> str:
    """Return a readable name, unique to the artist `index` (0, 1, ...) of a genre."""
    firsts, lasts = _FIRST_WORDS.split(), _LAST_WORDS.split()
    number = index * len(GENRES) + GENRES.index(genre)
    n_names = len(firsts) * len(lasts)
    first, last = divmod(number * _STRIDE % n_names, len(lasts))
    generation = number // n_names
    return f"{firsts[first]} {lasts[last]}" + (f" {generation + 1}" if generation else "")


def draw_artist(genre: str, rng: np.random.Generator) -> Artist:
    """Draw an artist from a genre's style; occasionally, a choice comes from a neighbouring genre."""
    own = STYLES[genre]
    rhythm, mix = _style(own, rng), _style(own, rng)
    return Artist(
        tempo_bpm=_within(rhythm.tempo_bpm, rng),
        swing=_within(rhythm.swing, rng),
        swung=rhythm.swung,
        loose_ms=_within(rhythm.loose_ms, rng),
        grooves=_favourites(rhythm.grooves, rng),
        kit=pick(_style(own, rng).kits, rng),
        drum_pitch=float(2.0 ** rng.normal(0.0, 0.12)),
        drum_length=float(2.0 ** rng.normal(0.0, 0.25)),
        progressions=tuple(rng.permutation(_style(own, rng).progressions)[:2]),
        scale=pick(_style(own, rng).scales, rng),
        instruments={role: _favourites(getattr(_style(own, rng), role), rng) for role in ROLES},
        levels_db={part: _within(getattr(mix, f"{part}_db"), rng) for part in (*ROLES, "drum")},
        bass_lines=_favourites(_style(own, rng).bass_lines, rng),
        strums=_favourites(_style(own, rng).strums, rng),
        strum_length=_within(own.strum_length, rng),
        pad_figure=pick(own.pad_figures, rng),
        notes_per_bar=_within(own.notes_per_bar, rng),
        leap=own.leap,
        lead_share=_within(own.lead_share, rng),
        register=int(rng.integers(-5, 6)),
        tilt_db=_within(own.tilt_db, rng),
        drive_db=_within(mix.drive_db, rng),
        echo_db=_within(own.echo_db, rng),
        tuning_cents=float(rng.normal(0.0, 15.0)),
        chain=_draw_chain(_style(own, rng), rng),
    )


def _draw_chain(style: Style, rng: np.random.Generator) -> Chain:
    return Chain(
        eq_db=tuple(rng.normal(0.0, 2.5, len(EQ_HZ))),
        bandwidth_hz=_within(style.bandwidth_hz, rng),
        room_seconds=_within(style.room_seconds, rng),
        wet_db=_within(style.wet_db, rng),
        saturation_db=_within((-4.0, 6.0), rng),
        noise_db=_within(style.noise_db, rng),
        peak_db=_within((-6.0, -0.5), rng),
    )


def _style(own: Style, rng: np.random.Generator) -> Style:
    """Return a genre's own style, or occasionally a neighbour's."""
    return STYLES[str(rng.choice(own.neighbours))] if rng.random() < CROSSOVER else own


def _within(limits: Range, rng: np.random.Generator) -> float:
    return float(rng.uniform(*limits))


def pick(weights: Weights, rng: np.random.Generator) -> str:
    """Draw a name by its weight."""
    share = np.array(list(weights.values()), float)
    return str(rng.choice(list(weights), p=share / share.sum()))


def _favourites(weights: Weights, rng: np.random.Generator) -> tuple[str, ...]:
    return tuple(dict.fromkeys(pick(weights, rng) for _ in range(2)))
