"""Pictures of one run: confusion, learning curves, ROC, reliability. Equal data give equal bytes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from genredag.runtime.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart with any colour vision.
BLUE, ORANGE = "#0072B2", "#E69F00"


def confusion_figure(confusion: pd.DataFrame, class_names: list[str]) -> Figure:
    """Draw counts of tracks by actual (rows) and predicted genre, shaded by their share of the row.

    Parameters
    ----------
    confusion
        actual, predicted; one row a track.
    """
    import seaborn as sns
    from matplotlib.figure import Figure

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
    figure = Figure(figsize=(size + 0.8, size), layout="constrained")
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
    axes.set(xlabel="predicted", ylabel="actual", title=f"{hits} of {len(confusion)} test tracks recognised")
    axes.tick_params(axis="x", rotation=45)
    axes.tick_params(axis="y", rotation=0)
    return figure


def learning_curves_figure(history: pd.DataFrame) -> Figure:
    """Draw loss and accuracy over the epochs, the epoch kept (least validation loss) marked.

    An estimator has no epochs: its figure says so.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    if len(history) == 1 and history["learning_rate"].isna().all():
        row = history.iloc[0]
        text = "Fitted at once, without epochs"
        for name, prefix in (("training", ""), ("validation", "val_")):
            text += f"\n{name}: loss {row[f'{prefix}loss']:.3f}, accuracy {row[f'{prefix}accuracy']:.1%}"
        figure.text(0.5, 0.5, text, ha="center", va="center", fontsize=12)
        return figure
    loss, accuracy = figure.subplots(1, 2)
    _curves(loss, history, "loss")
    _curves(accuracy, history, "accuracy")
    loss.set_ylim(bottom=0)
    accuracy.set_ylim(0, 1)
    accuracy.legend(frameon=False)
    return figure


def roc_figure(roc: pd.DataFrame) -> Figure:
    """Draw `genredag.evaluation.curves.roc_points`, a curve a genre, with the area below each."""
    import seaborn as sns
    from matplotlib.figure import Figure
    from sklearn.metrics import auc

    figure = Figure(figsize=(7.4, 5), layout="constrained")
    axes = figure.add_subplot()
    curves = list(roc.groupby("genre", sort=False))
    colours = sns.color_palette("colorblind", 10)
    for i, (genre, points) in enumerate(curves):
        label = f"{genre}: {auc(points['fpr'], points['tpr']):.3f}"
        style = ("-", "--", ":")[i // 10 % 3]
        axes.plot(points["fpr"], points["tpr"], color=colours[i % 10], linestyle=style, label=label)
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8, linestyle=":")
    axes.set(xlabel="false positive rate", ylabel="true positive rate", aspect="equal")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(title="area under the curve", frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def reliability_figure(reliability: pd.DataFrame) -> Figure:
    """Draw accuracy over confidence of slices and tracks; the larger a point, the more lie in its bin.

    Parameters
    ----------
    reliability
        `genredag.evaluation.curves.reliability_by_level`.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8, linestyle=":", label="perfectly calibrated")
    for level, colour in (("slice", ORANGE), ("track", BLUE)):
        bins = reliability[reliability["level"] == level]
        axes.plot(bins["confidence"], bins["accuracy"], color=colour, label=f"{level}s")
        sizes = 150 * bins["n"] / bins["n"].max()
        axes.scatter(bins["confidence"], bins["accuracy"], s=sizes, color=colour, alpha=0.6, linewidth=0)
    limits = (-0.02, 1.02)
    axes.set(xlabel="confidence", ylabel="accuracy", xlim=limits, ylim=limits, aspect="equal")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure


def run_figures(
    tables: dict[str, pd.DataFrame], history: pd.DataFrame, class_names: list[str]
) -> dict[str, Figure]:
    """Draw a run from its history and `genredag.evaluation.metrics.tables_of_test`."""
    return {
        "confusion_matrix": confusion_figure(tables["confusion"], class_names),
        "learning_curves": learning_curves_figure(history),
        "roc_curves": roc_figure(tables["roc"]),
        "reliability_diagram": reliability_figure(tables["reliability"]),
    }


def save_figure(path: Path, figure: Figure, warning: str = "") -> None:
    """Write `figure` to `path` as PNG, under a `warning` if there is one."""
    if warning:
        figure.suptitle(warning, color="#D55E00", fontsize=9, wrap=True)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120, metadata={"Software": None})


def _curves(axes: Axes, history: pd.DataFrame, name: str) -> None:
    from matplotlib.ticker import MaxNLocator

    best = int(history["epoch"].iloc[history["val_loss"].argmin()])
    axes.plot(history["epoch"], history[name], color=BLUE, marker=".", label="training")
    axes.plot(history["epoch"], history[f"val_{name}"], color=ORANGE, marker=".", label="validation")
    axes.axvline(best, color="grey", linestyle=":", label=f"kept: epoch {best}")
    axes.set(xlabel="epoch", ylabel=name)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
