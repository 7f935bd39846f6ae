"""Made-up artists: what all tracks of one share, drawn from the style of their genre."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genredag.datasets.synthetic.genres import GENRES, STYLES, Range, Style, Weights

ROLES = ("bass", "chords", "lead", "pad")
EQ_HZ = (60.0, 150.0, 400.0, 1000.0, 2500.0, 6000.0)  # centres of the recording chain's equaliser
CROSSOVER = 0.08  # how often an artist takes one choice from a neighbouring genre

_FIRST = (
    "Amber Velvet Hollow Silver Crooked Northern Paper Midnight Copper Gentle Iron Lucky Marble Painted "
    "Quiet Restless Salted Scarlet Sleepy Solar Tangled Tidal Twin Violet Wandering Winter Yellow"
).split()
_LAST = (
    "Arcade Avenue Beacon Canyon Cartwright Delmar Ferris Foxglove Garland Harbour Holloway Juniper Kestrel "
    "Lantern Lindqvist Mercer Meridian Moreno Okoro Orchard Parade Pemberton Quarry Rivers Saltmarsh "
    "Sparrow Tambor Thicket Underwood Vasquez Whitlock"
).split()


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

    genre: str
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
    instruments: dict[str, tuple[str, ...]]  # that each role chooses from
    levels_db: dict[str, float]  # of each role, and of "drums"
    bass_lines: tuple[str, ...]
    strums: tuple[str, ...]
    strum_length: float
    pad_figure: str
    notes_per_bar: float
    leap: float
    lead_share: float
    register: int  # semitones by which chords and lead lie higher
    tilt_db: float  # per octave, of every instrument
    drive_db: float
    echo_db: float
    tuning_cents: float
    chain: Chain


def artist_name(genre: str, index: int) -> str:
    """Return a readable name, unique to the artist `index` (0, 1, ...) of a genre."""
    number = index * len(GENRES) + GENRES.index(genre)
    volume, place = divmod(number * 311, len(_FIRST) * len(_LAST))
    first, last = divmod(place, len(_LAST))
    generation = number // (len(_FIRST) * len(_LAST))
    return f"{_FIRST[first]} {_LAST[last]}" + (f" {generation + 1}" if generation else "")


def draw_artist(genre: str, rng: np.random.Generator) -> Artist:
    """Draw an artist from a genre's style; now and then a choice comes from a neighbouring genre."""
    own = STYLES[genre]

    def style() -> Style:
        if rng.random() < CROSSOVER:
            return STYLES[own.neighbours[rng.integers(len(own.neighbours))]]
        return own

    def within(limits: Range) -> float:
        return float(rng.uniform(*limits))

    rhythm, sound = style(), style()
    return Artist(
        genre=genre,
        tempo_bpm=within(rhythm.tempo_bpm),
        swing=within(rhythm.swing),
        swung=rhythm.swung,
        loose_ms=within(rhythm.loose_ms),
        grooves=_favourites(rhythm.grooves, rng),
        kit=pick(style().kits, rng),
        drum_pitch=float(2.0 ** rng.normal(0.0, 0.12)),
        drum_length=float(2.0 ** rng.normal(0.0, 0.25)),
        progressions=tuple(rng.permutation(style().progressions)[:2]),
        scale=pick(style().scales, rng),
        instruments={role: _favourites(getattr(style(), role), rng) for role in ROLES},
        levels_db={role: within(getattr(sound, f"{role}_db")) for role in ROLES}
        | {"drums": within(sound.drum_db)},
        bass_lines=_favourites(style().bass_lines, rng),
        strums=_favourites(style().strums, rng),
        strum_length=within(own.strum_length),
        pad_figure=pick(own.pad_figures, rng),
        notes_per_bar=within(own.notes_per_bar),
        leap=own.leap,
        lead_share=within(own.lead_share),
        register=int(rng.integers(-5, 6)),
        tilt_db=float(rng.normal(0.0, 1.0)),
        drive_db=within(sound.drive_db),
        echo_db=within(own.echo_db),
        tuning_cents=float(rng.normal(0.0, 15.0)),
        chain=_draw_chain(style(), rng),
    )


def _draw_chain(style: Style, rng: np.random.Generator) -> Chain:
    return Chain(
        eq_db=tuple(rng.normal(0.0, 2.5, len(EQ_HZ))),
        bandwidth_hz=float(rng.uniform(*style.bandwidth_hz)),
        room_seconds=float(rng.uniform(*style.room_seconds)),
        wet_db=float(rng.uniform(*style.wet_db)),
        saturation_db=float(rng.uniform(-4.0, 6.0)),
        noise_db=float(rng.uniform(*style.noise_db)),
        peak_db=float(rng.uniform(-6.0, -0.5)),
    )


def pick(weights: Weights, rng: np.random.Generator) -> str:
    """Draw a name by its weight."""
    share = np.array(list(weights.values()), float)
    return str(rng.choice(list(weights), p=share / share.sum()))


def _favourites(weights: Weights, rng: np.random.Generator) -> tuple[str, ...]:
    return tuple(dict.fromkeys(pick(weights, rng) for _ in range(2)))
