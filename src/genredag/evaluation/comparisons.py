"""Which models differ: paired tests over clusters, corrected by Holm, and groups that no test tells apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from genredag.evaluation.intervals import LEVEL, bootstrap, cluster_sums, effective_number

COLUMNS = (
    *("a", "b", "difference", "low", "high"),
    *("p_bootstrap", "p_mcnemar", "p_holm", "distinguishable"),
)


def compare(correct: pd.DataFrame, clusters: np.ndarray, *, n_resamples: int, seed: int) -> pd.DataFrame:
    """Compare every pair of models on the same rows.

    ``p_bootstrap`` is of the difference over its bootstrap standard error (Student's t, as many degrees of
    freedom as `effective_number` of clusters less one); Holm corrects it, and decides. ``p_mcnemar`` is
    McNemar's exact test of the clusters that one model gets more of right against those that the other
    does: of single rows that is McNemar's own test, and several seeds of a track don't count as several.

    Parameters
    ----------
    correct
        0 or 1 of each row (a test track of a run) and model (column).
    clusters
        Name of each row's track or artist, (n_rows,).

    Returns
    -------
    pd.DataFrame
        A row a pair, with the columns `COLUMNS`; difference is accuracy of a minus that of b. With fewer
        than two clusters, nothing is distinguishable and bounds are NaN.

    Raises
    ------
    DataError
        There are no rows.
    """
    from statsmodels.stats.multitest import multipletests

    pairs = list(combinations(range(correct.shape[1]), 2))
    if not pairs:
        return pd.DataFrame(columns=list(COLUMNS))
    values = correct.to_numpy(np.float64)
    sums, sizes = cluster_sums(np.column_stack([values, np.ones(len(values))]), clusters)
    table = pd.DataFrame([(correct.columns[a], correct.columns[b]) for a, b in pairs], columns=["a", "b"])
    a, b = np.array(pairs).T
    table["p_mcnemar"] = [_mcnemar(*_wins(sums[:, i] - sums[:, j])) for i, j in pairs]
    table = table.join(_bootstrapped(sums, sizes, a, b, n_resamples, seed))
    # Where the difference is the same everywhere there is no standard error.
    table["p_bootstrap"] = table["p_bootstrap"].fillna(table["p_mcnemar"])
    rejected, table["p_holm"], *_ = multipletests(table["p_bootstrap"], alpha=1 - LEVEL, method="holm")
    return table.assign(distinguishable=rejected)[list(COLUMNS)]


def groups(table: pd.DataFrame, order: Sequence[str]) -> list[list[str]]:
    """Return the largest groups of models none of which is distinguishable from another in it.

    These are the bars of a critical-difference figure (Demsar 2006; with pairwise tests, Ismail Fawaz et
    al. 2019). A model that stands alone is in no group.

    Parameters
    ----------
    table
        What `compare` returned.
    order
        All models, best first; so are members and groups.
    """
    import networkx as nx

    graph = nx.Graph(
        list(table.loc[~table["distinguishable"].astype(bool), ["a", "b"]].itertuples(index=False))
    )
    place = {name: i for i, name in enumerate(order)}
    cliques = (sorted(clique, key=place.__getitem__) for clique in nx.find_cliques(graph))
    return sorted(cliques, key=lambda clique: [place[name] for name in clique])


def _bootstrapped(
    sums: np.ndarray, sizes: np.ndarray, a: np.ndarray, b: np.ndarray, n_resamples: int, seed: int
) -> pd.DataFrame:
    """Return difference, low, high and p_bootstrap of each pair of columns `a` and `b` of `sums`."""
    from scipy import stats

    def differences(totals: np.ndarray) -> np.ndarray:
        return (totals[:, a] - totals[:, b]) / totals[:, -1:]

    difference = differences(sums.sum(axis=0)[None])[0]
    if len(sums) < 2:
        return pd.DataFrame({"difference": difference, "low": np.nan, "high": np.nan, "p_bootstrap": 1.0})
    result = bootstrap(sums, differences, sizes, "percentile", n_resamples, seed)
    error = result.bootstrap_distribution.std(axis=-1, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(difference) / np.where(error > 1e-12, error, np.nan)
    return pd.DataFrame(
        {
            "difference": difference,
            "low": result.confidence_interval.low,
            "high": result.confidence_interval.high,
            "p_bootstrap": 2 * stats.t.sf(t, max(effective_number(sizes), 2.0) - 1),
        }
    )


def _wins(difference: np.ndarray) -> tuple[int, int]:
    return int((difference > 0).sum()), int((difference < 0).sum())


def _mcnemar(only_a: int, only_b: int) -> float:
    from statsmodels.stats.contingency_tables import mcnemar

    return float(mcnemar([[0, only_a], [only_b, 0]], exact=True).pvalue)
