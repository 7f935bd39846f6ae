"""What the page tells of audits: what each mistake is worth, and published figures redone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from genredag.errors import DataError
from genredag.evaluation.intervals import Interval

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
            "name": name,
            "title": TITLES[name],
            "parts": _worth(table) if name == "leakage_audit" else _studies(table),
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


def _studies(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return each study with its accuracies in 0..1: published, ours by its protocol, and corrected."""
    return [
        {
            **{
                key: row[key]
                for key in ("project", "model", "level", "measured_on", "dataset", "corrected_on")
            },
            **{key: row[key] if isinstance(row[key], str) else "" for key in ("faults", "differs", "note")},
            "published": row["published"] / 100,
            "published_from": row["published_from"] / 100,
            "ours": [_variant(row, variant) for variant in ("as_published", "corrected")],
        }
        for row in table.to_dict("records")
    ]


def _variant(row: Mapping[Any, Any], variant: str) -> dict[str, Any]:
    """Return one of a study's two accuracies, and whether it leaks; only the project's protocol may."""
    note = row["note"] if isinstance(row["note"], str) else ""
    return {
        "scored": Interval(*(row[f"{variant}{end}"] / 100 for end in ("", "_low", "_high"))),
        "n_test_tracks": row[f"{variant}_n_test_tracks"],
        "leaks": variant == "as_published" and note.startswith("LEAKY"),
    }
