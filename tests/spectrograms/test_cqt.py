import librosa
import numpy as np
import pytest

from genredag.errors import ParameterError
from genredag.params.groups.spectrograms import Cqt
from genredag.spectrograms.cqt import HANN_BANDWIDTH, cqt, describe, octaves

SR = 22_050
PARAMS = Cqt(hop_length=512, bins_per_octave=12, n_bins=84, fmin=32.7, top_db=80.0)


@pytest.mark.parametrize("midi", [36, 57, 69, 88])
@pytest.mark.parametrize("hop_length", [512, 441], ids=["512", "odd hop"])
def test_a_note_lies_on_its_bin(midi, hop_length):
    frequency = librosa.midi_to_hz(midi)
    y = np.sin(2 * np.pi * frequency * np.arange(2 * SR) / SR).astype(np.float32)
    params = PARAMS.model_copy(update={"hop_length": hop_length})
    values = cqt(y, SR, params)
    assert values[len(values) // 2].argmax() == midi - 24  # bin 0 is C1, MIDI 24
    assert describe(params, SR)["bins"][midi - 24] == pytest.approx(frequency, rel=1e-3)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"hop_length": 256},
        {"hop_length": 1024},
        {"hop_length": 441},
        {"hop_length": 300},
        {"n_bins": 25},
        {"bins_per_octave": 24, "n_bins": 120},
        {"fmin": 65.4, "n_bins": 60},
        {"top_db": 40.0},
    ],
    ids=str,
)
def test_values_agree_with_librosa(changes):
    params = PARAMS.model_copy(update=changes)
    y = np.random.default_rng(0).standard_normal(SR).astype(np.float32)
    options = params.model_dump(exclude={"top_db"})
    values = cqt(y, SR, params)
    magnitude = np.abs(librosa.cqt(y, sr=SR, **options))[:, : len(values)]
    expected = librosa.amplitude_to_db(magnitude, ref=np.max, top_db=params.top_db)
    assert values.shape == (1 + SR // params.hop_length, params.n_bins)
    np.testing.assert_allclose(values, expected.T, atol=1e-2)


def test_the_bandwidth_of_a_hann_window_is_that_of_librosa():
    assert librosa.filters.window_bandwidth("hann") == HANN_BANDWIDTH


@pytest.mark.parametrize(
    ("changes", "halvings"),
    [
        ({}, [0, 1, 2, 3, 4, 5, 6]),
        ({"hop_length": 441}, [0] * 7),
        ({"hop_length": 300}, [0, 1, 2, 2, 2, 2, 2]),
        ({"n_bins": 36}, [4, 5, 6]),  # ends at 250 Hz
        ({"n_bins": 36, "hop_length": 16}, [2, 3, 4]),
    ],
    ids=str,
)
def test_the_sample_rate_is_halved_as_often_as_the_hop_allows(changes, halvings):
    params = PARAMS.model_copy(update=changes)
    found = octaves(SR, params.hop_length, params.n_bins, params.bins_per_octave, params.fmin)
    assert [octave.halvings for octave in found] == halvings
    bins = np.concatenate([np.arange(params.n_bins)[octave.bins] for octave in reversed(found)])
    np.testing.assert_array_equal(bins, np.arange(params.n_bins))


def test_highest_filter_beyond_half_the_sample_rate_is_refused():
    describe(PARAMS, 8820)
    with pytest.raises(ParameterError, match=r"cqt\.n_bins: the filter of the highest of 84 bins .*4000 Hz"):
        describe(PARAMS, 8000)
