"""95 % intervals by bootstrap over clusters: whole tracks, or whole artists where they are known.

Tracks of one artist, and one track under several seeds, succeed and fail together: they are drawn together.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from genredag.errors import DataError
from genredag.tracks.artists import artist_groups

LEVEL = 0.95
# What is added to a column's name for an estimate and its two bounds.
ENDS = ("", "_low", "_high")
Method = Literal["percentile", "BCa"]
_BATCH_SIZE = 2**22


@dataclass(frozen=True)
class Interval:
    """An estimate and its 95 % interval; NaN bounds where a single cluster allows none."""

    estimate: float
    low: float
    high: float

    @classmethod
    def of_columns(cls, row: Mapping[str, float], name: str) -> Interval:
        """Read the columns that `columns` names."""
        return cls(*(row[f"{name}{end}"] for end in ENDS))

    def columns(self, name: str) -> dict[str, float]:
        """Return a rate in percent, with two decimals, as ``<name>``, ``<name>_low`` and ``<name>_high``."""
        values = (self.estimate, self.low, self.high)
        return {f"{name}{end}": round(100 * value, 2) for end, value in zip(ENDS, values, strict=True)}

    def text(self, digits: int = 1, sign: Literal["-", "+"] = "-") -> str:
        """Return the estimate and its bounds, such as ``4.0 (1.2 to 7.1)``."""
        bounds = f" ({self.low:.{digits}f} to {self.high:.{digits}f})"
        return f"{self.estimate:{sign}.{digits}f}{'' if math.isnan(self.low) else bounds}"


def cluster_names(predictions: pd.DataFrame) -> np.ndarray:
    """Return what each row is drawn with: its artist, or its track where the artist isn't known.

    Spellings of a name, and collaborations among the rows, are one: see `artist_groups`.
    """
    artist = artist_groups(predictions["artist"])
    return ("artist " + artist).where(artist.notna(), "track " + predictions["track_id"]).to_numpy(object)


def accuracy_interval(correct: np.ndarray, clusters: np.ndarray, *, n_resamples: int, seed: int) -> Interval:
    """Estimate the mean of `correct` and its interval: Wilson's if each row is a cluster, else by bootstrap.

    Parameters
    ----------
    correct
        0 or 1 (or a share) of each row, (n_rows,).
    clusters
        Name of each row's track or artist, (n_rows,).

    Raises
    ------
    DataError
        There are no rows.
    """
    correct = np.asarray(correct, dtype=np.float64)
    rows = np.stack([correct, np.ones_like(correct)], axis=1)
    if len(set(clusters)) == len(rows) > 1 and set(correct) <= {0, 1}:
        return _binomial_interval(correct)
    return _rate_interval(rows, clusters, ratio, n_resamples, seed)


def macro_f1_interval(
    actual: Sequence[str],
    predicted: Sequence[str],
    labels: Sequence[str],
    clusters: np.ndarray,
    *,
    n_resamples: int,
    seed: int,
) -> Interval:
    """Estimate macro F1 over the classes `labels` and its interval; see `accuracy_interval`."""
    names = np.asarray(labels, dtype=object)
    is_actual, is_predicted = (np.asarray(x, dtype=object)[:, None] == names for x in (actual, predicted))
    rows = np.concatenate([is_actual & is_predicted, is_actual, is_predicted], axis=1).astype(np.float64)
    return _rate_interval(rows, clusters, _macro_f1, n_resamples, seed)


def difference_interval(
    correct_a: np.ndarray,
    correct_b: np.ndarray,
    clusters: np.ndarray,
    tracks: np.ndarray | None = None,
    *,
    n_resamples: int,
    seed: int,
) -> Interval:
    """Estimate the paired difference of two means, a minus b, and its interval; see `difference_bounds`.

    Parameters
    ----------
    tracks
        Name of each row's track, (n_rows,); None: each row is a track of its own.
    """
    difference = np.asarray(correct_a, dtype=np.float64) - np.asarray(correct_b, dtype=np.float64)
    rows = np.stack([difference, np.ones_like(difference)], axis=1)
    sums, sizes = cluster_sums(rows, clusters)
    n = rows_of_a_track(len(rows), tracks)
    estimate = float(ratio(sums.sum(axis=0)))
    low, high = difference_bounds(sums, np.array([[n, n], [-n, n]]), ratio, sizes, n_resamples, seed)
    return Interval(estimate, float(low), float(high))


def rows_of_a_track(n_rows: int, tracks: np.ndarray | None) -> float:
    """Return how many rows (seeds, slices) a track has, on average; one if `tracks` is None."""
    return n_rows / pd.Series(tracks).nunique() if tracks is not None and n_rows else 1.0


def difference_bounds(
    sums: np.ndarray,
    swings: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray],
    sizes: np.ndarray,
    n_resamples: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Bound a difference of two shares by bootstrap over the clusters and two tracks more.

    One of the two is right on the first side only, the other on the second side only. That is Bonett and
    Price's interval (2012) of pairs, and Agresti and Caffo's (2000) of independent samples, for clusters:
    where no drawn track differs, nothing is known about tracks that would.

    Parameters
    ----------
    sums, statistic, sizes
        As of `bootstrap`.
    swings
        What each of those two tracks adds to the totals, (2, ...).

    Returns
    -------
    tuple[np.ndarray, np.ndarray]
        The bounds, around the estimate at least; NaN of a single cluster.
    """
    estimate = statistic(sums.sum(axis=0)[np.newaxis])[0]
    if len(sums) < 2:
        return np.full_like(estimate, np.nan), np.full_like(estimate, np.nan)
    drawn = np.concatenate([sums, swings])
    bounds = bootstrap(drawn, statistic, sizes, "percentile", n_resamples, seed)
    return np.minimum(bounds.low, estimate), np.maximum(bounds.high, estimate)


