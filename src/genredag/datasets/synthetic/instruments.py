"""Instruments: additive, plucked and frequency-modulated tones, and drums of swept sines and noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.signal import butter, lfilter, sosfilt

TABLE = 2048  # samples of a wavetable
SEMITONE = 2.0 ** (1.0 / 12.0)


class Tone(Protocol):
    """An instrument that plays one note."""

    def play(
        self, f0: float, seconds: float, sr: int, tilt_db: float, rng: np.random.Generator
    ) -> np.ndarray:
        """Return a note of `f0` Hz, held for `seconds`, its spectrum tilted by `tilt_db` per octave."""


@dataclass(frozen=True)
class Additive:
    """Harmonics with an envelope: bowed and struck strings, winds, and voices.

    Formants are (centre in Hz, gain in dB, width in octaves). `vowels` are sets of formants; one set is drawn
    for each note.
    """

    slope_db: float  # per octave
    even: float = 1.0  # level of the even harmonics
    attack: float = 0.02  # seconds
    decay: float = 0.0  # seconds to 1/e; 0 means none, as in an organ
    release: float = 0.06  # seconds
    dulling_db: float = 0.0  # per octave, loss of treble during `decay`
    vibrato_cents: float = 0.0
    vowels: tuple[tuple[tuple[float, float, float], ...], ...] = ((),)
    breath: float = 0.0  # level of noise
    detune_cents: float = 0.0  # between the two players of a section
    scoop_cents: float = 0.0  # how far below its pitch a note begins

    def play(
        self, f0: float, seconds: float, sr: int, tilt_db: float, rng: np.random.Generator
    ) -> np.ndarray:
        """Return one note."""
        t = np.arange(round((seconds + self.release) * sr)) / sr
        formants = self.vowels[rng.integers(len(self.vowels))]
        cents = self.vibrato_cents * np.sin(2 * np.pi * rng.uniform(4.8, 6.2) * t) * np.minimum(t / 0.3, 1.0)
        cents -= self.scoop_cents * np.exp(-t / 0.06)
        wave = np.zeros_like(t)
        for detune in sorted({-self.detune_cents, self.detune_cents}):
            phase = np.cumsum(f0 * 2.0 ** ((cents + detune) / 1200.0)) / sr + rng.random()
            bright = _lookup(self._table(f0, sr, tilt_db, formants), phase)
            if self.dulling_db:
                fade = np.exp(-t / self.decay)
                dull = _lookup(self._table(f0, sr, tilt_db - self.dulling_db, formants), phase)
                bright = fade * bright + (1.0 - fade) * dull
            wave += bright
        if self.breath:
            wave += self.breath * lfilter([1.0], [1.0, -0.5], rng.standard_normal(t.size))
        return wave * _envelope(t, seconds, self.attack, self.decay, self.release)

    def _table(
        self, f0: float, sr: int, tilt_db: float, formants: tuple[tuple[float, float, float], ...]
    ) -> np.ndarray:
        number = np.arange(1, max(2, min(TABLE // 2, int(0.48 * sr / f0) + 1)))
        level_db = (self.slope_db + tilt_db) * np.log2(number)
        for centre, gain_db, width in formants:
            level_db = level_db + gain_db * np.exp(-((np.log2(number * f0 / centre) / width) ** 2))
        level = 10.0 ** (level_db / 20.0) * np.where(number % 2, 1.0, self.even)
        spectrum = np.zeros(TABLE // 2 + 1, complex)
        # Schroeder phases spread the energy of the harmonics over the period, which avoids clicks.
        spectrum[number] = level * np.exp(-1j * np.pi * number**2 / number[-1])
        table = np.fft.irfft(spectrum, TABLE)
        return table / np.sqrt(np.mean(table**2))


@dataclass(frozen=True)
class Plucked:
    """A Karplus-Strong string (1983), with pick position and fractional delay."""

    decay: float  # seconds to 1/e of a string of 220 Hz
    damping: float = 0.5  # 0 to 0.5: how fast high harmonics decay
    pick: float = 0.2  # position on the string, 0 to 0.5
    softness: float = 0.3  # 0 to 1: lowpass of the pluck
    release: float = 0.05  # seconds

    def play(
        self, f0: float, seconds: float, sr: int, tilt_db: float, rng: np.random.Generator
    ) -> np.ndarray:
        """Return one note."""
        t = np.arange(round((seconds + self.release) * sr)) / sr
        period = sr / f0
        length = max(1, int(period - self.damping))
        share = period - self.damping - length
        pluck = rng.uniform(-1.0, 1.0, max(length, 2))
        pluck -= np.roll(pluck, max(1, round(self.pick * length)))
        softness = np.clip(self.softness - tilt_db / 20.0, 0.0, 0.95)
        pluck = lfilter([1.0 - softness], [1.0, -softness], pluck - pluck.mean())
        feedback = np.exp(-period / sr / (self.decay * np.sqrt(220.0 / f0)))
        loop = np.convolve([1.0 - self.damping, self.damping], [1.0 - share, share])
        excitation = np.zeros(t.size)
        excitation[: pluck.size] = pluck[: t.size]
        wave = lfilter([1.0], np.concatenate([[1.0], np.zeros(length - 1), -feedback * loop]), excitation)
        wave /= np.sqrt(np.mean(wave[: sr // 10] ** 2)) + 1e-9
        return wave * _envelope(t, seconds, 0.001, 0.0, self.release)


@dataclass(frozen=True)
class Fm:
    """Two-operator frequency modulation after Chowning (1973)."""

    ratio: float  # of the modulator's frequency to the carrier's
    index: float  # of modulation, at the attack
    index_decay: float  # seconds to 1/e
    decay: float  # seconds to 1/e; 0 means none
    attack: float = 0.003  # seconds
    release: float = 0.08  # seconds

    def play(
        self, f0: float, seconds: float, sr: int, tilt_db: float, rng: np.random.Generator
    ) -> np.ndarray:
        """Return one note."""
        t = np.arange(round((seconds + self.release) * sr)) / sr
        # ASSUME: an index that Carson's rule keeps below half the sample rate.
        largest = max(0.0, 0.45 * sr / (self.ratio * f0) - 1.0 / self.ratio - 1.0)
        index = min(self.index * 2.0 ** (tilt_db / 4.0), largest) * np.exp(-t / self.index_decay)
        modulator = index * np.sin(2 * np.pi * self.ratio * f0 * t)
        wave = np.sin(2 * np.pi * (f0 * t + rng.random()) + modulator)
        return wave * np.sqrt(2.0) * _envelope(t, seconds, self.attack, self.decay, self.release)


@dataclass(frozen=True)
class Drum:
    """A swept sine and a band of noise."""

    seconds: float  # to 1/e of the noise, and of the tone unless `tone_seconds` is given
    low_hz: float = 0.0  # of the noise
    high_hz: float = 0.0
    noise: float = 0.0  # level
    tone_hz: float = 0.0  # where the sweep ends
    sweep: float = 0.0  # octaves above `tone_hz` where it starts
    tone: float = 0.0  # level
    tone_seconds: float = 0.0
    strokes: int = 1  # successive hand claps

    def strike(self, sr: int, pitch: float, length: float, rng: np.random.Generator) -> np.ndarray:
        """Return one stroke of the drum, with frequencies and decay scaled by `pitch` and `length`."""
        tone_seconds = length * (self.tone_seconds or self.seconds)
        t = np.arange(round(6.0 * max(length * self.seconds, tone_seconds) * sr)) / sr
        hertz = pitch * self.tone_hz * 2.0 ** (self.sweep * np.exp(-t / 0.025))
        wave = self.tone * np.sin(2 * np.pi * np.cumsum(hertz) / sr) * np.exp(-t / tone_seconds)
        if self.noise:
            band = np.clip(np.array([self.low_hz, self.high_hz]) * pitch, 20.0, 0.49 * sr)
            band[0] = min(band[0], 0.8 * band[1])
            hiss = sosfilt(butter(2, band, "bandpass", fs=sr, output="sos"), rng.standard_normal(t.size))
            hiss /= np.sqrt(np.mean(hiss**2))
            late = [
                np.maximum(t - 0.011 * stroke, 0.0) * (t >= 0.011 * stroke) for stroke in range(self.strokes)
            ]
            envelope = np.max([np.exp(-x / (length * self.seconds)) * (x > 0) for x in late], axis=0)
            wave += self.noise * hiss * envelope
        return wave * np.minimum(t / 0.001, 1.0)


def _lookup(table: np.ndarray, phase: np.ndarray) -> np.ndarray:
    return table[(phase * TABLE).astype(np.int64) % TABLE]


def _envelope(t: np.ndarray, held: float, attack: float, decay: float, release: float) -> np.ndarray:
    envelope = np.minimum(t / attack, 1.0) * np.clip(1.0 - (t - held) / release, 0.0, 1.0)
    return envelope * np.exp(-t / decay) if decay else envelope


AH, EH, OH, EE = (
    ((f1, 14.0, 0.35), (f2, 10.0, 0.25), (2800.0, 8.0, 0.25))
    for f1, f2 in ((730.0, 1150.0), (550.0, 1800.0), (480.0, 850.0), (320.0, 2300.0))
)
BOW = (((350.0, 5.0, 0.6), (2400.0, 5.0, 0.7)),)
REED = (((1400.0, 6.0, 0.8),),)
HORN = (((900.0, 7.0, 0.9),),)

INSTRUMENTS: dict[str, Tone] = {
    "piano": Additive(-7.0, attack=0.004, decay=0.9, dulling_db=5.0, release=0.15),
    "upright_piano": Additive(-5.0, attack=0.003, decay=0.5, dulling_db=5.0, release=0.1, detune_cents=6.0),
    "organ": Additive(-9.0, even=0.8, attack=0.01, vibrato_cents=12.0),
    "accordion": Additive(-4.0, attack=0.05, detune_cents=9.0),
    "strings": Additive(-7.0, attack=0.12, release=0.2, vibrato_cents=12.0, vowels=BOW, detune_cents=7.0),
    "violin": Additive(-6.0, attack=0.06, release=0.1, vibrato_cents=28.0, vowels=BOW, breath=0.02),
    "cello": Additive(-8.0, attack=0.08, release=0.12, vibrato_cents=18.0, vowels=BOW),
    "flute": Additive(-14.0, attack=0.05, release=0.08, vibrato_cents=16.0, breath=0.06),
    "clarinet": Additive(-8.0, even=0.15, attack=0.04, vowels=REED),
    "sax": Additive(-6.0, attack=0.03, vibrato_cents=20.0, vowels=REED, breath=0.08, scoop_cents=60.0),
    "trumpet": Additive(-5.0, attack=0.03, vibrato_cents=14.0, vowels=HORN, scoop_cents=30.0),
    "horns": Additive(-6.0, attack=0.04, release=0.08, vowels=HORN, detune_cents=6.0),
    "harmonica": Additive(-4.0, attack=0.04, vibrato_cents=25.0, vowels=REED, breath=0.04, scoop_cents=90.0),
    "fiddle": Additive(-5.0, attack=0.03, vibrato_cents=15.0, vowels=BOW, scoop_cents=40.0),
    "pedal_steel": Additive(-8.0, attack=0.06, decay=1.6, release=0.2, vibrato_cents=18.0, scoop_cents=140.0),
    "singer": Additive(
        -8.0,
        attack=0.05,
        release=0.1,
        vibrato_cents=24.0,
        vowels=(AH, EH, OH, EE),
        breath=0.03,
        scoop_cents=50.0,
    ),
    "choir": Additive(-9.0, attack=0.12, release=0.2, vibrato_cents=14.0, vowels=(AH, OH), detune_cents=10.0),
    "shouter": Additive(
        -4.0, attack=0.02, release=0.06, vibrato_cents=8.0, vowels=(AH, EH), breath=0.25, scoop_cents=80.0
    ),
    "rapper": Additive(
        -7.0, attack=0.012, decay=0.25, release=0.04, vowels=(AH, EH, OH, EE), breath=0.12, scoop_cents=-150.0
    ),
    "synth_pad": Additive(-8.0, attack=0.25, release=0.4, detune_cents=11.0),
    "synth_lead": Additive(-5.0, attack=0.008, release=0.06, detune_cents=8.0),
    "synth_pluck": Additive(-5.0, attack=0.003, decay=0.2, dulling_db=9.0, release=0.1, detune_cents=6.0),
    "acoustic_guitar": Plucked(1.2, damping=0.35, pick=0.15, softness=0.15),
    "nylon_guitar": Plucked(0.9, damping=0.5, pick=0.3, softness=0.6),
    "clean_guitar": Plucked(1.6, damping=0.4, pick=0.25, softness=0.35),
    "drive_guitar": Plucked(2.5, damping=0.4, pick=0.12, softness=0.3),
    "banjo": Plucked(0.35, damping=0.3, pick=0.08, softness=0.0),
    "mandolin": Plucked(0.3, damping=0.35, pick=0.1, softness=0.1),
    "harp": Plucked(1.5, damping=0.45, pick=0.4, softness=0.5),
    "upright_bass": Plucked(0.45, damping=0.5, pick=0.35, softness=0.75),
    "electric_bass": Plucked(1.2, damping=0.45, pick=0.15, softness=0.5),
    "pick_bass": Plucked(1.5, damping=0.3, pick=0.08, softness=0.2),
    "electric_piano": Fm(1.0, 1.6, 0.35, 1.0),
    "vibraphone": Fm(4.0, 1.0, 0.2, 1.1, release=0.3),
    "clavinet": Fm(3.0, 2.2, 0.12, 0.3, release=0.04),
    "brass_synth": Fm(1.0, 3.5, 1.5, 0.0, attack=0.04),
    "synth_bass": Fm(1.0, 3.0, 0.12, 0.6),
    "sub_bass": Fm(1.0, 0.5, 0.08, 0.9, release=0.12),
    "dub_bass": Additive(-16.0, attack=0.008, decay=0.8, release=0.06),
}

_ACOUSTIC: dict[str, Drum] = {
    "kick": Drum(0.012, 1500.0, 5000.0, 0.12, 55.0, 1.6, 1.0, 0.11),
    "snare": Drum(0.075, 900.0, 8000.0, 0.5, 190.0, 0.5, 0.45, 0.06),
    "hat": Drum(0.025, 6000.0, 10800.0, 0.22),
    "open": Drum(0.16, 5000.0, 10800.0, 0.22),
    "ride": Drum(0.22, 4500.0, 9500.0, 0.13, 3200.0, 0.0, 0.03, 0.15),
    "crash": Drum(0.45, 3000.0, 10500.0, 0.22),
    "rim": Drum(0.012, 1200.0, 5000.0, 0.4, 820.0, 0.2, 0.4, 0.02),
    "clap": Drum(0.07, 900.0, 4500.0, 0.5, strokes=4),
    "brush": Drum(0.09, 1800.0, 9000.0, 0.2),
    "tambourine": Drum(0.06, 6500.0, 10800.0, 0.25),
    "shaker": Drum(0.03, 5000.0, 9500.0, 0.14),
    "conga": Drum(0.01, 500.0, 3000.0, 0.1, 260.0, 0.25, 0.45, 0.09),
    "timpani": Drum(0.05, 80.0, 500.0, 0.15, 85.0, 0.1, 0.8, 0.45),
}
KITS: dict[str, dict[str, Drum]] = {
    "acoustic": _ACOUSTIC,
    "tight": _ACOUSTIC
    | {
        "kick": Drum(0.01, 1500.0, 5000.0, 0.2, 62.0, 1.8, 1.0, 0.07),
        "snare": Drum(0.05, 1200.0, 9000.0, 0.5, 220.0, 0.4, 0.4, 0.04),
    },
    "machine": _ACOUSTIC
    | {
        "kick": Drum(0.005, 2000.0, 6000.0, 0.05, 46.0, 1.9, 1.15, 0.2),
        "snare": Drum(0.06, 1500.0, 9500.0, 0.5, 175.0, 0.3, 0.5, 0.05),
        "hat": Drum(0.015, 7000.0, 10800.0, 0.22),
        "open": Drum(0.12, 6500.0, 10800.0, 0.22),
    },
    "heavy": _ACOUSTIC
    | {
        "kick": Drum(0.012, 2500.0, 6500.0, 0.4, 58.0, 2.0, 1.0, 0.06),
        "snare": Drum(0.09, 700.0, 8000.0, 0.65, 200.0, 0.5, 0.5, 0.07),
        "crash": Drum(0.6, 2500.0, 10500.0, 0.28),
    },
}
