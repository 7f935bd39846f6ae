"""Differences between two sides that were trained several times: luck of the tracks and of the training."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from genredag.evaluation.intervals import LEVEL, Interval, difference_interval


def training_interval(
    correct_a: np.ndarray,
    correct_b: np.ndarray,
    clusters: np.ndarray,
    seeds: np.ndarray,
    tracks: np.ndarray | None = None,
    *,
    n_resamples: int,
    seed: int,
) -> Interval:
    """Estimate the paired difference of two means, a minus b, of several training seeds, and its interval.

    The interval of `difference_interval`, which is about tracks, and a t interval of the mean over seeds are
    added in quadrature, as independent errors are. Each seed's difference also varies with its tracks, which
    are thus counted twice: the interval is rather too wide than too narrow.

    Parameters
    ----------
    correct_a, correct_b
        0 or 1 for each row, a test track of one seed, (n_rows,).
    clusters
        Name of each row's track or artist, (n_rows,).
    seeds
        The seed of each row, (n_rows,). The bounds are NaN if there is only one seed.
    tracks
        Name of each row's track, (n_rows,); None: each row is a separate track.
    """
    from scipy import stats

    of_tracks = difference_interval(
        correct_a, correct_b, clusters, tracks, n_resamples=n_resamples, seed=seed
    )
    difference = np.asarray(correct_a, dtype=np.float64) - np.asarray(correct_b, dtype=np.float64)
    of_seeds = pd.Series(difference).groupby(np.asarray(seeds)).mean()
    n = len(of_seeds)
    if n < 2:
        return Interval(of_tracks.estimate, math.nan, math.nan)
    luck = float(stats.t.ppf((1 + LEVEL) / 2, n - 1) * of_seeds.std(ddof=1) / math.sqrt(n))
    estimate = of_tracks.estimate
    low = estimate - math.hypot(estimate - of_tracks.low, luck)
    return Interval(estimate, low, estimate + math.hypot(of_tracks.high - estimate, luck))
