import librosa
import numpy as np
import pytest

from genredag.errors import ParameterError
from genredag.params.groups.spectrograms import Cqt
from genredag.spectrograms.cqt import cqt, describe

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


def test_values_agree_with_librosa():
    y = np.random.default_rng(0).standard_normal(SR).astype(np.float32)
    expected = librosa.amplitude_to_db(np.abs(librosa.cqt(y, sr=SR, fmin=32.7)), ref=np.max)
    np.testing.assert_allclose(cqt(y, SR, PARAMS), expected.T, atol=1e-2)


def test_highest_filter_beyond_half_the_sample_rate_is_refused():
    describe(PARAMS, 8820)
    with pytest.raises(ParameterError, match=r"cqt\.n_bins: the filter of the highest of 84 bins .*4000 Hz"):
        describe(PARAMS, 8000)
