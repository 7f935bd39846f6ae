"""How well a ranking of suspicious labels finds those that are known to be wrong."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class FoundFaults:
    """Scores of a ranking, in 0..1.

    Attributes
    ----------
    n_known
        Number of ranked tracks whose labels are known to be wrong.
    precision
        Share of them among the first `n_known` ranks.
    average_precision
        Mean of the precision at the rank of each known fault.
    chance
        The expected precision of a random ranking.
    """

    n_known: int
    precision: float
    average_precision: float
    chance: float


def found_faults(table: pd.DataFrame) -> FoundFaults | None:
    """Score the ranking of one data set in ``label_issues.csv``; None if no fault is known."""
    from sklearn.metrics import average_precision_score

    ordered = table.sort_values("rank")
    known = ordered["known_fault"].fillna(False).astype(bool).to_numpy()
    if not known.any():
        return None
    n_known = int(known.sum())
    return FoundFaults(
        n_known=n_known,
        precision=float(known[:n_known].mean()),
        average_precision=float(average_precision_score(known, -ordered["rank"].to_numpy())),
        chance=float(known.mean()),
    )
