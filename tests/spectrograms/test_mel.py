import logging

import librosa
import numpy as np
import pytest

from genredag.params.groups.spectrograms import Mel
from genredag.spectrograms.mel import describe, mel

SR = 22_050
PARAMS = Mel(
    n_fft=2048, hop_length=512, window="hann", n_mels=64, fmin=20.0, fmax=8000.0, scale="db", top_db=80.0
)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"hop_length": 256},
        {"hop_length": 1000},
        {"n_fft": 1024},
        {"window": "blackman"},
        {"n_mels": 40, "fmin": 200.0, "fmax": 4000.0},
        {"top_db": 20.0},
    ],
    ids=str,
)
def test_values_agree_with_librosa(changes):
    params = PARAMS.model_copy(update=changes)
    y = np.random.default_rng(0).standard_normal(SR).astype(np.float32)
    power = librosa.feature.melspectrogram(y=y, sr=SR, **params.model_dump(exclude={"top_db", "scale"}))
    expected = librosa.power_to_db(power, ref=np.max, top_db=params.top_db).T
    values = mel(y, SR, params)
    assert values.shape == (1 + SR // params.hop_length, params.n_mels)
    np.testing.assert_allclose(values, expected, atol=1e-2)


@pytest.mark.parametrize("hop_length", [512, 441])
@pytest.mark.parametrize("gain", [1e-3, 1.0, 1000.0])
def test_power_is_librosas_as_a_share_of_its_maximum(hop_length, gain):
    params = PARAMS.model_copy(update={"hop_length": hop_length, "scale": "power"})
    y = np.float32(gain) * np.random.default_rng(0).standard_normal(SR).astype(np.float32)
    power = librosa.feature.melspectrogram(y=y, sr=SR, **params.model_dump(exclude={"top_db", "scale"})).T
    values = mel(y, SR, params)
    np.testing.assert_allclose(values, power / power.max(), rtol=1e-4)
    assert (values.dtype, values.max()) == (np.float32, 1.0)
    assert (power.max() > np.finfo(np.float16).max) == (gain == 1000)
    stored = values.astype(np.float16)
    np.testing.assert_allclose(stored, values, rtol=5e-4, atol=3e-8)


def test_power_is_described_as_a_share_and_silence_is_0():
    params = PARAMS.model_copy(update={"scale": "power"})
    description = describe(params, SR)
    assert (description["unit"], description["floor"]) == ("share of the maximum power", 0.0)
    assert description["bins"] == describe(PARAMS, SR)["bins"]
    assert not mel(np.zeros(SR, np.float32), SR, params).any()


def test_a_sine_lies_in_the_band_of_its_frequency():
    y = np.sin(2 * np.pi * 1000 * np.arange(SR) / SR).astype(np.float32)
    bins = np.array(describe(PARAMS, SR)["bins"])
    assert mel(y, SR, PARAMS)[20].argmax() == np.abs(bins - 1000).argmin()


def test_empty_bands_are_logged(caplog):
    with caplog.at_level(logging.WARNING):
        describe(PARAMS, SR)
        assert not caplog.records
        describe(PARAMS.model_copy(update={"n_fft": 128}), SR)
    assert "of 64 bands are empty. Hint: fewer n_mels" in caplog.text
