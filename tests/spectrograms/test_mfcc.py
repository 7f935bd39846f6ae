import librosa
import numpy as np
import pytest

from genredag.errors import ParameterError
from genredag.params.groups.spectrograms import Mfcc
from genredag.spectrograms.mfcc import describe, mfcc

SR = 22_050
PARAMS = Mfcc(
    n_fft=2048,
    hop_length=512,
    window="hann",
    n_mels=128,
    fmin=0.0,
    fmax=None,
    top_db=80.0,
    n_mfcc=20,
)


def noise(n_samples: int = SR) -> np.ndarray:
    return 0.1 * np.random.default_rng(0).standard_normal(n_samples).astype(np.float32)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"hop_length": 441},
        {"n_fft": 1024, "window": "hamming"},
        {"n_mels": 40, "n_mfcc": 40},
        {"fmin": 200.0, "fmax": 4000.0},
        {"top_db": 20.0},
    ],
    ids=str,
)
def test_values_agree_with_librosa(changes):
    params = PARAMS.model_copy(update=changes)
    bands = librosa.feature.melspectrogram(
        y=noise(), sr=SR, **params.model_dump(exclude={"top_db", "n_mfcc"})
    )
    decibels = librosa.power_to_db(bands, ref=np.max, top_db=params.top_db)
    values = mfcc(noise(), SR, params)
    assert values.shape == (1 + SR // params.hop_length, params.n_mfcc)
    np.testing.assert_allclose(values, librosa.feature.mfcc(S=decibels, n_mfcc=params.n_mfcc).T, atol=2e-3)


def test_only_the_first_coefficient_differs_from_librosas_default_and_by_a_constant():
    difference = mfcc(noise(), SR, PARAMS) - librosa.feature.mfcc(y=noise(), sr=SR, n_mfcc=20).T
    np.testing.assert_allclose(difference[:, 1:], 0, atol=2e-3)
    assert difference[0, 0] < -50
    np.testing.assert_allclose(difference[:, 0], difference[0, 0], atol=2e-3)


@pytest.mark.parametrize("gain", [1e-3, 1e3])
def test_values_do_not_depend_on_gain(gain):
    np.testing.assert_allclose(
        mfcc(np.float32(gain) * noise(), SR, PARAMS), mfcc(noise(), SR, PARAMS), atol=5e-3
    )


def test_silence_has_only_the_first_coefficient():
    description = describe(PARAMS, SR)
    assert description["unit"] == "feature"
    assert description["floor"] == pytest.approx([-80 * 128**0.5, *[0.0] * 19])
    assert description["bins"][::19] == ["mfcc_1", "mfcc_20"]


def test_a_window_unknown_to_scipy_is_refused():
    with pytest.raises(ParameterError, match=r"representations\.mfcc\.window: 'hahn'"):
        describe(PARAMS.model_copy(update={"window": "hahn"}), SR)
