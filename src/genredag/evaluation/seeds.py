"""The luck of training: what several seeds add to the error over tracks.

Two errors are independent: which artists are in the test set, and how the seeds turned out. Their variances
add up, each with its own degrees of freedom (Satterthwaite 1946). The variance of the seeds includes some of
that of the tracks, so the sum is rather too large than too small.
"""

from __future__ import annotations

import numpy as np


def seed_variance(of_seeds: np.ndarray) -> np.ndarray:
    """Return the variance of the mean of seeds, 0 for a single seed.

    Parameters
    ----------
    of_seeds
        The value of each seed, (n_seeds, ...).
    """
    if len(of_seeds) < 2:
        return np.zeros(np.shape(of_seeds)[1:])
    return np.var(of_seeds, axis=0, ddof=1) / len(of_seeds)


def degrees_of_freedom(
    error: np.ndarray, n_clusters: float, variance: np.ndarray, n_seeds: int
) -> np.ndarray:
    """Return the degrees of freedom of a squared `error` over clusters plus a `variance` over seeds.

    They are at most those of the clusters, so that luck never makes an interval shorter.

    Parameters
    ----------
    n_clusters
        The effective number of clusters.
    """
    of_clusters, of_seeds = max(n_clusters, 2.0) - 1, max(n_seeds - 1, 1)
    parts = error**4 / of_clusters + variance**2 / of_seeds
    total = (error**2 + variance) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(parts > 0, np.minimum(total / parts, of_clusters), of_clusters)


def with_luck(
    estimate: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    of_seeds: np.ndarray,
    n_clusters: float,
    level: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Widen an interval over clusters by the luck of training; equal or single seeds add nothing.

    Parameters
    ----------
    estimate, low, high
        The interval, whose two sides may differ, (...).
    of_seeds
        The value of each seed, (n_seeds, ...).
    n_clusters
        The effective number of clusters.
    level
        The level of the interval, such as 0.95.

    Returns
    -------
    tuple[np.ndarray, np.ndarray]
        The bounds, (...).
    """
    variance = seed_variance(of_seeds)
    below, above = (
        _added(half, variance, len(of_seeds), n_clusters, level) for half in (estimate - low, high - estimate)
    )
    return low - below, high + above


def _added(
    half: np.ndarray, variance: np.ndarray, n_seeds: int, n_clusters: float, level: float
) -> np.ndarray:
    """Return by how much one side of an interval, `half`, grows."""
    from scipy import stats

    share = (1 + level) / 2
    error = half / stats.t.ppf(share, max(n_clusters, 2.0) - 1)
    freedom = degrees_of_freedom(error, n_clusters, variance, n_seeds)
    return np.where(variance > 0, stats.t.ppf(share, freedom) * np.sqrt(error**2 + variance) - half, 0.0)
