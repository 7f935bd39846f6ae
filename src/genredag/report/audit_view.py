"""What the page tells of audits: what each mistake is worth, and published figures redone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from genredag.errors import DataError

TITLES = {"leakage_audit": "Leakage audit", "as_published": "As published"}


def read_audits(files: Iterable[tuple[str, Path]]) -> dict[str, pd.DataFrame]:
    """Read the tables of audits by their names in `TITLES`.

    Raises
    ------
    DataError
        There is no such audit.
    """
    tables = {}
    for name, path in files:
        if name not in TITLES:
            raise DataError("no such audit", where=name, expected=" or ".join(TITLES))
        tables[name] = pd.read_csv(path)
    return tables


def audit_views(tables: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Return a view of each audit.

    Parameters
    ----------
    tables
        ``leakage_audit.csv`` and ``as_published.csv``, those that are there, by their names in `TITLES`.
    """
    return [
        {
            "title": TITLES[name],
            "worth": _worth(table) if name == "leakage_audit" else [],
            "table": None if name == "leakage_audit" else _plain(table),
        }
        for name, table in tables.items()
    ]


def _worth(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return of each data set and level the mistakes with what they are worth, tracks first."""
    return [
        {
            "dataset": dataset,
            "level": level,
            "rows": own.dropna(subset="points").to_dict("records"),
            "axis": (min(0.0, own["points_low"].min()), max(1.0, own["points_high"].max())),
            "notes": [note for note in own["note"].dropna().unique() if note],
        }
        for (dataset, level), own in table.groupby(["dataset", "level"], sort=False)
    ]


def _plain(table: pd.DataFrame) -> dict[str, Any]:
    numeric = [pd.api.types.is_numeric_dtype(table[column]) for column in table]
    rows = table.astype(object).where(table.notna(), None).to_numpy().tolist()
    return {
        "columns": list(zip([str(name).replace("_", " ") for name in table.columns], numeric, strict=True)),
        "rows": [[_told(value) for value in row] for row in rows],
    }


def _told(value: object) -> str:
    if value is None:
        return "\N{EN DASH}"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
