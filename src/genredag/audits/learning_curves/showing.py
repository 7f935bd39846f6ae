"""Show learning curves as a figure, as a Markdown page, and as the answer to: data or model?"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from genredag.evaluation.intervals import ENDS, Interval
from genredag.evaluation.markdown import markdown_table
from genredag.evaluation.themes import FILE, Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ENTRY = ("representation", "model")
COLUMNS = (
    *("dataset", "split", *ENTRY, "share", "n_training"),
    *(f"{name}{end}" for name in ("accuracy", "points", "doubling", "lead") for end in ENDS),
    *("chance", "n_tracks", "n_seeds", "n_folds"),
)
_HEADER = ("model", "representation", "tracks trained on", "accuracy", "points")
_STYLES = ("-", "--", ":")
_MARKS = ("o", "s", "^", "D", "v")


def answer(table: pd.DataFrame) -> str:
    """Say which helps more on a data set: twice as many training tracks, or the best of the other models.

    Parameters
    ----------
    table
        The rows of one data set that `genredag.audits.learning_curves.scores.curves_table` returned.
    """
    full = table[table["share"] == table["share"].max()]
    first, others = full.iloc[0], full.iloc[1:]
    doubling = Interval.of_columns(first, "doubling")
    if pd.isna(doubling.estimate):
        return "All shares have equally many training tracks, so they say nothing about more data."
    least = table["n_training"].min()
    text = (
        f"Each doubling of the training tracks, from {least} to {first['n_training']}, changes the accuracy "
        f"of {entry_name(first)} by {doubling.text(sign='+')} points."
    )
    if others.empty:
        return text
    best = others.loc[others["accuracy"].idxmax()]
    points, lead = (Interval.of_columns(best, name) for name in ("points", "lead"))
    which = entry_name(best) + ("" if len(others) == 1 else f", the best of {len(others)} others,")
    text += f" With all {best['n_training']}, {which} instead changes it by {points.text(sign='+')} points."
    if lead.low > 0:
        return f"{text} So here the other model helps more than twice the data."
    if lead.high < 0:
        return f"{text} So here twice the data helps more than the other model."
    return f"{text} Which helps more is not decided: the difference is {lead.text(sign='+')} points."


def entry_name(row: Mapping[str, str] | pd.Series) -> str:
    """Return the name of a model and its representation."""
    return f"{row['model']} on {row['representation']}"


def curves_figure(table: pd.DataFrame, theme: Theme = FILE) -> Figure:
    """Draw accuracy over the number of training tracks: a panel per data set, a line with bars per model."""
    parts = list(table.groupby(["dataset", "split"], sort=False))
    figure, panels = theme.panels(500 * len(parts), 340, len(parts))
    for ((dataset, split), own), axes in zip(parts, panels, strict=True):
        _panel(axes, own, theme)
        axes.set(xlabel=f"training tracks of {dataset}, {split}", ylabel="accuracy of test tracks (%)")
    handles, labels = panels[0].get_legend_handles_labels()
    legend = figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    for text in legend.get_texts():
        text.set(color=theme.ink, fontsize=theme.font_size)
    return figure


def _panel(axes: Axes, table: pd.DataFrame, theme: Theme) -> None:
    entries = list(table.groupby([*ENTRY], sort=False))
    # Bars next to each other, not on top of each other.
    places = 1.025 ** (np.arange(len(entries)) - (len(entries) - 1) / 2)
    looks = zip(cycle(theme.series), cycle(_STYLES), cycle(_MARKS), strict=False)
    for (_, own), place, (colour, style, mark) in zip(entries, places, looks, strict=False):
        bounds = [own["accuracy"] - own["accuracy_low"], own["accuracy_high"] - own["accuracy"]]
        axes.errorbar(
            own["n_training"] * place,
            own["accuracy"],
            # Of a single artist there are no bounds.
            np.nan_to_num(bounds),
            color=colour,
            linestyle=style,
            marker=mark,
            markersize=5,
            elinewidth=0.9,
            capsize=3,
            label=entry_name(own.iloc[0]),
        )
    axes.axhline(table["chance"].iloc[0], color=theme.ink, linewidth=0.8, linestyle=":", label="chance")
    axes.set_xscale("log")
    axes.minorticks_off()
    ticks = sorted(set(table["n_training"]))
    axes.set_xticks(ticks, [f"{n:,}" for n in ticks])
    axes.set_ylim(0, 102)
    axes.grid(axis="y", color=theme.line, linewidth=0.8)


def curves_markdown(table: pd.DataFrame) -> str:
    """Return the table as a Markdown page, with the answer for each data set."""
    lines = [
        "# Learning curves",
        "",
        "Accuracy (%) of test tracks by the number of training tracks, and the difference in points from the",
        "first model trained on the same tracks, with 95 % intervals over artists, or over tracks of unknown",
        "artist, with seeds pooled (docs/evaluation.md). How to read it: docs/learning_curves.md.",
    ]
    for (dataset, split), own in table.groupby(["dataset", "split"], sort=False):
        row = own.iloc[0]
        counts = f"{row['n_tracks']} test tracks, seeds: {row['n_seeds']}, chance {row['chance']:g} %."
        lines += ["", f"## {dataset}, {split}", "", answer(own), "", counts, ""]
        lines += [markdown_table(map(_cells, own.to_dict(orient="records")), _HEADER, "llrrr")]
    return "\n".join(lines).rstrip() + "\n"


def _cells(row: dict) -> list[str]:
    accuracy, points = (Interval.of_columns(row, name) for name in ("accuracy", "points"))
    difference = "" if pd.isna(points.estimate) else points.text(sign="+")
    return [row["model"], row["representation"], str(row["n_training"]), accuracy.text(), difference]
