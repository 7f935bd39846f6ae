"""The LEAKY mark on every output of a leaky split."""

from __future__ import annotations

import pandas as pd

from genredag.params.groups.splits import LEAKY


def is_leaky(split: pd.DataFrame) -> bool:
    """Return whether a track has slices in more than one part. Slices in no part don't count."""
    used = split.loc[split["part"].notna(), ["track_id", "part"]]
    return bool(used.drop_duplicates()["track_id"].duplicated().any())


def mark(split: pd.DataFrame) -> dict[str, str]:
    """Return the warning for outputs of `split`: one entry if it is leaky, otherwise none."""
    return {"warning": LEAKY} if is_leaky(split) else {}


def marked(table: pd.DataFrame, split: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the `mark` of its split as a column; an empty table gets a row for it."""
    if not is_leaky(split):
        return table
    return (table if len(table) else table.reindex([0])).assign(**mark(split))
