"""Intervals that include the luck of training."""

from __future__ import annotations

import numpy as np
import pytest

from genredag.evaluation.intervals import difference_interval
from genredag.evaluation.seeds import training_interval

N = {"n_resamples": 300, "seed": 0}


def simulated(
    rng: np.random.Generator, n_tracks: int, n_seeds: int, gain: float, luck: float
) -> tuple[np.ndarray, ...]:
    """Draw two sides whose trainings differ by `luck` (a standard deviation) and whose mean by `gain`."""
    shape = (n_seeds, n_tracks)
    ease = rng.normal(0, 0.15, n_tracks)
    p_b = 0.6 + ease + rng.normal(0, luck, n_seeds)[:, None]
    p_a = 0.6 + gain + ease + rng.normal(0, luck, n_seeds)[:, None]
    correct = [(rng.random(shape) < np.clip(p, 0, 1)).ravel() for p in (p_a, p_b)]
    tracks = np.tile([f"t{i}" for i in range(n_tracks)], n_seeds)
    return *correct, tracks, np.repeat(np.arange(n_seeds), n_tracks)


def test_luck_widens_the_interval_of_the_tracks() -> None:
    a, b, tracks, seeds = simulated(np.random.default_rng(0), 60, 3, 0.0, 0.15)
    interval = training_interval(a, b, tracks, seeds, **N)
    narrow = difference_interval(a, b, tracks, **N)
    assert interval.estimate == narrow.estimate
    assert interval.low < narrow.low and interval.high > narrow.high


def test_equal_seeds_add_nothing() -> None:
    a, b = np.tile([1, 1, 0, 1, 0], 3), np.tile([1, 0, 0, 1, 0], 3)
    tracks, seeds = np.tile(np.arange(5), 3), np.repeat(np.arange(3), 5)
    assert training_interval(a, b, tracks, seeds, **N) == difference_interval(a, b, tracks, **N)


def test_one_seed_says_nothing_about_luck() -> None:
    interval = training_interval(np.ones(4), np.zeros(4), np.arange(4), np.zeros(4), **N)
    assert interval.estimate == 1
    assert np.isnan([interval.low, interval.high]).all()


@pytest.mark.slow
@pytest.mark.parametrize("luck", [0.0, 0.05, 0.15])
@pytest.mark.parametrize("n_seeds", [2, 3, 5])
def test_coverage(luck: float, n_seeds: int) -> None:
    """Of 400 simulated comparisons, at least 93 % of the intervals hold the true difference."""
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(400):
        interval = training_interval(*simulated(rng, 50, n_seeds, 0.05, luck), **N)
        hits += interval.low <= 0.05 <= interval.high
    assert hits >= 0.93 * 400
