import numpy as np
import pytest

from genredag.params.groups.spectrograms import Stft
from genredag.spectrograms.stft import describe, log_filters, stft

SR = 22_050
LOG = Stft(n_fft=2048, hop_length=512, window="hann", axis="log", n_bins=216, fmin=32.7, top_db=80.0)
LINEAR = LOG.model_copy(update={"axis": "linear"})


@pytest.mark.parametrize("params", [LOG, LINEAR], ids=["log", "linear"])
@pytest.mark.parametrize("frequency", [110.0, 1000.0, 8000.0])
def test_a_sine_lies_on_the_bin_of_its_frequency(params, frequency):
    y = np.sin(2 * np.pi * frequency * np.arange(SR) / SR).astype(np.float32)
    values, bins = stft(y, SR, params), np.array(describe(params, SR)["bins"])
    assert values.shape == (44, len(bins))
    peak = bins[values[22].argmax()]
    assert abs(peak - frequency) <= max(SR / params.n_fft, 0.03 * frequency)


def test_linear_axis_reaches_half_the_sample_rate():
    bins = describe(LINEAR, SR)["bins"]
    assert (len(bins), bins[0], bins[-1]) == (1025, 0.0, 11_025.0)


def test_log_axis_has_equal_ratios():
    bins = np.array(describe(LOG, SR)["bins"])
    assert (bins[0], bins[-1]) == (32.7, 11_025.0)
    np.testing.assert_allclose(bins[1:] / bins[:-1], (11_025 / 32.7) ** (1 / 215), rtol=1e-4)


@pytest.mark.parametrize(("n_fft", "n_bins", "fmin"), [(2048, 216, 32.7), (256, 500, 5.0), (4096, 2, 100.0)])
def test_no_log_filter_is_empty_and_all_keep_the_level(n_fft, n_bins, fmin):
    filters = log_filters(SR, n_fft, n_bins, fmin)
    np.testing.assert_allclose(filters.sum(axis=1), 1, rtol=1e-5)
    assert filters.data.min() > 0
    assert filters.shape == (n_bins, n_fft // 2 + 1)


def test_low_log_filters_interpolate():
    filters = log_filters(SR, 2048, 216, 32.7)
    spectrum = np.arange(1025) * SR / 2048  # a ramp is its own interpolation
    centres = np.array(describe(LOG, SR)["bins"])[:20]
    np.testing.assert_allclose((filters @ spectrum)[:20], centres, atol=0.01)
