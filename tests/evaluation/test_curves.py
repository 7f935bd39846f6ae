import numpy as np
import pandas as pd
import pytest

from genredag.errors import DataError
from genredag.evaluation.curves import (
    calibration_error,
    reliability_bins,
    reliability_by_level,
    roc_points,
)


def table(genres, p_blues):
    """Return predictions of two genres from the probability of the first."""
    p = np.asarray(p_blues, float)
    predicted = np.where(p > 0.5, "blues", "rock")
    return pd.DataFrame({"genre": genres, "predicted": predicted, "p_blues": p, "p_rock": 1 - p})


def test_roc_in_closed_form():
    points = roc_points(table(["blues", "rock", "blues", "rock"], [0.9, 0.7, 0.6, 0.1]))
    blues = points[points["genre"] == "blues"]
    assert blues[["fpr", "tpr"]].to_numpy().tolist() == [[0, 0], [0, 0.5], [0.5, 0.5], [0.5, 1], [1, 1]]
    assert points["genre"].unique().tolist() == ["blues", "rock"]


def test_a_genre_of_all_or_no_rows_has_no_roc():
    points = roc_points(table(["blues", "blues"], [0.9, 0.7]))
    assert list(points) == ["genre", "fpr", "tpr"]
    assert points.empty


def test_reliability_in_closed_form():
    bins = reliability_bins(table(["blues", "rock", "blues", "blues"], [0.92, 0.94, 0.96, 1.0]))
    assert bins.to_dict("records") == [{"confidence": pytest.approx(0.955), "accuracy": 0.75, "n": 4}]


def test_bins_have_equal_width_and_empty_ones_are_left_out():
    bins = reliability_bins(table(["blues"] * 3, [0.55, 0.75, 0.76]))
    assert bins["n"].tolist() == [1, 2]
    np.testing.assert_allclose(bins["confidence"], [0.55, 0.755])


def test_the_error_is_the_mean_distance():
    assert calibration_error(table(["rock"] * 4, [1.0] * 4)) == 1
    assert calibration_error(table(["blues"] * 4, [1.0] * 4)) == 0
    three_of_four = table(["blues", "blues", "blues", "rock"], [0.75] * 4)
    assert calibration_error(three_of_four) == pytest.approx(0)


def test_a_calibrated_model_has_a_small_error():
    rng = np.random.default_rng(0)
    p = rng.random(20000)
    genres = np.where(rng.random(20000) < p, "blues", "rock")
    assert calibration_error(table(genres, p)) < 0.02
    assert calibration_error(table(genres, np.where(p > 0.5, 0.99, 0.01))) == pytest.approx(0.24, abs=0.02)


def test_levels_are_concatenated():
    slices, tracks = table(["blues"] * 3, [0.9] * 3), table(["blues"], [0.9])
    bins = reliability_by_level(slices, tracks)
    assert bins[["level", "n"]].to_numpy().tolist() == [["slice", 3], ["track", 1]]


def test_a_confidence_that_was_rounded_to_more_than_1_is_counted():
    bins = reliability_bins(table(["blues", "blues"], [1 + 1e-7, 0.95]))
    assert bins["n"].tolist() == [2]


def test_no_rows_have_no_bins():
    assert reliability_bins(table([], [])).empty


def test_probabilities_are_required():
    with pytest.raises(DataError, match="no columns p_<genre>"):
        reliability_bins(pd.DataFrame({"genre": ["a"], "predicted": ["a"]}))
