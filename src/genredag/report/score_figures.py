"""Pictures of how a model learnt and how far it can be believed: curves, calibration, ROC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from genredag.report.svg import INK, LINE, SERIES, axes_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def learning_curves(histories: Sequence[pd.DataFrame], quantity: str) -> Figure:
    """Draw ``"loss"`` or ``"accuracy"`` of training and validation slices over the epochs, a line a run.

    The epoch of the least validation loss, whose weights are kept, is marked on each line.
    """
    from matplotlib.ticker import MaxNLocator

    figure, axes = axes_of(360, 230)
    width = 1.8 if len(histories) == 1 else 1.1
    for number, history in enumerate(histories):
        kept = history.iloc[[int(history["val_loss"].argmin())]]
        for key, colour, style, name in (
            (quantity, SERIES[0], "-", "training"),
            (f"val_{quantity}", SERIES[1], "--", "validation"),
        ):
            label = None if number else name
            axes.plot(history["epoch"], history[key], style, color=colour, linewidth=width, label=label)
        kept_label = None if number else "weights kept"
        axes.plot(
            kept["epoch"], kept[f"val_{quantity}"], "o", color=SERIES[1], markersize=5, label=kept_label
        )
    axes.set_xlabel("epoch")
    axes.set_ylim(bottom=0, top=1 if quantity == "accuracy" else None)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _finish(axes)
    return figure


def reliability_figure(reliability: pd.DataFrame) -> Figure:
    """Draw how often a model is right over how sure it says it is; larger marks hold more predictions.

    Parameters
    ----------
    reliability
        level (``"slice"`` or ``"track"``), confidence, accuracy, n; a row a bin.
    """
    figure, axes = axes_of(360, 300)
    axes.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle=":", label="as sure as right")
    for level, colour, shape in (("slice", SERIES[0], "o"), ("track", SERIES[1], "s")):
        bins = reliability[(reliability["level"] == level) & (reliability["n"] > 0)]
        axes.plot(bins["confidence"], bins["accuracy"], color=colour, linewidth=1.4)
        areas = 12 + 110 * bins["n"] / max(1, bins["n"].max())
        axes.scatter(bins["confidence"], bins["accuracy"], areas, color=colour, marker=shape, alpha=0.8)
        axes.plot([], [], shape, linestyle="-", color=colour, label=f"{level}s")
    axes.set(xlabel="confidence", ylabel="share that is right", xlim=(0, 1.02), ylim=(0, 1.04))
    _finish(axes)
    return figure


def roc_figure(roc: pd.DataFrame, areas: Mapping[str, float]) -> Figure:
    """Draw the curve of each genre against the rest; the best and the worst stand out.

    Parameters
    ----------
    roc
        genre, fpr, tpr; a row a point.
    areas
        Area under the curve of each genre.
    """
    figure, axes = axes_of(360, 300)
    axes.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle=":", label="chance")
    best, worst = (choose(areas, key=areas.__getitem__) for choose in (max, min))
    shown = {best: (SERIES[0], "-"), worst: (SERIES[1], "--")}
    for genre in sorted(areas):
        points = roc[roc["genre"] == genre]
        colour, style = shown.get(genre, (LINE, "-"))
        label = f"{genre}: area {areas[genre]:.2f}" if genre in shown else None
        order = 3 if genre in shown else 1
        axes.plot(points["fpr"], points["tpr"], style, color=colour, linewidth=1.6, label=label, zorder=order)
    axes.set(xlabel="share of other genres taken for it", ylabel="share of it found")
    axes.set(xlim=(-0.01, 1), ylim=(0, 1.02))
    _finish(axes)
    return figure


def _finish(axes: Axes) -> None:
    axes.grid(axis="y", color=LINE, linewidth=0.8)
    axes.legend(frameon=False, labelcolor=INK, fontsize=11)
