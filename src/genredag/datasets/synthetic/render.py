"""Rendering: from a score to samples, with an artist's instruments and recording chain."""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq
from scipy.signal import butter, sosfilt

from genredag.datasets.synthetic.artists import EQ_HZ, ROLES, Artist, Chain, draw_artist
from genredag.datasets.synthetic.genres import GENRES, NO_INSTRUMENT
from genredag.datasets.synthetic.harmony import frequency
from genredag.datasets.synthetic.instruments import INSTRUMENTS, KITS
from genredag.datasets.synthetic.score import Note, Score, Stroke, write_score

CABINET_HZ = (90.0, 4800.0)  # of a guitar loudspeaker
TAKES = 2  # recordings of each note, used in turn, so that repetitions aren't identical


def render_track(
    genre: str, index: int, *, tracks_per_artist: int, clip_seconds: float, sr: int, seed: int
) -> np.ndarray:
    """Render one track; it depends only on these arguments.

    Returns
    -------
    np.ndarray
        Shape (round(clip_seconds * sr),), float32, within -1 and 1.
    """
    number = GENRES.index(genre)
    artist = draw_artist(genre, _generator(seed, number, 0, index // tracks_per_artist))
    rng = _generator(seed, number, 1, index)
    return render_score(write_score(artist, clip_seconds, rng), artist, clip_seconds, sr, rng)


def render_score(
    score: Score, artist: Artist, clip_seconds: float, sr: int, rng: np.random.Generator
) -> np.ndarray:
    """Play and record a score."""
    n_samples = round(clip_seconds * sr)
    mix = _gain(artist.levels_db["drum"]) * _play_drums(score.strokes, artist, n_samples, sr, rng)
    for role in ROLES:
        instrument = score.instruments[role]
        if instrument == NO_INSTRUMENT:
            continue
        part = _play_notes(score.notes[role], instrument, artist, n_samples, sr, rng)
        if instrument == "drive_guitar":
            part = distort(part, artist.drive_db, sr)
        if role in ("chords", "lead"):
            part = _echo(part, round(0.75 * 60.0 / score.tempo_bpm * sr), artist.echo_db)
        mix += _gain(artist.levels_db[role]) * part
    return record(mix, artist.chain, sr, rng)


def distort(wave: np.ndarray, drive_db: float, sr: int) -> np.ndarray:
    """Apply a guitar amplifier and loudspeaker: gain, clipping and a bandpass."""
    band = np.minimum(CABINET_HZ, 0.45 * sr)
    return sosfilt(butter(2, band, "bandpass", fs=sr, output="sos"), np.tanh(_gain(drive_db) * wave))


def record(mix: np.ndarray, chain: Chain, sr: int, rng: np.random.Generator) -> np.ndarray:
    """Apply room, equaliser, band limit, saturation and noise to a mix; return float32 within -1 and 1."""
    impulse = _room(chain, sr, rng)
    size = next_fast_len(mix.size + impulse.size, real=True)
    hertz = np.maximum(rfftfreq(size, 1.0 / sr), 1.0)
    response = 10.0 ** (np.interp(np.log(hertz), np.log(EQ_HZ), chain.eq_db) / 20.0)
    response /= np.sqrt((1.0 + (25.0 / hertz) ** 4) * (1.0 + (hertz / chain.bandwidth_hz) ** 12))
    wave = irfft(rfft(mix, size) * response * rfft(impulse, size), size)[: mix.size]
    wave /= 3.0 * np.sqrt(np.mean(wave**2)) + 1e-12
    wave = np.tanh(_gain(chain.saturation_db) * wave)
    wave *= 1.0 / (np.max(np.abs(wave)) + 1e-12)
    wave += _gain(chain.noise_db) * rng.standard_normal(wave.size)
    return (_gain(chain.peak_db) * wave / np.max(np.abs(wave))).astype(np.float32)


def _play_notes(
    notes: list[Note], instrument: str, artist: Artist, n_samples: int, sr: int, rng: np.random.Generator
) -> np.ndarray:
    part = np.zeros(n_samples)
    takes: dict[tuple[int, int, int], np.ndarray] = {}
    for count, note in enumerate(notes):
        if note.start >= n_samples / sr or note.start + note.seconds < 0:
            continue
        take = (note.pitch, round(50 * note.seconds), count % TAKES)
        if take not in takes:
            hertz = float(frequency(note.pitch, artist.tuning_cents))
            takes[take] = INSTRUMENTS[instrument].play(hertz, note.seconds, sr, artist.tilt_db, rng)
        _add(part, takes[take], note.start, note.velocity, sr)
    return part


def _play_drums(
    strokes: dict[str, list[Stroke]], artist: Artist, n_samples: int, sr: int, rng: np.random.Generator
) -> np.ndarray:
    part = np.zeros(n_samples)
    for drum, played in strokes.items():
        hit = KITS[artist.kit][drum].strike(sr, artist.drum_pitch, artist.drum_length, rng)
        for stroke in played:
            _add(part, hit, stroke.start, stroke.velocity, sr)
    return part


def _add(part: np.ndarray, wave: np.ndarray, start_seconds: float, gain: float, sr: int) -> None:
    start = round(start_seconds * sr)
    skipped = max(0, -start)
    start = max(0, start)
    end = min(part.size, start + wave.size - skipped)
    if end > start:
        part[start:end] += gain * wave[skipped : skipped + end - start]


def _echo(wave: np.ndarray, delay: int, echo_db: float) -> np.ndarray:
    echoed = wave.copy()
    for repeat in range(1, 4):
        if repeat * delay < wave.size:
            echoed[repeat * delay :] += _gain(echo_db * repeat) * wave[: -repeat * delay]
    return echoed


def _room(chain: Chain, sr: int, rng: np.random.Generator) -> np.ndarray:
    """Return an impulse response: the direct sound, then noise that decays by 60 dB in `room_seconds`."""
    t = np.arange(round(chain.room_seconds * sr)) / sr
    tail = rng.standard_normal(t.size) * 10.0 ** (-3.0 * t / chain.room_seconds)
    tail = sosfilt(butter(1, min(4000.0, 0.45 * sr), fs=sr, output="sos"), tail) * (t > 0.01)
    tail *= _gain(chain.wet_db) / (np.sqrt(np.sum(tail**2)) + 1e-12)
    tail[0] = 1.0
    return tail


def _gain(db: float) -> float:
    return float(10.0 ** (db / 20.0))


def _generator(seed: int, *key: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
