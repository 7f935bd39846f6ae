"""Show the robustness audit as a figure (accuracy against strength) and as a Markdown page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from genredag.audits.robustness.kinds import KINDS, NONE
from genredag.audits.robustness.scores import NUMBERS
from genredag.evaluation.intervals import Interval
from genredag.evaluation.markdown import markdown_table
from genredag.evaluation.themes import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEADER = ("deformation", "strength", "model", "representation", "tracks", "points", "slices", "points")


def robustness_figure(table: pd.DataFrame) -> Figure:
    """Draw track accuracy against strength: a row per data set and split, a panel per kind of deformation.

    Parameters
    ----------
    table
        What `genredag.audits.robustness.scores.robustness_table` returned.
    """
    kinds = [kind for kind in KINDS if kind in set(table["deformation"])]
    rows = list(table.groupby(["dataset", "split"], sort=False))
    colours = _colours(table)
    figure = new_figure(1.5 + 2.9 * len(kinds), 1.2 + 3 * len(rows))
    grid = figure.subplots(len(rows), len(kinds), squeeze=False, sharey=True)
    for ((dataset, split), own), panels in zip(rows, grid, strict=True):
        for kind, axes in zip(kinds, panels, strict=True):
            _panel(axes, own, kind, colours)
        panels[0].set_ylabel(f"{dataset}, {split}\ntrack accuracy (%)")
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 5), frameon=False)
    figure.suptitle(_title(table), fontsize=11)
    return figure


def _title(table: pd.DataFrame) -> str:
    title = "Accuracy of test tracks against the strength of their deformation (bands: 95 % intervals)"
    warnings = [warning for warning in table["warning"].dropna().unique() if warning]
    return "\n".join([title, *warnings])


def _colours(table: pd.DataFrame) -> dict[str, tuple]:
    import seaborn as sns

    labels = (table["model"] + " on " + table["representation"]).unique()
    return dict(zip(labels, sns.color_palette("colorblind", len(labels)), strict=True))


def _panel(axes: Axes, table: pd.DataFrame, kind: str, colours: dict[str, tuple]) -> None:
    order = KINDS[kind].ordered(table.loc[table["deformation"] == kind, "strength"].unique().tolist())
    for label, colour in colours.items():
        own = table[table["model"] + " on " + table["representation"] == label]
        if own.empty:
            continue
        own = own[own["deformation"].isin([kind, NONE])].set_index("strength").reindex(order)
        places = np.arange(len(order))
        axes.plot(places, own["track_accuracy"], color=colour, marker="o", markersize=4, label=label)
        bounds = (own["track_accuracy_low"], own["track_accuracy_high"])
        axes.fill_between(places, *bounds, color=colour, alpha=0.12, linewidth=0)
    axes.axhline(table["chance"].iloc[0], color="grey", linewidth=0.8, linestyle="--", label="chance")
    labels = [NONE if strength is None else f"{strength:g}" for strength in order]
    axes.set_xticks(range(len(order)), labels, fontsize=8)
    axes.set(xlabel=KINDS[kind].unit, ylim=(-4, 104))
    axes.set_title(KINDS[kind].name, fontsize=10)
    axes.grid(axis="y", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def robustness_markdown(table: pd.DataFrame) -> str:
    """Return the table as a Markdown page, with a section per data set and split."""
    lines = [
        "# Robustness",
        "",
        "Accuracy (%) of deformed test tracks and their slices, and the difference in points from the same",
        "tracks undeformed, with 95 % intervals over artists, or over tracks of unknown artist",
        "(docs/evaluation.md). How to read it: docs/robustness.md.",
    ]
    for (dataset, split), own in table.groupby(["dataset", "split"], sort=False):
        tracks = f"{own['n_tracks'].max()} test tracks, chance {own['chance'].iloc[0]:g} %"
        lines += ["", f"## {dataset}, {split}", "", f"{tracks}.", ""]
        lines += [f"{warning}.\n" for warning in own["warning"].dropna().unique() if warning]
        kinds = own["deformation"].map({kind: place for place, kind in enumerate([NONE, *KINDS])})
        ordered = own.assign(kind=kinds).sort_values("kind", kind="stable")
        lines += [markdown_table(map(_cells, ordered.to_dict(orient="records")), _HEADER, "lrllrrrr")]
    return "\n".join(lines).rstrip() + "\n"


def _cells(row: dict) -> list[str]:
    kind = KINDS.get(row["deformation"])
    strength = f"{row['strength']:g} {kind.unit}" if kind else ""
    cells = [kind.name if kind else NONE, strength, row["model"], row["representation"]]
    for name in NUMBERS:
        text = Interval.of_columns(row, name).text(sign="-" if name.endswith("accuracy") else "+")
        cells.append("" if pd.isna(row[name]) else text)
    return cells
