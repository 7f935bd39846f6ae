import logging

import librosa
import numpy as np

from genredag.params.groups.spectrograms import Mel
from genredag.spectrograms.mel import describe, mel

SR = 22_050
PARAMS = Mel(n_fft=2048, hop_length=512, window="hann", n_mels=64, fmin=20.0, fmax=8000.0, top_db=80.0)


def test_values_agree_with_librosa():
    y = np.random.default_rng(0).standard_normal(SR).astype(np.float32)
    power = librosa.feature.melspectrogram(
        y=y, sr=SR, n_fft=2048, hop_length=512, n_mels=64, fmin=20.0, fmax=8000.0
    )
    np.testing.assert_allclose(mel(y, SR, PARAMS), librosa.power_to_db(power, ref=np.max).T, atol=1e-2)


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
