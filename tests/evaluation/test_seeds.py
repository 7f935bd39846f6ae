"""Intervals and tests that include the luck of training."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from genredag.evaluation.comparisons import compare, paired_tests
from genredag.evaluation.intervals import (
    Interval,
    accuracy_interval,
    bootstrap,
    difference_interval,
    macro_f1_interval,
    ratio,
)
from genredag.evaluation.seeds import degrees_of_freedom, seed_variance, with_luck
from simulated_artists import sizes_of

DRAWS = {"n_resamples": 300, "seed": 0}
ACCURACY = 0.75
LUCK = (0.0, 0.03, 0.06)


def lucky(p: np.ndarray, gain: np.ndarray, accuracy: float = ACCURACY) -> np.ndarray:
    """Return the probabilities that tracks are right after a training whose accuracy is `gain` higher."""
    better = p + (1 - p) * gain / (1 - accuracy)
    return np.clip(np.where(gain > 0, better, p * (1 + gain / accuracy)), 0, 1)


def track_probabilities(sizes: np.ndarray, n_sets: int, rng: np.random.Generator) -> np.ndarray:
    """Draw how often each track is right, (n_tracks, n_sets); artists and tracks differ."""
    artist = np.repeat(np.arange(len(sizes)), sizes)
    p = rng.beta(4 * ACCURACY, 4 * (1 - ACCURACY), (len(sizes), n_sets))[artist]
    return rng.beta(4 * p + 1e-6, 4 * (1 - p) + 1e-6)


def simulate(
    sizes: np.ndarray, n_seeds: int, luck: float, same: bool, n_sets: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw hits, (n_seeds, n_tracks, n_sets): seeds test the same tracks, or each its own."""
    p = track_probabilities(sizes, n_sets, rng)
    found = []
    for _ in range(n_seeds):
        tracks = p if same else track_probabilities(sizes, n_sets, rng)
        found.append(rng.random(p.shape) < lucky(tracks, rng.normal(0, luck, n_sets)))
    return np.stack(found)


