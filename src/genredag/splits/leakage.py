"""The mark of a leaky split, for every output that comes of it."""

from __future__ import annotations

import pandas as pd

from genredag.params.groups.splits import LEAKY


def is_leaky(split: pd.DataFrame) -> bool:
    """Say whether a track has slices in more than one part; slices that were left out don't count."""
    used = split.loc[split["part"].notna(), ["track_id", "part"]]
    return bool(used.drop_duplicates()["track_id"].duplicated().any())


def mark(split: pd.DataFrame) -> dict[str, str]:
    """Return what an output of `split` says of it: a warning if it is leaky, else nothing."""
    return {"warning": LEAKY} if is_leaky(split) else {}


def marked(table: pd.DataFrame, split: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the `mark` of its split as a column; one without rows gets a row that says it."""
    if not is_leaky(split):
        return table
    return (table if len(table) else table.reindex([0])).assign(**mark(split))
