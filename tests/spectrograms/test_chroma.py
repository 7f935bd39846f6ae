import librosa
import numpy as np
import pytest

from genredag.errors import ParameterError
from genredag.params.groups.spectrograms import ChromaCens, ChromaCqt, ChromaStft
from genredag.spectrograms import chroma_cens, chroma_cqt, chroma_stft
from genredag.spectrograms.chroma_cens import chroma_cens as cens
from genredag.spectrograms.chroma_cqt import chroma_cqt as of_cqt
from genredag.spectrograms.chroma_stft import chroma_stft as of_stft
from genredag.spectrograms.column_names import PITCH_CLASSES, axis_label, pitch_names

SR = 22_050
STFT = ChromaStft(hop_length=512, n_chroma=12, tuning=0.0, n_fft=2048, window="hann")
CQT = ChromaCqt(hop_length=512, n_chroma=12, tuning=0.0, bins_per_octave=36, n_octaves=7, fmin=32.7)
CENS = ChromaCens(**CQT.model_dump(), smooth_frames=41)


def chord(n_samples: int = 2 * SR, midi: tuple[int, ...] = (57, 61, 64)) -> np.ndarray:
    """A chord of decaying notes, and noise."""
    time = np.arange(n_samples) / SR
    tones = sum(np.sin(2 * np.pi * librosa.midi_to_hz(note) * time) for note in midi)
    y = tones * np.exp(-2 * (time % 0.7)) + 0.05 * np.random.default_rng(0).standard_normal(n_samples)
    return (0.1 * y).astype(np.float32)


@pytest.mark.parametrize(
    "changes",
    [{}, {"hop_length": 441}, {"n_fft": 4096, "window": "hamming"}, {"n_chroma": 24}, {"tuning": 0.25}],
    ids=str,
)
def test_chroma_of_an_stft_agree_with_librosa(changes):
    params = STFT.model_copy(update=changes)
    values = of_stft(chord(), SR, params)
    expected = librosa.feature.chroma_stft(y=chord(), sr=SR, **params.model_dump())
    assert values.shape == (1 + 2 * SR // params.hop_length, params.n_chroma)
    np.testing.assert_allclose(values, expected.T, atol=1e-5)


CQT_CHANGES = [
    {},
    {"hop_length": 256},
    {"hop_length": 441},
    {"n_chroma": 36},
    {"bins_per_octave": 12, "n_octaves": 5, "fmin": 65.4},
    {"tuning": -0.3},
]


@pytest.mark.parametrize("changes", CQT_CHANGES, ids=str)
def test_chroma_of_a_constant_q_transform_agree_with_librosa(changes):
    params = CQT.model_copy(update=changes)
    values = of_cqt(chord(), SR, params)
    expected = librosa.feature.chroma_cqt(y=chord(), sr=SR, **params.model_dump()).T[: len(values)]
    assert values.shape == (1 + 2 * SR // params.hop_length, params.n_chroma)
    np.testing.assert_allclose(values, expected, atol=1e-4)


@pytest.mark.parametrize("changes", [*CQT_CHANGES, {"smooth_frames": 1}, {"smooth_frames": 10}], ids=str)
def test_cens_agree_with_librosa(changes):
    params = CENS.model_copy(update=changes)
    options = params.model_dump(exclude={"smooth_frames"})
    values = cens(chord(), SR, params)
    expected = librosa.feature.chroma_cens(y=chord(), sr=SR, win_len_smooth=params.smooth_frames, **options)
    expected = expected.T[: len(values)]
    assert values.shape == (1 + 2 * SR // params.hop_length, params.n_chroma)
    # A share of a frame that is on a threshold of the quantisation may be rounded to either side.
    assert np.isclose(values, expected, atol=1e-4).mean() > 0.99
    np.testing.assert_allclose(np.linalg.norm(values, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(("transform", "params"), [(of_stft, STFT), (of_cqt, CQT), (cens, CENS)])
def test_the_notes_of_a_chord_are_strongest(transform, params):
    mean = transform(chord(), SR, params).mean(axis=0)
    assert {PITCH_CLASSES[i] for i in np.argsort(mean)[-3:]} == {"A", "C#", "E"}


@pytest.mark.parametrize(
    ("module", "params", "name"), [(chroma_cqt, CQT, "chroma_cqt"), (chroma_cens, CENS, "chroma_cens")]
)
def test_transforms_that_librosa_cannot_compute_are_refused(module, params, name):
    with pytest.raises(
        ParameterError, match=rf"{name}\.bins_per_octave: 30; expected a multiple of n_chroma"
    ):
        module.describe(params.model_copy(update={"bins_per_octave": 30}), SR)
    with pytest.raises(ParameterError, match=rf"{name}\.n_octaves: the filter of the highest .*11025 Hz"):
        module.describe(params.model_copy(update={"n_octaves": 9}), SR)


def test_a_window_unknown_to_scipy_is_refused():
    with pytest.raises(ParameterError, match=r"representations\.chroma_stft\.window: 'hahn'"):
        chroma_stft.describe(STFT.model_copy(update={"window": "hahn"}), SR)


@pytest.mark.parametrize("n_chroma", range(2, 97))
def test_pitch_classes_have_names_of_their_own(n_chroma):
    names = pitch_names(n_chroma)
    assert names[0] == "C"
    assert len(set(names)) == n_chroma
    assert axis_label(names) == "pitch class"


def test_quarter_tones_are_named_in_cents():
    assert pitch_names(24)[:4] == ["C", "C+50 cents", "C#", "C#+50 cents"]
    assert (axis_label([20.0, 40.0]), axis_label(["mfcc_1", "mfcc_2"])) == ("Hz", "")
