"""Compare models: paired tests over clusters, Holm's correction, and groups of indistinguishable models."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from genredag.evaluation.intervals import (
    LEVEL,
    bootstrap,
    cluster_sums,
    difference_bounds,
    effective_number,
    rows_of_a_track,
)
from genredag.evaluation.seeds import degrees_of_freedom, seed_variance, with_luck

_NO_ERROR = 1e-12
COLUMNS = (
    *("a", "b", "difference", "low", "high"),
    *("p_bootstrap", "p_mcnemar", "p_holm", "distinguishable"),
)


def compare(
    correct: pd.DataFrame,
    clusters: np.ndarray,
    tracks: np.ndarray | None = None,
    seeds: np.ndarray | None = None,
    *,
    n_resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Compare every pair of models on the same rows; see `paired_tests` and `corrected`.

    Parameters
    ----------
    correct
        0 or 1 for each row (a test track of a run) and model (column).
    clusters
        Name of each row's track or artist, (n_rows,).
    tracks
        Name of each row's track, (n_rows,); None: each row is a separate track.
    seeds
        Training seed of each row, (n_rows,); with several, tests and intervals include the luck of training.

    Returns
    -------
    pd.DataFrame
        A row per pair, with the columns `COLUMNS`.

    Raises
    ------
    DataError
        There are no rows.
    """
    pairs = list(combinations(range(correct.shape[1]), 2))
    if not pairs:
        return pd.DataFrame(columns=list(COLUMNS))
    draws = {"n_resamples": n_resamples, "seed": seed}
    table = paired_tests(correct.to_numpy(), clusters, pairs, tracks, seeds, **draws)
    for side, name in enumerate("ab"):
        table[name] = [correct.columns[pair[side]] for pair in pairs]
    return corrected(table)


def corrected(table: pd.DataFrame) -> pd.DataFrame:
    """Apply Holm's correction to ``p_bootstrap`` over all rows.

    Two models are ``distinguishable`` if the corrected test rejects and the interval excludes 0.
    """
    from statsmodels.stats.multitest import multipletests

    if table.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    rejected, p, *_ = multipletests(table["p_bootstrap"], alpha=1 - LEVEL, method="holm")
    # If few tracks differ, the interval is more conservative than the test.
    without_0 = (table["low"] > 0) | (table["high"] < 0)
    return table.assign(distinguishable=rejected & without_0, p_holm=p)[list(COLUMNS)]


def paired_tests(
    correct: np.ndarray,
    clusters: np.ndarray,
    pairs: Sequence[tuple[int, int]],
    tracks: np.ndarray | None = None,
    seeds: np.ndarray | None = None,
    *,
    n_resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Test pairs of columns of `correct`, (n_rows, n_models).

    Returns
    -------
    pd.DataFrame
        A row per pair. difference is the accuracy of the first model minus that of the second; low and high
        bound its 95 % interval (`difference_bounds`). p_bootstrap comes from a t test of the difference over
        its bootstrap standard error, with `effective_number` of clusters minus one degrees of freedom; with
        several seeds, the error and its degrees of freedom include the luck of training.
        p_mcnemar comes from McNemar's exact test: it counts the clusters in which the first model has more
        hits and those in which the second has. If each row is a cluster, this is the usual McNemar test.
        Several seeds of a track count as one track.
        With a single cluster, bounds are NaN and p is 1.
    """
    from scipy import stats

    a, b = np.array(pairs).T
    correct = np.asarray(correct, dtype=np.float64)
    rows = np.column_stack([correct[:, a] - correct[:, b], np.ones(len(correct))])
    sums, sizes = cluster_sums(rows, clusters)

    def differences(totals: np.ndarray) -> np.ndarray:
        return totals[:, :-1] / totals[:, -1:]

    table = pd.DataFrame({"difference": differences(sums.sum(axis=0)[None])[0]})
    table["p_mcnemar"] = [_mcnemar(difference) for difference in sums.T[:-1]]
    swings = rows_of_a_track(len(rows), tracks) * np.ones((2, sums.shape[1]))
    swings[1, :-1] *= -1
    bounds = difference_bounds(sums, swings, differences, sizes, n_resamples, seed)
    n, one = effective_number(sizes), np.zeros(len(rows))
    of_seeds = differences(cluster_sums(rows, one if seeds is None else seeds)[0])
    ends = with_luck(table["difference"].to_numpy(), *bounds, of_seeds, n, LEVEL)
    table["low"], table["high"] = (np.clip(end, -1, 1) for end in ends)
    if len(sums) < 2:
        return table.assign(p_bootstrap=1.0)
    drawn = bootstrap(sums, differences, sizes, "percentile", n_resamples, seed)
    error, luck = drawn.values.std(axis=-1, ddof=1), seed_variance(of_seeds)
    freedom, both = degrees_of_freedom(error, n, luck, len(of_seeds)), np.sqrt(error**2 + luck)
    t: pd.Series[float] = table["difference"].abs() / np.where(both > _NO_ERROR, both, np.nan)
    p = 2 * stats.t.sf(t, freedom)
    # If the difference is the same in all clusters, its standard error is 0.
    return table.assign(p_bootstrap=np.where(t.isna(), table["p_mcnemar"], p))


def groups(table: pd.DataFrame, order: Sequence[str]) -> list[list[str]]:
    """Return the maximal groups in which no two models are distinguishable.

    These are the bars of a critical-difference diagram (Demsar 2006; with pairwise tests, Ismail Fawaz et
    al. 2019). A model that is distinguishable from all others is in no group.

    Parameters
    ----------
    table
        What `compare` returned.
    order
        All models, best first. Groups and their members are returned in this order.
    """
    import networkx as nx

    graph = nx.Graph(
        list(table.loc[~table["distinguishable"].astype(bool), ["a", "b"]].itertuples(index=False))
    )
    place = {name: i for i, name in enumerate(order)}
    cliques = (sorted(clique, key=place.__getitem__) for clique in nx.find_cliques(graph))
    return sorted(cliques, key=lambda clique: [place[name] for name in clique])


def _mcnemar(difference: np.ndarray) -> float:
    from statsmodels.stats.contingency_tables import mcnemar

    discordant = [[0, (difference > 0).sum()], [(difference < 0).sum(), 0]]
    return float(mcnemar(discordant, exact=True).pvalue)
