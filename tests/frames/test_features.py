from typing import get_args

import numpy as np
import pytest
import scipy.stats
from numpy.testing import assert_allclose

from genredag.errors import ModelError
from genredag.frames.features import FEATURE_SETS, OF_SPECTROGRAMS, choose, features, slice_statistics
from genredag.models.registry import learners
from genredag.params.groups.models import Features
from genredag.params.groups.spectrograms import Handcrafted
from genredag.spectrograms.handcrafted import describe

BINS = describe(Handcrafted(n_fft=2048, hop_length=512, n_mfcc=30), 22_050)["bins"]


@pytest.fixture
def slices():
    return np.random.default_rng(0).normal(2, 3, (4, 50, len(BINS))).astype(np.float32)


def series(slices, name):
    return slices[:, :, BINS.index(name)]


def test_closed_form():
    ramp = np.arange(5.0)
    square = np.array([1.0, -1, 1, -1, 1])
    found = slice_statistics(np.stack([ramp, square], axis=1)[np.newaxis].astype(np.float32))
    assert found.dtype == np.float32
    expected = [2, 0.2, np.sqrt(2), np.sqrt(0.96), 1, 0, 0, 2]
    assert_allclose(found, [expected], atol=1e-6)


def test_shape():
    assert slice_statistics(np.zeros((3, 4, 5), np.float32)).shape == (3, 20)
    assert slice_statistics(np.zeros((0, 4, 5), np.float32)).shape == (0, 20)


def test_one_frame_has_no_differences():
    with pytest.raises(ModelError, match="slices of 1 frame; expected at least 2"):
        slice_statistics(np.zeros((3, 1, 5), np.float32))


@pytest.mark.parametrize("name", FEATURE_SETS)
def test_a_set_has_the_number_of_features_in_its_name(slices, name):
    found = features(slices, BINS, name)
    assert found.shape == (4, int(name.split("_")[1])) and found.dtype == np.float32
    assert features(slices[:0], BINS, name).shape == (0, found.shape[1])


def test_bin_statistics_need_no_names(slices):
    np.testing.assert_array_equal(features(slices, [], "bin_statistics"), slice_statistics(slices))


def test_means_and_deviations(slices):
    found = features(slices, BINS, "features_89_centroid")
    mfcc, centroid = series(slices, "mfcc_1"), 1000 * series(slices, "centroid_khz")  # in Hz
    assert_allclose(found[:, :2], np.stack([mfcc.mean(axis=1), mfcc.std(axis=1)], 1), rtol=1e-5)
    assert_allclose(found[:, -3:-1], np.stack([centroid.mean(axis=1), centroid.std(axis=1)], 1), rtol=1e-5)
    assert_allclose(found[:, -1], series(slices, "tempo_bpm").mean(axis=1), rtol=1e-5)


def test_six_statistics_are_those_of_scipy(slices):
    found = features(slices, BINS, "features_133")[:, 132 - 6 : 132]
    x = series(slices, "mfcc_13").astype(np.float64)
    moments = [scipy.stats.kurtosis(x, axis=1), scipy.stats.skew(x, axis=1)]
    expected = [x.max(axis=1), x.min(axis=1), x.mean(axis=1), x.std(axis=1), *moments]
    assert_allclose(found, np.stack(expected, axis=1), rtol=1e-4, atol=1e-5)


def test_frequencies_are_in_hz(slices):
    """Of the published trees' features, a threshold of 0.16 would drop deviations of the centroid in kHz."""
    found = features(slices, BINS, "features_133")
    for name, first in (("centroid_khz", 0), ("rolloff_khz", 6), ("bandwidth_khz", 36)):
        x = series(slices, name).astype(np.float64)
        expected = [1000 * x.max(axis=1), 1000 * x.mean(axis=1), 1000 * x.std(axis=1)]
        assert_allclose(found[:, [first, first + 2, first + 3]], np.stack(expected, axis=1), rtol=1e-5)
        assert_allclose(found[:, first + 4], scipy.stats.kurtosis(x, axis=1), rtol=1e-3, atol=1e-4)


def test_a_constant_series_has_no_moments():
    constant = np.full((2, 50, len(BINS)), 0.1, np.float32)
    with np.errstate(all="raise"):  # nothing is divided by the deviation of 0
        found = features(constant, BINS, "features_133")
    assert_allclose(found[0, :6], [100, 100, 100, 0, 0, 0], atol=1e-4)  # in Hz
    assert np.isfinite(found).all()


def test_contrast_is_one_series(slices):
    bands = [series(slices, f"contrast_{i}") for i in range(1, 8)]
    largest = np.max([band.max(axis=1) for band in bands], axis=0)
    assert_allclose(features(slices, BINS, "features_133")[:, 18], largest)


@pytest.mark.parametrize("name", FEATURE_SETS)
def test_other_frames_are_refused(slices, name):
    with pytest.raises(ModelError, match=f"{name}: the frames have no .*expected the representation handcr"):
        features(slices, [50.0] * len(BINS), name)


def test_networks_and_recipes_name_sets_that_exist():
    named = {learner.features for learner in learners().values() if learner.features}
    assert named == FEATURE_SETS.keys() - {"features_133"} | {"bin_means"}
    assert set(get_args(Features)) == {"bin_means", "bin_statistics", "textures", "patches", *FEATURE_SETS}
    for learner in learners().values():
        if learner.features in FEATURE_SETS:
            assert learner.published_input == (int(learner.features.split("_")[1]), 1, 1)


def test_the_first_set_that_the_columns_allow(slices):
    sets = ["features_133", "bin_statistics"]
    assert choose(sets, BINS) == "features_133"
    assert choose(sets, [100.0, 200.0]) == choose("bin_statistics", []) == "bin_statistics"
    with pytest.raises(ModelError, match=r"features_133: the frames have no centroid_khz"):
        choose(["features_133", "features_30"], [100.0, 200.0])


def test_means_of_the_columns(slices):
    found = features(slices, [], "bin_means")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, slices.mean(axis=1), rtol=1e-6)


@pytest.mark.parametrize("name", ["bin_means", "bin_statistics", "textures", "patches", *FEATURE_SETS])
def test_padding_is_left_out(slices, name):
    padded, n_valid = slices.copy(), np.array([50, 20, 33, 20])
    for one, n in zip(padded, n_valid, strict=True):
        one[n:] = 0
    found = features(padded, BINS, name, n_valid)
    alone = [features(slices[i : i + 1, :n], BINS, name)[0] for i, n in enumerate(n_valid)]
    np.testing.assert_allclose(found, alone, rtol=1e-4 if name in OF_SPECTROGRAMS else 0, atol=1e-6)


def test_one_valid_frame_does_not_change(slices):
    found = features(slices, BINS, "bin_statistics", np.array([50, 50, 50, 1]))[3].reshape(4, -1)
    np.testing.assert_array_equal(found, [slices[3, 0], *np.zeros((3, len(BINS)))])
