"""Figures of a run: confusion matrix, learning curves, ROC, reliability. Equal data give equal bytes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from genredag.evaluation.themes import FILE, Theme, legend_label, new_figure
from genredag.runtime.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STYLES = ("-", "--", ":")


def confusion_figure(confusion: pd.DataFrame, class_names: list[str]) -> Figure:
    """Draw counts of tracks by actual (rows) and predicted genre, shaded by their share of the row.

    Parameters
    ----------
    confusion
        actual, predicted; one row per track.
    """
    import seaborn as sns

    counts = pd.crosstab(confusion["actual"], confusion["predicted"])
    counts = counts.reindex(index=class_names, columns=class_names, fill_value=0)
    shares = counts.div(counts.sum(axis=1).clip(lower=1), axis=0)
    labels = np.array(
        [
            ["" if n == 0 else f"{n}\n{share:.0%}" for n, share in zip(*rows, strict=True)]
            for rows in zip(counts.to_numpy(), shares.to_numpy(), strict=True)
        ]
    )
    size = 2.5 + 0.62 * len(class_names)
    figure = new_figure(size + 0.8, size)
    axes = figure.add_subplot()
    sns.heatmap(
        shares,
        ax=axes,
        annot=labels,
        fmt="",
        annot_kws={"fontsize": 8},
        cmap="cividis",
        vmin=0,
        vmax=1,
        square=True,
        linewidths=0.5,
        cbar_kws={"label": "share of the actual genre", "shrink": 0.8},
    )
    hits = int(np.trace(counts.to_numpy()))
    axes.set(xlabel="predicted", ylabel="actual", title=f"{hits} of {len(confusion)} test tracks correct")
    axes.tick_params(axis="x", rotation=45)
    axes.tick_params(axis="y", rotation=0)
    return figure


def learning_curves_figure(history: pd.DataFrame) -> Figure:
    """Draw loss and accuracy of one run side by side; see `draw_learning_curves`.

    An estimator has no epochs; its figure shows its scores as text.
    """
    if len(history) == 1 and history["learning_rate"].isna().all():
        return _fitted_at_once(history.iloc[0])
    figure, panels = FILE.panels(648, 260, 2)
    for axes, quantity in zip(panels, ("loss", "accuracy"), strict=True):
        draw_learning_curves(axes, [history], quantity, FILE)
    return figure


def draw_learning_curves(axes: Axes, histories: Sequence[pd.DataFrame], quantity: str, theme: Theme) -> None:
    """Draw ``"loss"`` or ``"accuracy"`` of training and validation slices over the epochs, a line per run.

    A mark shows the epoch with the lowest validation loss. The weights of this epoch are kept.
    """
    from matplotlib.ticker import MaxNLocator

    alone = len(histories) == 1
    width = 1.8 if alone else 1.1
    shown = ((quantity, "training"), (f"val_{quantity}", "validation"))
    for number, history in enumerate(histories):
        kept = history.iloc[[int(history["val_loss"].argmin())]]
        for (key, label), colour, style in zip(shown, theme.series, _STYLES, strict=False):
            name = None if number else label
            (line,) = axes.plot(history["epoch"], history[key], style, color=colour, label=name)
            line.set(linewidth=width, marker="." if len(history) == 1 else "")
        name = None if number else "weights kept" + (f" (epoch {kept['epoch'].item()})" if alone else "")
        values = kept[f"val_{quantity}"]
        axes.plot(kept["epoch"], values, "o", color=theme.series[1], markersize=5, label=name)
    axes.set(xlabel="epoch", ylabel=quantity)
    axes.set_ylim(bottom=0, top=1 if quantity == "accuracy" else None)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _finish(axes, theme)


def roc_figure(roc: pd.DataFrame, theme: Theme = FILE, named: Collection[str] | None = None) -> Figure:
    """Draw the ROC curve of each genre against the rest.

    Parameters
    ----------
    roc
        `genredag.evaluation.curves.roc_points`.
    named
        Genres to draw in colour, with the area under their curves in the legend. None: all genres, with the
        legend next to the axes.
    """
    from sklearn.metrics import auc

    n_genres = roc["genre"].nunique()
    # The legend next to the axes has a line per genre.
    figure, axes = (
        theme.axes(360, 300) if named is not None else theme.axes(500, max(340, 60 + 16 * n_genres))
    )
    axes.plot([0, 1], [0, 1], color=theme.ink, linewidth=1, linestyle=":", label="chance")
    curves = {str(genre): points for genre, points in roc.groupby("genre", sort=False)}
    looks = dict(zip(named or curves, zip(cycle(theme.series), cycle(_STYLES), strict=False), strict=False))
    for genre, points in curves.items():
        colour, style = looks.get(genre, (theme.line, "-"))
        (line,) = axes.plot(points["fpr"], points["tpr"], style, color=colour, linewidth=1.6, zorder=1)
        if genre in looks:
            line.set(label=f"{legend_label(genre)}: area {auc(points['fpr'], points['tpr']):.2f}", zorder=3)
    axes.set(xlabel="false positive rate", ylabel="true positive rate", xlim=(-0.01, 1), ylim=(0, 1.02))
    _finish(axes, theme, beside=named is None)
    return figure


def reliability_figure(reliability: pd.DataFrame, theme: Theme = FILE) -> Figure:
    """Draw accuracy over confidence of slices and tracks; larger marks stand for more predictions.

    Parameters
    ----------
    reliability
        `genredag.evaluation.curves.reliability_by_level`.
    """
    figure, axes = theme.axes(360, 300)
    axes.plot([0, 1], [0, 1], color=theme.ink, linewidth=1, linestyle=":", label="perfectly calibrated")
    for level, colour, shape in (("slice", theme.series[0], "o"), ("track", theme.series[1], "s")):
        bins = reliability[reliability["level"] == level]
        axes.plot(bins["confidence"], bins["accuracy"], color=colour, linewidth=1.4)
        areas = 12 + 110 * bins["n"] / max(1, bins["n"].max())
        axes.scatter(bins["confidence"], bins["accuracy"], areas, color=colour, marker=shape, alpha=0.8)
        axes.plot([], [], shape, linestyle="-", color=colour, label=f"{level}s")
    axes.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1.02), ylim=(0, 1.04))
    _finish(axes, theme)
    return figure


def run_figures(
    tables: dict[str, pd.DataFrame], history: pd.DataFrame, class_names: list[str]
) -> dict[str, Figure]:
    """Draw the figures of a run from its history and `genredag.evaluation.metrics.tables_of_test`."""
    return {
        "confusion_matrix": confusion_figure(tables["confusion"], class_names),
        "learning_curves": learning_curves_figure(history),
        "roc_curves": roc_figure(tables["roc"]),
        "reliability_diagram": reliability_figure(tables["reliability"]),
    }


def save_figure(path: Path, figure: Figure, warning: str = "") -> None:
    """Write `figure` to `path` as PNG, with `warning` as its title."""
    if warning:
        figure.suptitle(warning, color="#D55E00", fontsize=9, wrap=True)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120, metadata={"Software": None})


def _fitted_at_once(row: pd.Series) -> Figure:
    figure = new_figure(9, 3.6)
    text = "Fitted at once, without epochs"
    for name, prefix in (("training", ""), ("validation", "val_")):
        text += f"\n{name}: loss {row[f'{prefix}loss']:.3f}, accuracy {row[f'{prefix}accuracy']:.1%}"
    figure.text(0.5, 0.5, text, ha="center", va="center", fontsize=12)
    return figure


def _finish(axes: Axes, theme: Theme, beside: bool = False) -> None:
    axes.grid(axis="y", color=theme.line, linewidth=0.8)
    legend = axes.legend(frameon=False, labelcolor=theme.ink, fontsize=theme.font_size)
    if beside:
        legend.set_loc("center left")
        legend.set_bbox_to_anchor((1.0, 0.5))
