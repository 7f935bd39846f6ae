"""95 % intervals by bootstrap over clusters: whole artists, or whole tracks if the artist is unknown.

Predictions for tracks of one artist are correlated, and so are those for one track under several seeds. They
are therefore drawn together. Given the training seeds of the rows, intervals include the luck of training.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Literal

import numpy as np
import pandas as pd

from genredag.errors import DataError
from genredag.evaluation.seeds import with_luck
from genredag.tracks.artists import artist_groups

LEVEL = 0.95
# Suffixes of the columns for an estimate and its two bounds.
ENDS = ("", "_low", "_high")
Method = Literal["percentile", "BCa"]
_BATCH_SIZE = 2**22


@dataclass(frozen=True)
class Interval:
    """An estimate and its 95 % interval; the bounds are NaN if there is only one cluster."""

    estimate: float
    low: float
    high: float

    @classmethod
    def of_columns(cls, row: Mapping[str, float], name: str) -> Interval:
        """Read an interval from the columns that `columns` returns."""
        return cls(*(row[f"{name}{end}"] for end in ENDS))

    def percent(self) -> Interval:
        """Return a rate in percent."""
        return Interval(100 * self.estimate, 100 * self.low, 100 * self.high)

    def columns(self, name: str) -> dict[str, float]:
        """Return a rate in percent, with two decimals, as ``<name>``, ``<name>_low`` and ``<name>_high``."""
        values = astuple(self.percent())
        return {f"{name}{end}": round(value, 2) for end, value in zip(ENDS, values, strict=True)}

    def text(self, digits: int = 1, sign: Literal["-", "+"] = "-") -> str:
        """Return the estimate and its bounds, for example ``4.0 (1.2 to 7.1)``."""
        bounds = f" ({self.low:.{digits}f} to {self.high:.{digits}f})"
        return f"{self.estimate:{sign}.{digits}f}{'' if math.isnan(self.low) else bounds}"


def cluster_names(predictions: pd.DataFrame) -> np.ndarray:
    """Return the cluster of each row: its artist, or its track if the artist is unknown.

    Different spellings of a name are one artist, and so are artists who collaborate: see `artist_groups`.
    """
    artist = artist_groups(predictions["artist"])
    return ("artist " + artist).where(artist.notna(), "track " + predictions["track_id"]).to_numpy(object)


def accuracy_interval(
    correct: np.ndarray,
    clusters: np.ndarray,
    seeds: np.ndarray | None = None,
    *,
    n_resamples: int,
    seed: int,
) -> Interval:
    """Estimate the mean of `correct` and its interval: Wilson's if each row is a cluster, else a bootstrap.

    Parameters
    ----------
    correct
        0 or 1 (or a share) for each row, (n_rows,).
    clusters
        Name of each row's track or artist, (n_rows,).
    seeds
        Training seed of each row, (n_rows,); with several, the interval includes the luck of training.

    Raises
    ------
    DataError
        There are no rows.
    """
    correct = np.asarray(correct, dtype=np.float64)
    rows = np.stack([correct, np.ones_like(correct)], axis=1)
    if len(set(clusters)) == len(rows) > 1 and set(correct) <= {0, 1}:
        interval = _binomial_interval(correct)
    else:
        interval = _rate_interval(rows, clusters, ratio, n_resamples, seed)
    return _clipped(_with_luck(interval, rows, clusters, seeds, ratio), 0, 1)


def macro_f1_interval(
    actual: Sequence[str],
    predicted: Sequence[str],
    labels: Sequence[str],
    clusters: np.ndarray,
    seeds: np.ndarray | None = None,
    *,
    n_resamples: int,
    seed: int,
) -> Interval:
    """Estimate macro F1 over the classes `labels`, with a bootstrap interval; see `accuracy_interval`."""
    names = np.asarray(labels, dtype=object)
    is_actual, is_predicted = (np.asarray(x, dtype=object)[:, None] == names for x in (actual, predicted))
    rows = np.concatenate([is_actual & is_predicted, is_actual, is_predicted], axis=1).astype(np.float64)
    interval = _rate_interval(rows, clusters, _macro_f1, n_resamples, seed)
    return _clipped(_with_luck(interval, rows, clusters, seeds, _macro_f1), 0, 1)


def difference_interval(
    correct_a: np.ndarray,
    correct_b: np.ndarray,
    clusters: np.ndarray,
    tracks: np.ndarray | None = None,
    seeds: np.ndarray | None = None,
    *,
    n_resamples: int,
    seed: int,
    largest: float = 1.0,
) -> Interval:
    """Estimate the paired difference of two means, a minus b, and its interval; see `difference_bounds`.

    Parameters
    ----------
    tracks
        Name of each row's track, (n_rows,); None: each row is a separate track.
    seeds
        Training seed of each row, (n_rows,); with several, the interval includes the luck of training.
    largest
        The largest possible difference of a row, 1 for rates.
    """
    difference = np.asarray(correct_a, dtype=np.float64) - np.asarray(correct_b, dtype=np.float64)
    rows = np.stack([difference, np.ones_like(difference)], axis=1)
    sums, sizes = cluster_sums(rows, clusters)
    n = rows_of_a_track(len(rows), tracks)
    estimate = float(ratio(sums.sum(axis=0)))
    low, high = difference_bounds(
        sums, n * np.array([[largest, 1], [-largest, 1]]), ratio, sizes, n_resamples, seed
    )
    interval = _with_luck(Interval(estimate, float(low), float(high)), rows, clusters, seeds, ratio)
    return _clipped(interval, -largest, largest)


def rows_of_a_track(n_rows: int, tracks: np.ndarray | None) -> float:
    """Return the mean number of rows (seeds, slices) per track; 1 if `tracks` is None."""
    return n_rows / pd.Series(tracks).nunique() if tracks is not None and n_rows else 1.0


def difference_bounds(
    sums: np.ndarray,
    swings: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray],
    sizes: np.ndarray,
    n_resamples: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Bound the difference of two rates by a bootstrap over the clusters and two pseudo-tracks.

    One pseudo-track is correct on the first side only, the other on the second side only. This extends the
    intervals of Bonett and Price (2012, pairs) and Agresti and Caffo (2000, independent samples) to
    clusters: without them, a sample in which no track differs would give an interval of width 0.

    Parameters
    ----------
    sums, statistic, sizes
        See `bootstrap`.
    swings
        What each pseudo-track adds to the totals, (2, ...).

    Returns
    -------
    tuple[np.ndarray, np.ndarray]
        The bounds, which always include the estimate; NaN if there is only one cluster.
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
    """Return the sum of each cluster's rows, and their number.

    Returns
    -------
    tuple[np.ndarray, np.ndarray]
        (n_clusters, *rows.shape[1:]) and (n_clusters,), sorted by the clusters' names.
    """
    if not len(rows):
        raise DataError("no predictions", where="intervals", hint="check split.parquet")
    cluster_of, names = pd.factorize(np.asarray(clusters), sort=True)
    sums = np.zeros((len(names), *rows.shape[1:]))
    np.add.at(sums, cluster_of, rows)
    return sums, np.bincount(cluster_of, minlength=len(names))


def effective_number(sizes: np.ndarray) -> float:
    """Return the effective number of clusters (Kish 1965), which is their number if all sizes are equal."""
    return float(sizes.sum() ** 2 / (sizes**2).sum())


@dataclass(frozen=True)
class Resamples:
    """The result of a bootstrap.

    Attributes
    ----------
    low, high
        Bounds of the interval; NaN if BCa is undefined.
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
    """Draw whole clusters with replacement, with SciPy.

    With few clusters, a percentile interval is too short, like a z interval compared with a t interval. The
    level is raised accordingly (Hesterberg 2015, "expanded percentile"), based on `effective_number`.

    Parameters
    ----------
    sums
        What each cluster adds to the totals, (n_clusters, ...).
    statistic
        Maps totals (n_resamples, ...) to values (n_resamples, ...).
    sizes
        Number of rows of each cluster, (n_clusters,).
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
    """Return Wilson's score interval (1927); near 1, a bootstrap interval over single rows is too short."""
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
        # All resamples would be equal, so use Clopper and Pearson's interval over clusters.
        exact = stats.binomtest(round(estimate) * len(sums), len(sums)).proportion_ci(LEVEL)
        return Interval(estimate, float(exact.low), float(exact.high))
    bounds = bootstrap(sums, statistic, sizes, "BCa", n_resamples, seed)
    if math.isnan(bounds.low):  # BCa is undefined if leaving out a cluster changes nothing.
        bounds = bootstrap(sums, statistic, sizes, "percentile", n_resamples, seed)
    return Interval(estimate, float(bounds.low), float(bounds.high))


