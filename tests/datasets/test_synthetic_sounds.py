"""The components of the embedded music against closed forms: rhythm, chords, tones, the studio."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genredag.datasets.synthetic import harmony
from genredag.datasets.synthetic.artists import Chain, draw_artist
from genredag.datasets.synthetic.genres import GENRES
from genredag.datasets.synthetic.instruments import INSTRUMENTS, Additive, Drum, Fm, Plucked
from genredag.datasets.synthetic.render import distort, record, render_score
from genredag.datasets.synthetic.rhythm import STEPS, step_times, strokes
from genredag.datasets.synthetic.score import Note, Score, write_score

SR = 22050
DRY = Chain(
    eq_db=(0.0,) * 6,
    bandwidth_hz=11000.0,
    room_seconds=0.2,
    wet_db=-90.0,
    saturation_db=-40.0,
    noise_db=-90.0,
    peak_db=-6.0,
)


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def fundamental(wave: np.ndarray, low: float, high: float) -> float:
    """Return the frequency of the largest peak between two limits, interpolated between bins."""
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(wave.size), 8 * wave.size))
    hertz = np.fft.rfftfreq(8 * wave.size, 1 / SR)
    band = (hertz > low) & (hertz < high)
    return float(hertz[band][np.argmax(spectrum[band])])


def cents(measured: float, expected: float) -> float:
    return 1200 * np.log2(measured / expected)


class TestRhythm:
    def test_straight_grid_at_120_has_eight_steps_a_second(self):
        assert step_times(2, 120.0, 0.5) == pytest.approx(np.arange(2 * STEPS + 1) / 8)

    def test_triplet_swing_puts_the_off_beat_at_two_thirds(self):
        times = step_times(1, 60.0, 2 / 3)
        assert times[[0, 2, 4, 6]] == pytest.approx([0, 2 / 3, 1, 5 / 3])

    def test_swung_sixteenths_leave_the_eighths_straight(self):
        times = step_times(1, 60.0, 0.6, "sixteenths")
        assert times[:5] == pytest.approx([0, 0.3, 0.5, 0.8, 1])

    @given(
        n_bars=st.integers(0, 5),
        tempo=st.floats(40, 240),
        swing=st.floats(0.5, 0.75),
        swung=st.sampled_from(["eighths", "sixteenths"]),
    )
    def test_swing_moves_no_beat(self, n_bars, tempo, swing, swung):
        times = step_times(n_bars, tempo, swing, swung)
        assert np.all(np.diff(times) > 0)
        assert times[::4] == pytest.approx(np.arange(4 * n_bars + 1) * 60 / tempo)

    def test_strokes_have_accents_and_ghosts(self):
        steps, velocities = strokes("X..o" + "." * 12)
        assert steps.tolist() == [0, 3] and velocities[0] > 2 * velocities[1]

    def test_silence_has_no_strokes(self):
        assert [len(part) for part in strokes("." * STEPS)] == [0, 0]


class TestHarmony:
    def test_a4_is_440_and_an_octave_doubles(self):
        assert harmony.frequency(np.array([69, 81, 60])) == pytest.approx([440, 880, 261.6256], rel=1e-6)

    def test_tuning_moves_by_cents(self):
        assert cents(harmony.frequency(69, 25.0), 440.0) == pytest.approx(25.0)

    @pytest.mark.parametrize(
        ("symbol", "pitch_classes"),
        [
            ("I", {0, 4, 7}),
            ("IIm7", {2, 5, 9, 0}),
            ("bVII", {10, 2, 5}),
            ("V7", {7, 11, 2, 5}),
            ("IV5", {5, 0}),
        ],
    )
    def test_chords_in_c(self, symbol, pitch_classes):
        assert {pitch % 12 for pitch in harmony.voicing(symbol, 0, 60)} == pitch_classes

    @given(
        key=st.integers(0, 11),
        centre=st.integers(40, 80),
        symbol=st.sampled_from(["I", "VIm7", "bIII", "V9"]),
    )
    def test_voicings_stay_within_half_an_octave(self, key, centre, symbol):
        pitches = harmony.voicing(symbol, key, centre)
        assert pitches == sorted(pitches)
        assert centre - 6 <= pitches[0] and pitches[-1] < centre + 6

    def test_power_chord_is_root_fifth_octave(self):
        low, fifth, octave = harmony.voicing("I5", 4, 48)
        assert (low % 12, fifth - low, octave - low) == (4, 7, 12)

    @pytest.mark.parametrize(
        ("symbol", "degree", "expected"),
        [
            ("I", "1", 36),
            ("I", "3", 40),
            ("Im", "3", 39),
            ("I", "8", 48),
            ("Imaj7", "7", 47),
            ("I7", "7", 46),
        ],
    )
    def test_bass_plays_the_chords_degrees(self, symbol, degree, expected):
        assert harmony.bass_pitch(symbol, 0, degree) == expected

    @pytest.mark.parametrize("symbol", ["H", "VIII", "I13", "", "iv"])
    def test_unknown_chord(self, symbol):
        with pytest.raises(ValueError, match="is not a chord"):
            harmony.parse_chord(symbol)

    @pytest.mark.parametrize("scale", harmony.SCALES)
    def test_melody_keeps_to_its_scale_and_place(self, scale):
        pitches = np.array(harmony.melody(rng(), 400, scale, 2, 64, 1.5))
        assert set((pitches - 2) % 12) <= set(harmony.SCALES[scale])
        assert abs(pitches.mean() - 64) < 4

    def test_empty_melody(self):
        assert harmony.melody(rng(), 0, "major", 0, 60, 1.0) == []


class TestInstruments:
    @pytest.mark.parametrize("f0", [82.4, 220.0, 523.25])
    @pytest.mark.parametrize(
        "tone", [Additive(-6.0), Plucked(2.0), Plucked(2.0, damping=0.2), Fm(2.0, 1.0, 0.3, 1.0)]
    )
    def test_tones_are_in_tune(self, tone, f0):
        wave = tone.play(f0, 1.0, SR, 0.0, rng())
        assert abs(cents(fundamental(wave, f0 / 1.4, f0 * 1.4), f0)) < 6

    @pytest.mark.parametrize("name", INSTRUMENTS)
    @pytest.mark.parametrize("f0", [41.2, 1975.0])
    def test_every_instrument_plays_low_and_high(self, name, f0):
        wave = INSTRUMENTS[name].play(f0, 0.25, 8000, 2.0, rng())
        assert np.isfinite(wave).all()
        assert 0.02 < np.abs(wave).max() < 12

    def test_harmonics_fall_by_the_slope(self):
        wave = Additive(-12.0).play(440.0, 1.0, SR, 3.0, rng())
        spectrum = np.abs(np.fft.rfft(wave[:SR]))  # one bin is 1 Hz
        assert 20 * np.log10(spectrum[880] / spectrum[440]) == pytest.approx(-9.0, abs=0.7)

    def test_even_harmonics_can_be_missing(self):
        spectrum = np.abs(np.fft.rfft(Additive(-6.0, even=0.0).play(440.0, 1.0, SR, 0.0, rng())[:SR]))
        assert spectrum[880] < 0.02 * spectrum[1320]

    def test_formants_raise_their_harmonics(self):
        flat, vowel = Additive(-6.0), Additive(-6.0, vowels=(((880.0, 20.0, 0.2),),))
        share = [
            spectrum[880] / spectrum[440]
            for spectrum in (
                np.abs(np.fft.rfft(t.play(440.0, 1.0, SR, 0.0, rng())[:SR])) for t in (flat, vowel)
            )
        ]
        assert 20 * np.log10(share[1] / share[0]) == pytest.approx(20.0, abs=1.0)

    def test_plucked_string_decays(self):
        wave = Plucked(0.3).play(220.0, 1.0, SR, 0.0, rng())
        early, late = (np.mean(part**2) for part in (wave[: SR // 4], wave[SR // 2 : 3 * SR // 4]))
        assert late < 0.1 * early

    def test_fm_sidebands_lie_at_the_ratio(self):
        spectrum = np.abs(np.fft.rfft(Fm(3.0, 0.5, 100.0, 0.0).play(400.0, 1.0, SR, 0.0, rng())[:SR]))
        assert np.argsort(spectrum)[-1] == 400
        assert spectrum[1600] > 20 * spectrum[1200]

    def test_drum_sweeps_to_its_tone_and_noise_keeps_to_its_band(self):
        kick = Drum(0.3, tone_hz=60.0, sweep=2.0, tone=1.0).strike(SR, 1.0, 1.0, rng())
        assert fundamental(kick[SR // 5 :], 30, 400) == pytest.approx(60.0, rel=0.03)
        hat = np.abs(np.fft.rfft(Drum(0.1, 6000.0, 9000.0, 1.0).strike(SR, 1.0, 1.0, rng())))
        hertz = np.linspace(0, SR / 2, hat.size)
        assert hat[hertz < 3000].mean() < 0.05 * hat[(hertz > 6500) & (hertz < 8500)].mean()

    def test_clap_is_several_strokes(self):
        clap = np.abs(
            Drum(0.003, 900.0, 4500.0, 1.0, tone_seconds=0.02, strokes=3).strike(SR, 1.0, 1.0, rng())
        )
        window = SR * 11 // 1000
        first, second, third, after = (clap[i * window : (i + 1) * window].max() for i in range(4))
        assert min(first, second, third) > 3 * after


class TestScore:
    @pytest.mark.parametrize("genre", GENRES)
    def test_notes_cover_the_clip(self, genre):
        score = write_score(draw_artist(genre, rng()), 4.0, np.random.default_rng(5))
        starts = [note.start for note in score.notes["chords"]]
        assert min(starts) < 1.5 and max(starts) > 2.0
        assert all(
            note.seconds > 0 and 20 <= note.pitch <= 110 for part in score.notes.values() for note in part
        )

    def test_four_on_the_floor_falls_on_the_beat(self):
        artist = dataclasses.replace(draw_artist("disco", rng()), grooves=("disco",), loose_ms=0.0)
        score = write_score(artist, 4.0, rng())
        kicks = np.array([stroke.start for stroke in score.strokes["kick"]])
        assert np.diff(kicks) == pytest.approx(60 / score.tempo_bpm)

    def test_skank_falls_between_the_beats(self):
        artist = dataclasses.replace(
            draw_artist("reggae", rng()), grooves=("steppers",), strums=("skank",), loose_ms=0.0, swing=0.5
        )
        score = write_score(artist, 4.0, rng())
        beat, kick = 60 / score.tempo_bpm, score.strokes["kick"][0].start
        phases = [(note.start - kick) / beat % 1 for note in score.notes["chords"]]
        assert phases == pytest.approx([0.5] * len(phases))


class TestStudio:
    def test_a_note_sounds_at_its_time_and_tuning(self):
        artist = dataclasses.replace(
            draw_artist("pop", rng()),
            tuning_cents=30.0,
            tilt_db=0.0,
            levels_db={part: 0.0 for part in ("bass", "chords", "lead", "pad", "drum")},
            echo_db=-90.0,
            chain=DRY,
        )
        silent = {"bass": [], "pad": [], "lead": []}
        instruments = {"bass": "-", "pad": "-", "lead": "-", "chords": "nylon_guitar"}
        score = Score(120.0, instruments, silent | {"chords": [Note(1.0, 1.0, 69, 1.0)]}, {})
        wave = render_score(score, artist, 2.0, SR, rng())
        assert np.abs(wave[: int(0.99 * SR)]).max() < 0.01 * np.abs(wave).max()
        expected = 440 * 2 ** (30 / 1200)
        assert abs(cents(fundamental(wave[SR:], 400, 500), expected)) < 5

    def test_recording_has_its_peak_bandwidth_and_equaliser(self):
        noise = rng().standard_normal(4 * SR)
        dull = dataclasses.replace(DRY, bandwidth_hz=4000.0, eq_db=(0.0, 0.0, 0.0, 12.0, 12.0, 12.0))
        wave = record(noise, dull, SR, rng())
        assert np.abs(wave).max() == pytest.approx(10 ** (-6 / 20), rel=1e-5)
        power = np.abs(np.fft.rfft(wave)) ** 2
        hertz = np.fft.rfftfreq(wave.size, 1 / SR)
        low, middle, high = (
            10 * np.log10(power[(hertz > a) & (hertz < b)].mean())
            for a, b in ((250, 380), (1200, 2400), (8000, 9000))
        )
        assert middle - low == pytest.approx(12.0, abs=1.0)
        assert middle - high > 30

    def test_room_rings_after_the_sound(self):
        click = np.zeros(SR)
        click[0] = 1.0
        wet = record(click, dataclasses.replace(DRY, room_seconds=0.5, wet_db=0.0), SR, rng())
        dry = record(click, DRY, SR, rng())
        ringing = slice(SR // 50, SR // 5)
        assert np.abs(wet[ringing]).max() > 20 * np.abs(dry[ringing]).max()

    def test_distortion_adds_odd_harmonics(self):
        tone = np.sin(2 * np.pi * 440 * np.arange(SR) / SR)
        clean, driven = (np.abs(np.fft.rfft(distort(tone, drive_db, SR))) for drive_db in (-30.0, 40.0))
        assert clean[1320] < 0.001 * clean[440]
        assert driven[1320] / driven[440] == pytest.approx(1 / 3, abs=0.03)  # a square wave's
