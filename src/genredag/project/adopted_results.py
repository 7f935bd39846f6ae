"""Results shown in the docs: tables copied from a results folder, written between marks on a page.

``docs/results/<name>/`` holds the CSV files (and figures) of a run. A page marks the place of each table,
``<!-- begin <name>/<table> -->`` to ``<!-- end <name>/<table> -->``. No number is typed by hand.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import pandas as pd

from genredag.audits.as_published.table import published_markdown
from genredag.audits.leakage.showing import worth_markdown
from genredag.audits.learning_curves.showing import curves_markdown
from genredag.audits.robustness.showing import robustness_markdown
from genredag.errors import DataError, GenredagError
from genredag.report.leaderboard import leaderboard_markdown
from genredag.report.runs import POOLED
from genredag.runtime.files import atomic_path

FOLDER = Path("docs/results")
PAGES = ("README.md", "docs/results.md", "docs/learning_curves.md")
MARK = re.compile(r"<!-- begin ([a-z0-9_]+)/([a-z_]+) -->\n.*?<!-- end \1/\2 -->", re.DOTALL)
FIGURES = ("leakage_audit.png", "robustness.png", "learning_curves.png")
# A leaderboard is ordered as when it is built: best first within a data set and split.
ORDER = {"dataset": True, "split": True, "track_accuracy": False, "macro_f1": False, "slice_accuracy": False}
# What tells the rows of a table apart that can be merged, and their order.
MERGED: dict[str, tuple[Sequence[str], Mapping[str, bool]]] = {
    "leaderboard": ((*POOLED, "values"), ORDER),
    "as_published": (("study",), {}),
}
COUNTS = (
    *("n_parameters", "as_published_n_test_tracks", "as_published_n_seeds"),
    *("corrected_n_test_tracks", "corrected_n_seeds"),
)
# Columns that fit on a page; the CSV file has the rest. Those in OPTIONAL are shown if an entry has one:
# `values` is what it changed in params.yaml.
SHOWN = (
    *("representation", "model", "values", "split", "track_accuracy", "track_low", "track_high"),
    *("slice_accuracy", "slice_low", "slice_high", "macro_f1", "n_test_tracks", "n_parameters"),
    *("train_seconds", "warning"),
)
OPTIONAL = ("values", "warning")


def _board(table: pd.DataFrame) -> str:
    shown = [name for name in SHOWN if name not in OPTIONAL or (name in table and table[name].any())]
    return leaderboard_markdown(table.astype({"n_parameters": "Int64"})[shown])


TABLES: dict[str, Callable[[pd.DataFrame], str]] = {
    "leaderboard": _board,
    "leakage_audit": worth_markdown,
    "as_published": published_markdown,
    "robustness": robustness_markdown,
    "learning_curves": curves_markdown,
}


def adopt_results(project: Path, results: Path, name: str, merge: bool = False) -> None:
    """Copy the tables and figures of a results folder to ``docs/results/<name>/``.

    Parameters
    ----------
    merge
        Copy no figures. Of a leaderboard and of published studies, keep the rows of ``docs/results/<name>/``
        that the folder's own table lacks.

    Raises
    ------
    DataError
        The folder contains none of them, or there is nothing to merge with.
    """
    folder = project / FOLDER / name
    files = [f"{table}.csv" for table in (MERGED if merge else TABLES)] + [*FIGURES] * (not merge)
    found = [results / file for file in files if (results / file).is_file()]
    if not found:
        expected = " or ".join(files[: len(TABLES)])
        raise DataError("no results", where=str(results), expected=expected)
    for file in found:
        if merge:
            _merge(folder / file.name, file, *MERGED[file.stem])
        else:
            with atomic_path(folder / file.name) as temporary:
                shutil.copyfile(file, temporary)


def _merge(path: Path, newer: Path, key: Sequence[str], order: Mapping[str, bool]) -> None:
    """Replace the rows of the table at `path` that `newer` has; add those that it lacks.

    Parameters
    ----------
    key
        Columns that tell rows apart; an empty or missing one is the same for all.
    order
        Columns to sort by, and whether upwards; without them, rows keep their order and new ones are last.
    """
    added, kept = (_read_table(file, {*key, *order} - {*OPTIONAL}) for file in (newer, path))
    merged = pd.concat([kept, added], ignore_index=True)
    merged["row"] = [tuple(row) for row in merged.reindex(columns=list(key)).fillna("").to_numpy()]
    places = merged.drop_duplicates("row").reset_index().set_index("row")["index"]
    merged = merged.drop_duplicates("row", keep="last").assign(place=lambda rows: rows["row"].map(places))
    by = {**order, "place": True}
    merged = merged.sort_values(list(by), ascending=list(by.values()), kind="stable")
    with atomic_path(path) as temporary:
        merged.drop(columns=["row", "place"]).to_csv(temporary, index=False)


def _read_table(path: Path, columns: Collection[str]) -> pd.DataFrame:
    if not path.is_file():
        raise DataError("no table to merge", where=str(path), expected="a file")
    try:
        table = pd.read_csv(path)
    except (ValueError, UnicodeDecodeError) as error:  # pandas has several subclasses of ValueError
        raise DataError(f"not a table ({error})", where=str(path), expected=f"a {path.name}") from error
    if missing := sorted({*columns} - {*table.columns}):
        raise DataError(f"no column {missing[0]}", where=str(path), expected=f"a {path.name}")
    # Counts with gaps, which pandas reads as floats.
    return table.assign(**{name: table[name].astype("Int64") for name in COUNTS if name in table})


def filled(project: Path, page: str) -> str:
    """Return a page with every marked place filled from the adopted tables.

    Raises
    ------
    GenredagError
        A mark names a table that has not been copied.
    """

    def table_of(match: re.Match[str]) -> str:
        name, table = match.groups()
        path = project / FOLDER / name / f"{table}.csv"
        if table not in TABLES or not path.is_file():
            hint = f"genredag generate --results DIR --name {name}"
            raise GenredagError(f"no table for the mark {name}/{table}", where=page, hint=hint)
        values = pd.read_csv(path)
        # pandas reads an empty text column as numbers.
        texts = [name for name in ("note", "faults", "differs", *OPTIONAL) if name in values]
        content = TABLES[table](values.assign(**values[texts].astype("str").where(values[texts].notna(), "")))
        content = content.strip()
        # The page has its own headings.
        content = re.sub(r"\A# [^\n]*\n+", "", content)
        return f"<!-- begin {name}/{table} -->\n{content}\n<!-- end {name}/{table} -->"

    return MARK.sub(table_of, (project / page).read_text(encoding="utf-8"))