def _clipped(interval: Interval, least: float, most: float) -> Interval:
    """Clip the bounds of a rate or of a difference to what is possible."""
    low, high = (float(np.clip(end, least, most)) for end in (interval.low, interval.high))
    return Interval(interval.estimate, low, high)


def _with_luck(
    interval: Interval,
    rows: np.ndarray,
    clusters: np.ndarray,
    seeds: np.ndarray | None,
    statistic: Callable[[np.ndarray], np.ndarray],
) -> Interval:
    """Add the luck of training; a single seed adds nothing."""
    if seeds is None:
        return interval
    of_seeds = statistic(cluster_sums(rows, seeds)[0])
    _, sizes = cluster_sums(rows, clusters)
    estimate, low, high = map(np.asarray, (interval.estimate, interval.low, interval.high))
    low, high = with_luck(estimate, low, high, of_seeds, effective_number(sizes), LEVEL)
    return Interval(interval.estimate, float(low), float(high))


def _macro_f1(sums: np.ndarray) -> np.ndarray:
    """Return macro F1; `sums`, (..., 3 * n_classes), holds the counts of hits, actual and predicted."""
    hits, actual, predicted = np.split(sums, 3, axis=-1)
    return np.mean(2 * hits / np.maximum(actual + predicted, 1), axis=-1)