def coverage(
    n_tracks: int, n_seeds: int, luck: float, same: bool, n_sets: int, include_luck: bool = True
) -> float:
    """Return the share of intervals of accuracy that hold the truth, over ten simulations of artists."""
    rng = np.random.default_rng([n_tracks, n_seeds, round(100 * luck), same])
    covered = []
    for _ in range(10):
        sizes = sizes_of(n_tracks, True, rng)
        hits = simulate(sizes, n_seeds, luck, same, n_sets // 10, rng)
        of_artists = np.add.reduceat(hits, np.cumsum(sizes) - sizes, axis=1, dtype=float)
        clusters = of_artists.sum(axis=0) if same else of_artists.reshape(-1, n_sets // 10)
        rows = n_seeds * sizes if same else np.tile(sizes, n_seeds)
        sums = np.stack([clusters, np.broadcast_to(rows[:, None], clusters.shape)], axis=1)
        found = bootstrap(sums, moved_ratio, rows, "BCa", 1000, int(rng.integers(2**31)))
        of_seeds = hits.mean(axis=1) if include_luck else np.zeros((1, n_sets // 10))
        n = rows.sum() ** 2 / (rows**2).sum()
        low, high = with_luck(hits.mean(axis=(0, 1)), found.low, found.high, of_seeds, n, 0.95)
        covered.append((low <= ACCURACY) & (high >= ACCURACY))
    return float(np.mean(covered))


def moved_ratio(totals: np.ndarray) -> np.ndarray:
    return ratio(np.moveaxis(totals, 1, -1))


def paired(
    n_tracks: int, n_seeds: int, luck: float, same: bool, n_sets: int, include_luck: bool = True
) -> pd.DataFrame:
    """Test pairs of equally good models, whose trainings had different luck."""
    rng = np.random.default_rng([n_tracks, n_seeds, round(100 * luck), same, 1])
    sizes = sizes_of(n_tracks, True, rng)
    p = track_probabilities(sizes, n_sets, rng)
    columns = []
    for _ in range(n_seeds):
        tracks = p if same else track_probabilities(sizes, n_sets, rng)
        sides = [rng.random(p.shape) < lucky(tracks, rng.normal(0, luck, n_sets)) for _ in "ab"]
        columns.append(np.concatenate(sides, axis=1))
    artist, seeds = np.repeat(np.arange(len(sizes)), sizes), np.repeat(np.arange(n_seeds), n_tracks)
    clusters = np.tile(artist, n_seeds) + (0 if same else len(sizes) * seeds)
    ids = np.tile(np.arange(n_tracks), n_seeds) + (0 if same else n_tracks * seeds)
    pairs = [(i, i + n_sets) for i in range(n_sets)]
    both = np.concatenate(columns).astype(float)
    return paired_tests(both, clusters, pairs, ids, seeds if include_luck else None, n_resamples=500, seed=0)


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("luck", LUCK)
def test_intervals_with_three_seeds_cover_the_truth(luck: float, same: bool) -> None:
    assert coverage(100, 3, luck, same, 1000) >= 0.925


def test_intervals_over_tracks_alone_cover_the_truth_too_rarely() -> None:
    assert coverage(100, 3, 0.06, True, 1000, include_luck=False) < 0.88


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("luck", LUCK)
def test_equal_models_with_different_luck_are_rarely_called_different(luck: float, same: bool) -> None:
    table = paired(100, 3, luck, same, 500)
    assert (table["p_bootstrap"] < 0.05).mean() <= 0.10
    assert ((table["low"] > 0) | (table["high"] < 0)).mean() <= 0.10


def test_a_test_over_tracks_alone_calls_equal_models_different() -> None:
    table = paired(100, 3, 0.06, True, 500, include_luck=False)
    assert (table["p_bootstrap"] < 0.05).mean() > 0.12


@pytest.mark.slow
@pytest.mark.parametrize("n_tracks", [50, 100, 290])
@pytest.mark.parametrize("n_seeds", [2, 3, 5])
@pytest.mark.parametrize("luck", LUCK)
@pytest.mark.parametrize("same", [True, False])
def test_luck_is_covered_in_every_setting(n_tracks: int, n_seeds: int, luck: float, same: bool) -> None:
    """The figures in docs/evaluation.md; run this file to print them."""
    # Two seeds hardly show how much luck varies.
    least, most = (0.90, 0.16) if n_seeds == 2 else (0.93, 0.09)
    assert coverage(n_tracks, n_seeds, luck, same, 2000) >= least
    table = paired(n_tracks, n_seeds, luck, same, 1000)
    assert (table["p_bootstrap"] < 0.05).mean() <= most
    assert ((table["low"] > 0) | (table["high"] < 0)).mean() <= most


def rows_of(n_seeds: int) -> dict[str, np.ndarray]:
    """Return five tracks per seed, of which later seeds get fewer right."""
    correct = np.concatenate([np.arange(5) < 4 - i for i in range(n_seeds)]).astype(float)
    seeds = np.repeat(np.arange(n_seeds), 5)
    return {"correct": correct, "tracks": np.tile(np.arange(5), n_seeds), "seeds": seeds}


def test_luck_widens_every_interval() -> None:
    rows = rows_of(3)
    genres = np.where(np.arange(15) % 5 < 3, "jazz", "rock")
    predicted = np.where(rows["correct"] > 0, genres, "pop")
    one = np.zeros(15)
    for interval in (
        lambda seeds: accuracy_interval(rows["correct"], rows["tracks"], seeds, **DRAWS),
        lambda seeds: macro_f1_interval(genres, predicted, ["jazz", "rock"], rows["tracks"], seeds, **DRAWS),
        lambda seeds: difference_interval(
            rows["correct"], one, rows["tracks"], rows["tracks"], seeds, **DRAWS
        ),
    ):
        wide, narrow = interval(rows["seeds"]), interval(None)
        assert wide.estimate == narrow.estimate
        assert wide.low < narrow.low and wide.high > narrow.high
        assert interval(np.zeros(15)) == narrow  # one seed adds nothing


def test_rates_stay_between_0_and_1() -> None:
    correct = np.repeat([1.0, 1.0, 0.0], 5)
    found = accuracy_interval(correct, np.arange(15), np.repeat([0, 1, 2], 5), **DRAWS)
    assert (found.low, found.high) == (0, 1)


def test_equal_seeds_add_nothing() -> None:
    a, b = np.tile([1, 1, 0, 1, 0], 3), np.tile([1, 0, 0, 1, 0], 3)
    tracks, seeds = np.tile(np.arange(5), 3), np.repeat(np.arange(3), 5)
    assert difference_interval(a, b, tracks, tracks, seeds, **DRAWS) == difference_interval(
        a, b, tracks, tracks, **DRAWS
    )


def test_one_artist_has_no_interval_with_seeds_either() -> None:
    found = accuracy_interval(np.array([1.0, 0.0]), np.zeros(2), np.arange(2), **DRAWS)
    assert found.estimate == 0.5 and np.isnan([found.low, found.high]).all()


def test_luck_alone_gives_the_t_interval_of_the_seeds() -> None:
    """Without an error over clusters, the interval of the mean of three seeds is Student's."""
    of_seeds = np.array([0.6, 0.7, 0.75])
    mean = np.float64(of_seeds.mean())
    low, high = with_luck(mean, mean, mean, of_seeds, 100.0, 0.95)
    expected = stats.t.interval(0.95, 2, of_seeds.mean(), stats.sem(of_seeds))
    np.testing.assert_allclose((low, high), expected)
    assert seed_variance(of_seeds) == pytest.approx(stats.sem(of_seeds) ** 2)
    assert seed_variance(np.ones((1, 3))).tolist() == [0, 0, 0]


def test_degrees_of_freedom_are_satterthwaites() -> None:
    """Of two equal variances with 12 and 4 degrees of freedom, the sum has 12 (Welch's t test)."""
    assert degrees_of_freedom(np.float64(0.1), 13, np.float64(0.01), 5) == pytest.approx(12)
    assert degrees_of_freedom(np.float64(0.1), 101, np.float64(0.01), 3) == pytest.approx(
        4 / (1 / 100 + 1 / 2)
    )
    # Those of the clusters are the most.
    assert degrees_of_freedom(np.float64(0.1), 5, np.float64(0.01), 5) == 4
    assert degrees_of_freedom(np.float64(0.1), 5, np.float64(0.0), 3) == pytest.approx(4)
    assert degrees_of_freedom(np.float64(0.0), 5, np.float64(0.0), 3) == 4


def test_compare_passes_the_seeds_on() -> None:
    rows = rows_of(3)
    correct = pd.DataFrame({"a": rows["correct"], "b": np.zeros(15)})
    with_seeds, without = (
        compare(correct, rows["tracks"], rows["tracks"], seeds, **DRAWS).iloc[0]
        for seeds in (rows["seeds"], None)
    )
    assert with_seeds["p_bootstrap"] > without["p_bootstrap"]
    assert with_seeds["low"] < without["low"]


def test_an_interval_over_one_seed_is_unchanged() -> None:
    interval = Interval(0.5, 0.4, 0.7)
    low, high = with_luck(np.float64(0.5), np.float64(0.4), np.float64(0.7), np.array([0.5]), 9.0, 0.95)
    assert (interval.low, interval.high) == pytest.approx((low, high))


def _print_tables() -> None:
    """Print the tables of docs/evaluation.md: ranges over the three sizes; in brackets without luck."""
    covered, different = [], []
    for same in (True, False):
        for n_seeds in (2, 3, 5):
            cells = [[(n, n_seeds, luck, same) for n in (50, 100, 290)] for luck in LUCK]
            first = f"| {'the same' if same else 'different'}, {n_seeds} seeds"
            for lines, measure in ((covered, _covered), (different, _called_different)):
                texts = [
                    f"{_range(measure(*cell) for cell in column)} % "
                    f"({_range(measure(*cell, include_luck=False) for cell in column)})"
                    for column in cells
                ]
                lines.append(" | ".join([first, *texts]) + " |")
    print(*covered, "", *different, sep="\n")


def _covered(*cell: float, include_luck: bool = True) -> float:
    return coverage(*cell, 2000, include_luck=include_luck)


def _called_different(*cell: float, include_luck: bool = True) -> float:
    return float((paired(*cell, 1000, include_luck=include_luck)["p_bootstrap"] < 0.05).mean())


def _range(shares: Iterable[float]) -> str:
    found = [f"{100 * share:.1f}" for share in sorted(shares)]
    return f"{found[0]}-{found[-1]}"


if __name__ == "__main__":
    _print_tables()
