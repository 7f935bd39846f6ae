import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from genredag.frames import textures
from genredag.frames.textures import (
    averaged,
    centres,
    covariances,
    magnitudes_in_bands,
    modulations,
    responses,
)

N_FILTERS = 82


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(-40, 10, shape).astype(np.float32)


def waves(rate, scale, n_frames=336, n_bins=128):
    """Return a slice that varies `rate` cycles per frame in time and `scale` per bin in frequency."""
    time, bins = np.arange(n_frames)[:, np.newaxis], np.arange(n_bins)
    return np.cos(2 * np.pi * (rate * time + scale * bins)).astype(np.float32)[np.newaxis]


def test_number_of_features():
    assert textures.textures(noise(2, 336, 128), 11.2).shape == (2, 1650)
    assert textures.textures(noise(0, 336, 128), 11.2).shape == (0, 1650)
    assert len(set(centres())) == N_FILTERS


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 90), st.integers(1, 40), st.sampled_from([1.0, 11.2, 43.07, 100.0]))
def test_slices_of_any_size_have_finite_features(n_frames, n_bins, rate):
    found = textures.textures(noise(2, n_frames, n_bins), rate)
    assert found.dtype == np.float32 and np.isfinite(found).all()
    bands, lagged = min(6, n_bins), 3 * min(12, n_bins)
    assert found.shape == (2, 2 * N_FILTERS * bands + lagged * (lagged + 1) // 2)


def test_at_least_32_frames_and_16_bins_of_zeros_follow_a_slice():
    """An impulse at the end of a slice reaches that far into the filters at its beginning."""
    padded = np.array([textures._padded(n, n) for n in range(1, 200)])
    zeros = padded - np.arange(1, 200)[:, np.newaxis]
    assert zeros.min(axis=0).tolist() == [32, 16]


def test_constant_slices_have_no_modulation():
    constant = np.full((2, 40, 20), -80.0, np.float32)
    assert_allclose(modulations(constant), 0, atol=1e-3)
    assert_allclose(covariances(constant), 0, atol=1e-9)


def test_a_wave_passes_the_filter_that_has_its_rate_and_direction():
    for rate, scale in [(1 / 21, 1 / 16), (1 / 21, -1 / 16), (1 / 5.25, 0.0), (0.0, 1 / 8)]:
        means = modulations(waves(rate, scale)).reshape(N_FILTERS, 2, 6)[:, 0].mean(axis=1)
        assert centres()[int(means.argmax())] == (rate, scale)


def test_scales_are_octaves_and_low_passes_end_where_the_slowest_band_begins():
    assert textures.SPECTRAL[1:] == (1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4)
    assert all(1.9 < fast / slow <= 2 for slow, fast in itertools.pairwise(textures.TEMPORAL[1:]))
    n_frames, n_bins = 168 * 4, 64 * 4
    over_time, over_frequency = responses(n_frames, n_bins)
    assert over_frequency.keys() == {sign * scale for scale in textures.SPECTRAL for sign in (1, -1)}
    # Two standard deviations from its centre a bell is exp(-2).
    assert_allclose(over_time[0.0][[0, 4]], [1, np.exp(-2)], rtol=1e-5)  # 4 / 672 = 1 / 168
    assert_allclose(over_frequency[0.0][[0, 4]], [1, np.exp(-2)], rtol=1e-5)  # 4 / 256 = 1 / 64
    assert_allclose([over_time[1 / 42][n_frames // 42], over_frequency[-1 / 8][-n_bins // 8]], 1, rtol=1e-5)


def test_filters_of_two_dimensions_are_products():
    """As if the slices were filtered with the product of both responses at once."""
    from scipy.fft import fft2, ifft2

    slices = noise(3, 50, 24)
    shape = textures._padded(50, 24)
    over_time, over_frequency = responses(*shape)
    spectrum = fft2(slices - slices.mean(axis=(1, 2), keepdims=True), s=shape, axes=(1, 2))
    for (rate, scale), found in magnitudes_in_bands(slices):
        response = over_time[rate][:, np.newaxis] * over_frequency[scale]
        magnitude = np.abs(ifft2(spectrum * response, axes=(1, 2)))[:, :50, :24]
        bands = magnitude.reshape(3, 50, 6, 4).mean(axis=3)
        assert_allclose(found, np.swapaxes(bands, 1, 2), rtol=1e-4, atol=1e-4)


def test_level_and_gain_do_not_matter_after_standardisation():
    slices = noise(4, 60, 30)
    shifted, scaled = (textures.textures(x, 11.0) for x in (slices + 25, 3 * slices))
    found = textures.textures(slices, 11.0)
    n = 2 * N_FILTERS * 6
    assert_allclose(shifted, found, atol=1e-2)
    assert_allclose(scaled[:, :n], np.sqrt(3) * found[:, :n], rtol=1e-3, atol=1e-3)
    assert_allclose(
        scaled[:, n:] - found[:, n:], np.broadcast_to(scaled[0, n:] - found[0, n:], (4, 666)), atol=1e-3
    )


def test_covariances_are_the_logarithm_of_a_matrix():
    slices = noise(1, 50, 4)
    values = covariances(slices)[0]
    side = 12
    matrix = np.zeros((side, side))
    row, column = np.triu_indices(side)
    matrix[row, column] = values / np.where(row == column, 1, np.sqrt(2))
    matrix = matrix + matrix.T - np.diag(np.diag(matrix))
    assert_allclose(np.linalg.norm(matrix), np.linalg.norm(values))
    from scipy.fft import dct
    from scipy.linalg import expm

    cepstra = dct(slices[0].astype(float), axis=1, norm="ortho")
    lagged = np.hstack([cepstra[0:48], cepstra[1:49], cepstra[2:50]])
    expected = np.cov(lagged.T, bias=True)
    assert_allclose(
        expm(matrix), expected + 1e-3 * np.trace(expected) / side * np.eye(side), rtol=1e-3, atol=1e-3
    )


def test_frames_are_averaged_to_a_common_rate():
    ramp = np.arange(10, dtype=np.float32).reshape(1, 10, 1)
    assert_array_equal(averaged(ramp, 4)[0, :, 0], [1.5, 5.5, 8.5])
    assert_array_equal(averaged(ramp[:, :1], 4)[0, :, 0], [0, 0, 0])
    fine = np.repeat(noise(2, 80, 30), 4, axis=1)
    assert_allclose(textures.textures(fine, 43.07), textures.textures(fine[:, ::4], 10.77), atol=1e-4)


@pytest.mark.parametrize("n_slices", [1, 17, 40])
def test_features_do_not_depend_on_the_other_slices(n_slices):
    slices = noise(n_slices, 30, 16)
    alone = textures.textures(slices[-1:], 11.0)
    assert_allclose(textures.textures(slices, 11.0)[-1:], alone, rtol=1e-4, atol=1e-4)
