import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.fft import dct

from genredag.frames.patches import LENGTHS, N_PATTERNS, emphasised, patches, patterns


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(-40, 10, shape).astype(np.float32)


@pytest.mark.parametrize("n_frames", [8, 20])
def test_features_are_those_of_each_patch_alone(n_frames):
    """Compute the features of one slice patch by patch, as the docstrings say."""
    (found,) = patches(noise(1, n_frames, 30), 11.0)
    slice_ = noise(1, n_frames, 30)[0].astype(np.float64)
    cepstra = dct(slice_ - slice_.mean(), axis=1, norm="ortho")[:, :16]
    expected = []
    for length, n_over_time in ((2, 2), (4, 4), (8, 6)):
        likeness = []
        for start in range(n_frames - length + 1):
            patch = dct(cepstra[start : start + length].T, axis=1, norm="ortho")[:, :n_over_time]
            patch *= np.arange(1, 17)[:, np.newaxis] ** 0.25 * np.arange(1, n_over_time + 1) ** 0.5
            patch /= np.linalg.norm(patch)
            likeness.append(np.maximum(patch.ravel() @ patterns(patch.size, length), 0))
        expected += [np.sqrt(np.mean(likeness, axis=0)), np.std(likeness, axis=0)]
    assert_allclose(found, np.concatenate(expected), rtol=1e-3, atol=1e-4)


def test_patterns_are_the_same_for_everyone():
    """They are part of every trained model: other patterns would make its predictions wrong."""
    drawn = patterns(32, 2)
    assert_allclose(np.linalg.norm(drawn, axis=0), 1, rtol=1e-6)
    assert_allclose(drawn[0, :3], [-0.07334109, -0.01176339, -0.31282473], rtol=1e-6)
    assert not np.allclose(drawn, patterns(32, 4))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 90), st.integers(1, 40), st.sampled_from([1.0, 11.2, 43.07, 100.0]))
def test_slices_of_any_size_have_the_same_number_of_finite_features(n_frames, n_bins, rate):
    found = patches(noise(2, n_frames, n_bins), rate)
    assert found.dtype == np.float32 and np.isfinite(found).all()
    assert found.shape == (2, 2 * len(LENGTHS) * N_PATTERNS) == (2, 3000)


def test_no_slices_have_no_features():
    assert patches(noise(0, 112, 128), 11.0).shape == (0, 3000)


@pytest.mark.parametrize("value", [0.0, -80.0, 1e-12])
def test_constant_slices_are_like_no_pattern(value):
    assert_allclose(np.square(patches(np.full((2, 40, 20), value, np.float32), 11.0)), 0, atol=0.05)


@settings(max_examples=20, deadline=None)
@given(st.floats(-60, 60), st.floats(0.01, 100))
def test_level_and_gain_do_not_matter(level, gain):
    slices = noise(2, 60, 30) + 40
    assert_allclose(patches(gain * slices + level, 11.0), patches(slices, 11.0), atol=2e-3)


def test_what_hardly_changes_is_looked_at_as_closely():
    changes = noise(2, 60, 30) + 40
    assert_allclose(patches(0.01 * changes - 80, 11.0), patches(changes - 80, 11.0), atol=0.01)


def test_frames_are_averaged_to_a_common_rate():
    fine = np.repeat(noise(2, 80, 30), 4, axis=1)
    assert_allclose(patches(fine, 43.07), patches(fine[:, ::4], 10.77), atol=1e-4)


def test_a_slice_that_is_shorter_than_a_patch_repeats_its_last_frame():
    short = noise(1, 3, 30)
    longer = np.concatenate([short, np.repeat(short[:, -1:], 5, axis=1)], axis=1)
    assert_array_equal(patches(short, 11.0), patches(longer, 11.0))


def test_only_the_order_within_a_patch_matters():
    """Two halves of a slice can be exchanged, but for the patches that lie on both."""
    one, other = noise(1, 200, 30, seed=1), noise(1, 200, 30, seed=2)
    parts = [patches(np.concatenate(order, axis=1), 11.0) for order in ((one, other), (other, one))]
    reversed_ = patches(np.concatenate([one, other], axis=1)[:, ::-1], 11.0)
    exchanged, turned = (np.abs(found - parts[0]).mean() for found in (parts[1], reversed_))
    assert exchanged < turned / 5


def test_emphasis_grows_with_the_number_of_the_coefficient():
    impulse = np.zeros((1, 4, 5), np.float32)
    impulse[0, 0] = 1
    found = emphasised(impulse, 4).reshape(5, 4)
    over_time = dct(np.eye(4)[0], norm="ortho")
    assert_allclose(found, over_time * np.sqrt([1, 2, 3, 4]) * np.arange(1, 6)[:, None] ** 0.25, rtol=1e-5)


@pytest.mark.parametrize("n_slices", [1, 17, 40])
def test_features_do_not_depend_on_the_other_slices(n_slices):
    slices = noise(n_slices, 30, 16)
    assert_allclose(patches(slices, 11.0)[-1:], patches(slices[-1:], 11.0), rtol=1e-4, atol=1e-4)
