"""Deformations: each has the given strength, and keeps length and timing."""

import numpy as np
import pytest
import soundfile

from genredag.audits.robustness.deformations import (
    Deformation,
    all_deformations,
    deformed,
    gain,
    high_pass,
    mp3,
    noise,
    resample,
)
from genredag.audits.robustness.kinds import KINDS
from genredag.errors import ParameterError
from genredag.params.groups.audits import Deformations

SR = 22_050


def tone(hz, seconds=2.0, sr=SR):
    return (0.3 * np.sin(2 * np.pi * hz * np.arange(int(seconds * sr)) / sr)).astype(np.float32)


def band(low, high, n_samples, sr=SR, seed=0):
    """Return noise between two frequencies, with a peak of 0.5."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(n_samples))
    frequencies = np.fft.rfftfreq(n_samples, 1 / sr)
    y = np.fft.irfft(np.where((frequencies > low) & (frequencies < high), spectrum, 0), n_samples)
    return (0.5 * y / np.abs(y).max()).astype(np.float32)


def power(y):
    return np.mean(np.square(y, dtype=np.float64))


def change_db(before, after):
    """Return the change of level in the second half, where filters have settled."""
    half = len(before) // 2
    return 10 * np.log10(power(after[half:]) / power(before[half:]))


def shares(y, hz, sr=SR):
    """Return the share of power above a frequency."""
    spectrum = np.abs(np.fft.rfft(y.astype(np.float64) * np.hanning(len(y)))) ** 2
    return spectrum[np.fft.rfftfreq(len(y), 1 / sr) > hz].sum() / spectrum.sum()


def lag(before, after, most=1500):
    """Return by how many samples the second signal is delayed."""
    middle = slice(most, len(before) - most)
    lags = range(-most, most + 1)
    return lags[int(np.argmax([np.dot(before[middle], np.roll(after, -n)[middle]) for n in lags]))]


@pytest.mark.parametrize("kbps", [160, 64, 32, 16])
@pytest.mark.parametrize("sr", [SR, 20_000])
def test_mp3_keeps_length_and_place(kbps, sr):
    y = band(100, 2_000, 3 * sr + 7, sr)
    coded = mp3(y, sr, kbps)
    assert coded.shape == y.shape
    assert coded.dtype == np.float32
    assert lag(y, coded) == 0
    assert 0 < power(coded - y) < 0.3 * power(y)


def test_lower_mp3_bit_rates_distort_more():
    y = band(20, 10_000, 3 * SR)
    errors = [power(mp3(y, SR, kbps) - y) for kbps in (160, 64, 32, 16)]
    assert errors == sorted(errors)


@pytest.mark.parametrize("n_samples", [1, 500, 1105, 30_000])
def test_mp3_keeps_the_length_of_short_tracks(n_samples):
    for kbps in (64, 16):
        assert mp3(tone(440)[:n_samples], SR, kbps).shape == (n_samples,)


def test_a_libsndfile_without_mp3_is_reported(monkeypatch):
    monkeypatch.setattr(soundfile, "available_formats", lambda: {"WAV": ""})
    with pytest.raises(ParameterError, match=r"mp3_kbps: libsndfile .* can't write MP3. Hint: .* null"):
        mp3(tone(440), SR, 64)


@pytest.mark.parametrize("rate", [11_025, 8_000, 4_001])
def test_resampling_removes_frequencies_above_half_the_new_rate(rate):
    y = band(20, 11_000, 2 * SR + 1)
    low = resample(y, SR, rate)
    assert low.shape == y.shape
    assert low.dtype == np.float32
    assert shares(y, 0.55 * rate) > 0.3
    assert shares(low, 0.55 * rate) < 1e-6


def test_resampling_keeps_lower_frequencies():
    y = band(20, 3_000, 2 * SR)
    low = resample(y, SR, 8_000)
    assert lag(y, low) == 0
    assert power(low - y) < 1e-5 * power(y)


@pytest.mark.parametrize("gain_db", [-20.0, -6.0, 3.0])
def test_gain_in_decibels(gain_db):
    assert change_db(tone(440), gain(tone(440), gain_db)) == pytest.approx(gain_db, abs=1e-4)


def test_gain_clips_at_full_scale():
    loud = gain(tone(440), 20.0)
    assert np.abs(loud).max() == 1.0
    assert np.mean(np.abs(loud) == 1) > 0.5
    assert loud.dtype == np.float32


@pytest.mark.parametrize("snr_db", [40.0, 10.0, 0.0, -10.0])
def test_noise_is_white_and_has_the_requested_snr(snr_db):
    y = tone(440)
    noisy = noise(y, snr_db, np.random.default_rng(0))
    added = noisy.astype(np.float64) - y
    assert noisy.dtype == np.float32
    assert 10 * np.log10(power(y) / power(added)) == pytest.approx(snr_db, abs=0.1)
    assert shares(added, SR / 4) == pytest.approx(0.5, abs=0.02)


def test_noise_of_silence_is_silence():
    np.testing.assert_array_equal(noise(np.zeros(100, np.float32), 20.0, np.random.default_rng(0)), 0)


def test_a_high_pass_removes_frequencies_below_its_cutoff():
    assert change_db(tone(10), high_pass(tone(10), SR, 20.0)) < -23
    assert change_db(tone(20), high_pass(tone(20), SR, 20.0)) == pytest.approx(-3, abs=0.1)
    assert change_db(tone(100), high_pass(tone(100), SR, 20.0)) == pytest.approx(0, abs=0.05)


@pytest.fixture
def group():
    """Return strengths of every kind except one."""
    return Deformations(
        mp3_kbps=[64, 16],
        resample_hz=[8_000],
        gain_db=None,
        noise_snr_db=[20.0, 0.0],
        high_pass_hz=[100.0],
    )


def test_strengths_are_grouped_by_kind(group):
    told = [(deformation.kind, deformation.strength) for deformation in all_deformations(group)]
    assert told[:3] == [("mp3_kbps", 64), ("mp3_kbps", 16), ("resample_hz", 8_000)]
    assert told[3:] == [("noise_snr_db", 20.0), ("noise_snr_db", 0.0), ("high_pass_hz", 100.0)]


def test_every_kind_in_the_parameters_is_known():
    assert set(KINDS) == set(Deformations.model_fields)


@pytest.mark.parametrize("kind", KINDS)
def test_a_deformed_track_depends_only_on_its_id(kind):
    y = band(20, 10_000, SR)
    deformation = Deformation(kind, {"mp3_kbps": 32, "resample_hz": 4_000, "gain_db": 12.0}.get(kind, 20.0))
    first, again, other = (deformed(y, SR, deformation, track_id) for track_id in ("a", "a", "b"))
    assert not np.array_equal(first, y)
    assert first.shape == y.shape
    np.testing.assert_array_equal(first, again)
    assert np.array_equal(first, other) == (kind != "noise_snr_db")


def test_an_axis_runs_from_mild_to_severe():
    assert KINDS["mp3_kbps"].ordered([16, 64]) == [None, 64, 16]
    assert KINDS["noise_snr_db"].ordered([0.0, 40.0]) == [None, 40.0, 0.0]
    assert KINDS["gain_db"].ordered([6.0, -20.0]) == [-20.0, None, 6.0]
    assert KINDS["high_pass_hz"].ordered([80.0, 20.0]) == [None, 20.0, 80.0]
