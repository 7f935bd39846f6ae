import librosa
import numpy as np
import pytest

from genredag.errors import ParameterError
from genredag.params.groups.spectrograms import Handcrafted
from genredag.spectrograms.handcrafted import describe, handcrafted

SR = 22_050
PARAMS = Handcrafted(n_fft=2048, hop_length=512, n_mfcc=20)


def column(values, name):
    return values[:, describe(PARAMS, SR)["bins"].index(name)]


def test_a_sine_in_closed_form():
    frequency, amplitude = 2000.0, 0.5
    y = (amplitude * np.sin(2 * np.pi * frequency * np.arange(2 * SR) / SR)).astype(np.float32)
    values = handcrafted(y, SR, PARAMS)[4:-4]
    np.testing.assert_allclose(column(values, "centroid_khz"), 2.0, atol=0.02)
    np.testing.assert_allclose(column(values, "rolloff_khz"), 2.0, atol=0.02)
    np.testing.assert_allclose(column(values, "zero_crossing_rate"), 2 * frequency / SR, atol=2e-3)
    assert (column(values, "flatness") < 1e-3).all()
    # of the windowed signal: a Hann window has a mean square of 3/8
    np.testing.assert_allclose(column(values, "rms"), amplitude / np.sqrt(2) * np.sqrt(3 / 8), rtol=0.01)


def test_a_note_is_loudest_in_its_pitch_class():
    y = np.sin(2 * np.pi * 440 * np.arange(SR) / SR).astype(np.float32)
    values = handcrafted(y, SR, PARAMS)
    assert (column(values, "chroma_A") == 1).all()
    assert (column(values, "chroma_D#") < 0.1).all()


def test_mfcc_agree_with_librosa():
    y = np.random.default_rng(0).standard_normal(SR).astype(np.float32)
    expected = librosa.feature.mfcc(y=y, sr=SR, n_mfcc=20)
    np.testing.assert_allclose(handcrafted(y, SR, PARAMS)[:, :20], expected.T, atol=0.05)


def test_the_tempo_of_clicks_is_found():
    y = np.zeros(20 * SR, np.float32)
    for start in range(0, len(y), SR // 2):
        y[start : start + 200] = 0.9
    values = handcrafted(y, SR, PARAMS)
    np.testing.assert_allclose(column(values, "tempo_bpm"), 120.0, rtol=0.03)  # of whole frames of lag
    onsets = column(values, "onset_strength")
    assert onsets[np.abs(np.arange(len(onsets)) * 512 % (SR // 2) - SR // 4) > SR // 8].max() > 3
    np.testing.assert_allclose(column(values, "silence")[8:-8].mean(), 1 - 200 / (SR // 2), atol=0.01)


def test_silence_is_finite():
    values = handcrafted(np.zeros(SR, np.float32), SR, PARAMS)
    assert np.isfinite(values).all()
    assert (column(values, "silence") == 1).all()


def test_column_names_are_unique():
    names = describe(PARAMS, SR)["bins"]
    assert len(names) == len(set(names)) == 48


def test_low_sample_rates_and_short_windows_are_refused():
    with pytest.raises(ParameterError, match=r"spectrograms\.sr: 8000: .*more than 12800"):
        describe(PARAMS, 8000)
    with pytest.raises(ParameterError, match=r"n_fft: 64: too short; expected at least 110"):
        describe(PARAMS.model_copy(update={"n_fft": 64}), SR)
