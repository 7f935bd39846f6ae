import librosa
import numpy as np
import pytest

from genredag.errors import ParameterError
from genredag.spectrograms import spectrum
from genredag.spectrograms.spectrum import check_window, decibels, power_spectrogram


@pytest.mark.parametrize(("n_fft", "hop_length", "window"), [(2048, 512, "hann"), (256, 100, "hamming")])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("n_samples", [9_000, 300_000])  # one block of frames, and several
def test_power_is_that_of_librosa(n_fft, hop_length, window, center, n_samples):
    y = np.random.default_rng(1).standard_normal(n_samples).astype(np.float32)
    expected = librosa.stft(y, n_fft=n_fft, hop_length=hop_length, window=window, center=center).T
    power = power_spectrogram(y, n_fft, hop_length, window, center)
    expected = expected.real**2 + expected.imag**2
    np.testing.assert_allclose(power, expected, atol=1e-6 * expected.max(), rtol=0)
    assert power.dtype == np.float32


@pytest.mark.parametrize("n_samples", [2048, 2560, 3584, 40_000])  # 1, 2, 4 and 75 frames
def test_the_numbers_of_a_frame_do_not_depend_on_its_block(n_samples, monkeypatch):
    y = np.random.default_rng(1).standard_normal(n_samples).astype(np.float32)
    whole = power_spectrogram(y, 2048, 512, "hann", center=False)
    for n_frames in (1, 3, 50):
        monkeypatch.setattr(spectrum, "BLOCK_SAMPLES", n_frames * 2048)
        found = power_spectrogram(y, 2048, 512, "hann", center=False)
        np.testing.assert_array_equal(found, whole)


def test_power_of_a_full_scale_sine_on_a_bin():
    n_fft, bin_ = 1024, 64
    y = np.sin(2 * np.pi * bin_ * np.arange(8 * n_fft) / n_fft).astype(np.float32)
    inner = power_spectrogram(y, n_fft, n_fft, "hann")[2]
    assert inner.argmax() == bin_
    assert inner.max() == pytest.approx((n_fft / 4) ** 2, rel=1e-4)  # half the sum of a Hann window, squared


@pytest.mark.filterwarnings("ignore:n_fft=256 is too large")
@pytest.mark.parametrize("n_samples", [1, 99, 100, 101, 1000])
def test_a_frame_at_every_hop(n_samples):
    assert len(power_spectrogram(np.ones(n_samples, np.float32), 256, 100, "hann")) == 1 + n_samples // 100


def test_decibels_in_closed_form():
    power = np.array([[4.0, 0.4], [0.04, 0.0]], np.float32)
    np.testing.assert_allclose(decibels(power, 80.0), [[0, -10], [-20, -80]], atol=1e-5)


def test_decibels_agree_with_librosa_on_loud_signals():
    power = np.random.default_rng(2).random((50, 20)).astype(np.float32)
    np.testing.assert_allclose(
        decibels(power, 30.0), librosa.power_to_db(power, ref=np.max, top_db=30.0), atol=1e-4
    )


def test_decibels_of_silence_are_the_floor():
    assert (decibels(np.zeros((3, 4), np.float32), 60.0) == -60.0).all()


@pytest.mark.parametrize("gain", [1e-12, 1e-3, 1e6])
def test_decibels_do_not_depend_on_gain(gain):
    power = np.random.default_rng(3).random((5, 5)).astype(np.float32)
    np.testing.assert_allclose(decibels(power * np.float32(gain), 80.0), decibels(power, 80.0), atol=1e-3)


def test_a_window_unknown_to_scipy_is_refused():
    check_window("hann", 64, "representations.mel")
    with pytest.raises(ParameterError, match=r"representations\.mel\.window: 'hahn'.*expected a window"):
        check_window("hahn", 64, "representations.mel")
