"""Verdicts on predicted songs: right, understandable, wrong. Needs no model."""

from __future__ import annotations

import pandas as pd

RIGHT, UNDERSTANDABLE, WRONG = "right", "understandable", "wrong"
UNLABELLED, UNREADABLE = "unlabelled", "unreadable"
VERDICTS = (RIGHT, UNDERSTANDABLE, WRONG, UNLABELLED, UNREADABLE)
UNDERSTANDABLE_RANK = 2


def verdict_of(rank: int | None) -> str:
    """Return the verdict on a prediction, by the rank of the true genre; None if that is unknown."""
    if rank is None:
        return UNLABELLED
    if rank == 1:
        return RIGHT
    return UNDERSTANDABLE if rank <= UNDERSTANDABLE_RANK else WRONG


def of_verdict(table: pd.DataFrame, verdict: str) -> pd.DataFrame:
    """Return the songs with a verdict, the most confident first."""
    chosen = table[table["verdict"] == verdict]
    return chosen.sort_values(["probability", "song"], ascending=[False, True], kind="stable")


def verdict_counts(table: pd.DataFrame) -> pd.DataFrame:
    """Count the songs of each model by verdict; verdicts without a song are left out."""
    counts = pd.crosstab(table["model"], table["verdict"])
    shown = [verdict for verdict in VERDICTS if verdict in counts]
    return counts.loc[list(dict.fromkeys(table["model"])), shown]
