"""Show the leakage audit as a figure (points with intervals) and as a Markdown page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from genredag.audits.leakage.worth import MISTAKES
from genredag.evaluation.intervals import Interval
from genredag.evaluation.markdown import markdown_table
from genredag.evaluation.themes import BLUE, ORANGE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LABELS = {
    "svm": "support vector machine on bin statistics",
    "cnn": "small CNN",
}
_HEADER = ("mistake", "model", "points", "without", "LEAKY: with", "test tracks", "seeds")
COLOURS = {"svm": BLUE, "cnn": ORANGE}


def worth_figure(table: pd.DataFrame) -> Figure:
    """Draw the points of accuracy that each mistake adds: a column per data set, a row per level.

    Parameters
    ----------
    table
        What `genredag.audits.leakage.worth.worth_table` returned.
    """
    datasets, levels = table["dataset"].unique(), table["level"].unique()
    figure = new_figure(4.5 + 4 * len(datasets), 1 + 3.6 * len(levels))
    grid = figure.subplots(len(levels), len(datasets), squeeze=False, sharex=True, sharey=True)
    for level, row in zip(levels, grid, strict=True):
        for dataset, axes in zip(datasets, row, strict=True):
            own = table[(table["level"] == level) & (table["dataset"] == dataset)]
            _points(axes, own)
            axes.set_title(f"{dataset}: accuracy of {level}s", fontsize=10)
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    figure.suptitle("LEAKY: points of accuracy that each mistake is worth (95 % intervals)", fontsize=11)
    for axes in grid[-1]:
        axes.set_xlabel("points")
    return figure


def _points(axes: Axes, table: pd.DataFrame) -> None:
    names = [mistake.name for mistake in MISTAKES]
    for shift, model in ((-0.17, "svm"), (0.17, "cnn")):
        own = table[table["model"] == model].set_index("mistake").reindex(names)
        shown = own["points"].notna().to_numpy()
        places = [place + shift for place in range(len(names))]
        below, above = own["points"] - own["points_low"], own["points_high"] - own["points"]
        axes.errorbar(
            own["points"][shown],
            pd.Series(places)[shown],
            xerr=[below[shown].fillna(0).clip(lower=0), above[shown].fillna(0).clip(lower=0)],
            fmt="o",
            markersize=4,
            capsize=2,
            color=COLOURS[model],
            label=LABELS[model],
        )
    for place, name in enumerate(names):
        if table.loc[table["mistake"] == name, "points"].isna().all():
            axes.text(
                0.01,
                place,
                "left out: see the table",
                transform=axes.get_yaxis_transform(),
                va="center",
                fontsize=8,
                color="grey",
            )
    axes.axvline(0, color="grey", linewidth=0.8)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def worth_markdown(table: pd.DataFrame) -> str:
    """Return the table as a Markdown page, with a section per data set and level."""
    lines = [
        "# Leakage audit",
        "",
        "LEAKY on purpose: points that each mistake adds to the test accuracy of two cheap models, with 95 %",
        "intervals over artists, or over tracks of unknown artist (docs/evaluation.md). How to read it:",
        "docs/leakage.md.",
    ]
    for (dataset, level), own in table.groupby(["dataset", "level"], sort=False):
        lines += ["", f"## {dataset}, accuracy of {level}s (%)", ""]
        shown = own.dropna(subset="points").sort_values("mistake", key=_order, kind="stable")
        lines += [markdown_table(map(_cells, shown.to_dict(orient="records")), _HEADER, "llrrrrr")]
        lines += [""] + [f"Left out: {note}" for note in dict.fromkeys(own["note"]) if note]
    return "\n".join(lines).rstrip() + "\n"


def _order(names: pd.Series) -> pd.Series:
    return names.map({mistake.name: place for place, mistake in enumerate(MISTAKES)})


def _cells(row: dict) -> list[str]:
    cells = [row["mistake"], row["model"], Interval.of_columns(row, "points").text(sign="+")]
    cells += [Interval.of_columns(row, name).text() for name in ("accuracy", "leaky_accuracy")]
    # In a table that was read from a CSV file, counts are floats if rows were left out.
    return [*cells, *(f"{row[name]:.0f}" for name in ("n_tracks", "n_seeds"))]