def ratio(sums: np.ndarray) -> np.ndarray:
    """Return the first of `sums` (..., 2) over the second."""
    return sums[..., 0] / sums[..., 1]


def cluster_sums(rows: np.ndarray, clusters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Add up the rows of each cluster, and count them.

    Returns
    -------
    tuple[np.ndarray, np.ndarray]
        (n_clusters, *rows.shape[1:]) and (n_clusters,), sorted by the clusters' names.
    """
    if not len(rows):
        raise DataError("no predictions", where="intervals", hint="look into split.parquet")
    cluster_of, names = pd.factorize(np.asarray(clusters), sort=True)
    sums = np.zeros((len(names), *rows.shape[1:]))
    np.add.at(sums, cluster_of, rows)
    return sums, np.bincount(cluster_of, minlength=len(names))


def effective_number(sizes: np.ndarray) -> float:
    """Return how many equal clusters are worth as much as clusters of so many rows (Kish 1965)."""
    return float(sizes.sum() ** 2 / (sizes**2).sum())


@dataclass(frozen=True)
class Resamples:
    """What a bootstrap drew.

    Attributes
    ----------
    low, high
        Bounds of the interval; NaN where BCa has none.
    values
        The statistic of each resample, on the last axis.
    """

    low: np.ndarray
    high: np.ndarray
    values: np.ndarray


def bootstrap(
    sums: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray],
    sizes: np.ndarray,
    method: Method,
    n_resamples: int,
    seed: int,
) -> Resamples:
    """Let SciPy draw whole clusters with replacement.

    With few clusters a percentile interval is as much too short as a z interval is against a t interval:
    the level is raised by that much (Hesterberg 2015, "expanded percentile"), for `effective_number`.

    Parameters
    ----------
    sums
        What each cluster adds to the totals, (n_clusters, ...).
    statistic
        Maps totals (n_resamples, ...) to values (n_resamples, ...).
    """
    from scipy import stats

    n_clusters = len(sums)
    flat = sums.reshape(n_clusters, -1)

    def of_drawn(drawn: np.ndarray, axis: int = -1) -> np.ndarray:
        rows = np.atleast_2d(drawn)
        offsets = n_clusters * np.arange(len(rows))[:, None]
        weights = np.bincount((rows + offsets).ravel(), minlength=len(rows) * n_clusters)
        totals = weights.reshape(len(rows), n_clusters) @ flat
        values = np.moveaxis(statistic(totals.reshape(len(rows), *sums.shape[1:])), 0, -1)
        return values[..., 0] if drawn.ndim == 1 else values

    n = max(effective_number(sizes), 2.0)
    widened = math.sqrt(n / (n - 1)) * stats.t.ppf((1 + LEVEL) / 2, n - 1)
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        result = stats.bootstrap(
            (np.arange(n_clusters),),
            of_drawn,
            vectorized=True,
            axis=-1,
            confidence_level=1 - 2 * stats.norm.sf(widened),
            method=method,
            n_resamples=n_resamples,
            batch=max(1, _BATCH_SIZE // n_clusters),
            rng=np.random.default_rng(seed),
        )
    bounds = result.confidence_interval
    return Resamples(bounds.low, bounds.high, result.bootstrap_distribution)


def _binomial_interval(correct: np.ndarray) -> Interval:
    """Return Wilson's score interval (1927): near 1, a bootstrap of single rows is too short."""
    from scipy import stats

    n_correct = int(correct.sum())
    bounds = stats.binomtest(n_correct, len(correct)).proportion_ci(LEVEL, method="wilson")
    return Interval(n_correct / len(correct), float(bounds.low), float(bounds.high))


def _rate_interval(
    rows: np.ndarray,
    clusters: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray],
    n_resamples: int,
    seed: int,
) -> Interval:
    """Bootstrap a rate in 0..1."""
    from scipy import stats

    sums, sizes = cluster_sums(rows, clusters)
    estimate = float(statistic(sums.sum(axis=0)))
    if len(sums) < 2:
        return Interval(estimate, math.nan, math.nan)
    if estimate in (0, 1):
        # Nothing varies that could be drawn: Clopper and Pearson, of clusters.
        exact = stats.binomtest(round(estimate) * len(sums), len(sums)).proportion_ci(LEVEL)
        return Interval(estimate, float(exact.low), float(exact.high))
    bounds = bootstrap(sums, statistic, sizes, "BCa", n_resamples, seed)
    if math.isnan(bounds.low):  # BCa has no answer where leaving out a cluster changes nothing.
        bounds = bootstrap(sums, statistic, sizes, "percentile", n_resamples, seed)
    return Interval(estimate, float(bounds.low), float(bounds.high))


def _macro_f1(sums: np.ndarray) -> np.ndarray:
    """Return macro F1 of hits, actual and predicted counts side by side, (..., 3 * n_classes)."""
    hits, actual, predicted = np.split(sums, 3, axis=-1)
    return np.mean(2 * hits / np.maximum(actual + predicted, 1), axis=-1)
