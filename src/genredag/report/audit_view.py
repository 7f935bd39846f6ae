"""Template data for audits: leakage, studies, robustness, external songs, labels, learning curves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from genredag.audits.label_issues.known import found_faults
from genredag.audits.learning_curves.showing import answer, curves_figure, entry_name
from genredag.audits.robustness.kinds import KINDS, NONE
from genredag.errors import DataError
from genredag.evaluation.intervals import ENDS, Interval
from genredag.report.external_songs_view import external_songs_parts
from genredag.report.svg import PAGE, to_svg

TITLES = {
    "leakage_audit": "Leakage audit",
    "as_published": "As published",
    "robustness": "Robustness",
    "external_songs": "External songs",
    "label_issues": "Suspicious labels",
    "learning_curves": "Learning curves: data or model?",
}
N_LABELS = 20


def read_audits(files: Iterable[tuple[str, Path]]) -> dict[str, pd.DataFrame]:
    """Read the tables of audits, keyed by their names in `TITLES`.

    Raises
    ------
    DataError
        An audit is unknown.
    """
    tables = {}
    for name, path in files:
        if name not in TITLES:
            raise DataError("unknown audit", where=name, expected=" or ".join(TITLES))
        tables[name] = pd.read_csv(path)
    return tables


def audit_views(tables: Mapping[str, pd.DataFrame]) -> list[dict[str, object]]:
    """Return a view of each audit.

    Parameters
    ----------
    tables
        The available ones of ``leakage_audit.csv``, ``as_published.csv``, ``robustness.csv``,
        ``external_songs.csv``, ``label_issues.csv`` and ``learning_curves.csv``, keyed by their names in
        `TITLES`.
    """
    parts = {
        "leakage_audit": _worth,
        "as_published": _studies,
        "robustness": _deformed,
        "external_songs": external_songs_parts,
        "label_issues": _labels,
        "learning_curves": _curves,
    }
    return [
        {"name": name, "title": TITLES[name], "parts": parts[name](table)} for name, table in tables.items()
    ]


def _worth(table: pd.DataFrame) -> list[dict[str, object]]:
    """Return the points that each mistake adds, for each data set and level; tracks come first."""
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


def _studies(table: pd.DataFrame) -> list[dict[str, object]]:
    """Return each study with its accuracies in 0..1: published, ours by its protocol, ours corrected."""
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


def _deformed(table: pd.DataFrame) -> list[dict[str, object]]:
    """Return the track accuracies in 0..1 for each data set and split, undeformed and by kind."""
    places = {kind: place for place, kind in enumerate([NONE, *KINDS])}
    ordered = table.sort_values("deformation", key=lambda kinds: kinds.map(places), kind="stable")
    return [
        {"dataset": dataset, "split": split, "rows": [_tracks(row) for row in own.to_dict("records")]}
        for (dataset, split), own in ordered.groupby(["dataset", "split"], sort=False)
    ]


def _tracks(row: dict) -> dict[str, object]:
    kind = KINDS.get(row["deformation"])
    accuracy, points = (_rate(row, f"track_{name}") for name in ("accuracy", "points"))
    return {
        "deformation": kind.name if kind else NONE,
        "strength": f"{row['strength']:g} {kind.unit}" if kind else "",
        "entry": f"{row['model']} on {row['representation']}",
        "accuracy": accuracy,
        "points": points,
        "n_tracks": row["n_tracks"],
        "warning": row["warning"] if isinstance(row["warning"], str) else "",
    }


def _labels(table: pd.DataFrame) -> list[dict[str, object]]:
    """Return the most suspicious labels of each data set; `found` is None if no fault is known."""
    return [
        {
            "dataset": dataset,
            "rows": own.sort_values("rank").head(N_LABELS).to_dict("records"),
            "n_suspected": int(own["suspected"].sum()),
            "n_tracks": len(own),
            "agree": float((own["suggested"] == own["genre"]).mean()),
            "found": found_faults(own),
        }
        for dataset, own in table.groupby("dataset", sort=False)
    ]


def _curves(table: pd.DataFrame) -> list[dict[str, object]]:
    """Return the answer, the figure and the accuracies in 0..1 of each data set."""
    return [
        {
            "dataset": dataset,
            "split": split,
            "answer": answer(own),
            "figure": to_svg(curves_figure(own, PAGE), f"Learning curves on {dataset}. {answer(own)}"),
            "rows": [_trained(row) for row in own.to_dict("records")],
        }
        for (dataset, split), own in table.groupby(["dataset", "split"], sort=False)
    ]


def _trained(row: dict) -> dict[str, object]:
    accuracy, points = (_rate(row, name) for name in ("accuracy", "points"))
    return {"entry": entry_name(row), "n_training": row["n_training"], "accuracy": accuracy, "points": points}


def _rate(row: Mapping[str, float], name: str) -> Interval:
    """Read an interval in percent as one in 0..1."""
    return Interval(*(row[f"{name}{end}"] / 100 for end in ENDS))


def _variant(row: dict, variant: str) -> dict[str, object]:
    """Return one of a study's two accuracies, and whether it leaks; the corrected one never does."""
    note = row["note"] if isinstance(row["note"], str) else ""
    return {
        "scored": _rate(row, variant),
        "n_test_tracks": row[f"{variant}_n_test_tracks"],
        "leaks": variant == "as_published" and note.startswith("LEAKY"),
    }
