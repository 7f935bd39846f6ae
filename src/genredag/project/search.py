"""A hyper-parameter search: the results of DVC's experiments of one name, compared on validation data."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genredag.errors import DataError
from genredag.evaluation.themes import BLUE, ORANGE, new_figure
from genredag.params.tree import flatten
from genredag.project.check_params.workplace import Workplace

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Parameters that do not define a cell: runs that differ only in these are averaged.
REPEATS = ("seed", "fold")
# Columns of results and their names in metrics.json; training accuracy is of slices, the others of tracks.
METRICS = {
    "train_accuracy": "train.slice.accuracy",
    "validation_accuracy": "validation.track.accuracy",
    "validation_precision": "validation.track.macro_precision",
    "validation_recall": "validation.track.balanced_accuracy",
    "validation_log_loss": "validation.track.log_loss",
    "test_accuracy": "test.track.accuracy",
}
RESULTS = ("n_runs", *METRICS)
TRAINING = "training accuracy, slices"


@dataclass(frozen=True)
class Experiment:
    """One finished experiment: leaves of ``params.yaml`` and of ``metrics.json`` by their dotted names."""

    params: dict[str, object]
    metrics: dict[str, float]


def read_search(project: Path, names: Sequence[str]) -> tuple[list[Experiment], int]:
    """Ask DVC for the experiments called NAME, NAME-1, NAME-2 ... of each name, since the last commit.

    Returns
    -------
    tuple
        The finished experiments, and the number of unfinished ones.

    Raises
    ------
    DataError
        None is finished, or none has one of the names.
    """
    shown = json.loads(Workplace(project).dvc("exp", "show", "--json").stdout)
    found = [
        experiment
        for commit in shown
        for experiment in commit.get("experiments") or []
        if any(_is_called(experiment, name) for name in names)
    ]
    hint = (
        "`dvc queue status` shows their progress, `dvc queue logs` their output; "
        "`dvc exp run --queue --name` names them"
    )
    if unknown := [name for name in names if not any(_is_called(one, name) for one in found)]:
        raise DataError("no experiment has this name", where=" ".join(unknown), hint=hint)
    finished = list(filter(None, map(_finished, found)))
    if not finished:
        what = f"none of {len(found)} experiments is finished"
        raise DataError(what, where=" ".join(names), hint=hint)
    return finished, len(found) - len(finished)


def _is_called(experiment: dict[str, Any], name: str) -> bool:
    return bool(re.fullmatch(rf"{re.escape(name)}(-\d+)?", experiment["name"] or ""))


def _finished(experiment: dict[str, Any]) -> Experiment | None:
    data = experiment["revs"][0].get("data") or {}
    metrics = (data.get("metrics") or {}).get("experiment/metrics.json", {}).get("data")
    if not metrics or (experiment["executor"] or {}).get("state") not in (None, "success"):
        return None
    trees = (data["params"]["params.yaml"]["data"], metrics)
    return Experiment(*({".".join(leaf): value for leaf, value in flatten(tree)} for tree in trees))


def search_table(experiments: list[Experiment]) -> pd.DataFrame:
    """Return one row per cell, best validation accuracy first; the lower loss breaks ties.

    Results are of tracks, except for the accuracy on training slices, and averaged over the seeds and folds
    of a cell. Precision and recall are means over the genres. Test accuracy is reported for the selected
    cell only. If the models differ, a parameter of a recipe is a column without the name of its model.

    Returns
    -------
    pd.DataFrame
        A column for each parameter that varies, then `RESULTS`; NaN for what an older version did not
        measure.
    """
    import pandas as pd

    params = _params_of_own_models(experiments)
    leaves = dict.fromkeys(leaf for own in params for leaf in own)
    varied = [
        leaf
        for leaf in leaves
        if len({json.dumps(own.get(leaf)) for own in params}) > 1 and leaf not in REPEATS
    ]
    rows = [
        {leaf: _plain(own.get(leaf, "")) for leaf in varied}
        | {"n_runs": 1}
        | {column: e.metrics.get(name, math.nan) for column, name in METRICS.items()}
        for e, own in zip(experiments, params, strict=True)
    ]
    means = dict.fromkeys(RESULTS, "mean") | {"n_runs": "sum"}
    runs = pd.DataFrame(rows)
    # Round, so that equal means compare as equal. Runs that differ only in their seeds are one cell.
    cells = (
        runs.groupby(varied, dropna=False, as_index=False).agg(means)
        if varied
        else runs.groupby(np.zeros(len(runs))).agg(means)
    ).round(9)
    cells = cells.sort_values(["validation_accuracy", "validation_log_loss"], ascending=[False, True])
    cells = cells.reset_index(drop=True)
    cells.loc[1:, "test_accuracy"] = float("nan")
    return cells


def _params_of_own_models(experiments: list[Experiment]) -> list[dict[str, object]]:
    """Return the parameters of each experiment.

    If several models were searched, each has its own recipe, so `epochs` is a column and not
    `models.mlp_30.epochs`, and what no recipe varies is no column.
    """
    searched = {str(e.params.get("model")) for e in experiments}
    if len(searched) < 2:
        return [e.params for e in experiments]
    recipes = tuple(f"models.{model}." for model in searched)
    varied = {
        leaf
        for model in searched
        for leaf in experiments[0].params
        if leaf.startswith(f"models.{model}.")
        and len({json.dumps(e.params.get(leaf)) for e in experiments if e.params["model"] == model}) > 1
    }
    names = {leaf.split(".", 2)[2] for leaf in varied}
    found = []
    for e in experiments:
        own = {leaf: value for leaf, value in e.params.items() if not leaf.startswith(recipes)}
        keys = {name: f"models.{e.params['model']}.{name}" for name in sorted(names)}
        found.append(own | {name: e.params[key] for name, key in keys.items() if key in e.params})
    return found


def _plain(value: object) -> object:
    """Return a value that pandas can group by: JSON for lists, and for None, which it takes for NaN."""
    return json.dumps(value) if value is None or isinstance(value, list | dict) else value


def search_figure(table: pd.DataFrame) -> Figure:
    """Draw the validation accuracy of every cell, the selected one marked.

    Models and one more parameter make groups of bars, two other parameters a grid.
    """
    varied = [column for column in table.columns if column not in RESULTS]
    figure = new_figure()
    axes = figure.add_subplot()
    if len(varied) == 2 and "model" in varied:
        _draw_groups(axes, table, next(leaf for leaf in varied if leaf != "model"))
    elif len(varied) == 2:
        _draw_grid(axes, table, *varied)
    else:
        _draw_bars(axes, table, varied)
    return figure


def _draw_grid(axes: Axes, table: pd.DataFrame, rows: str, columns: str) -> None:
    import seaborn as sns

    grid = table.pivot_table(index=rows, columns=columns, values="validation_accuracy")
    label = {"label": "validation track accuracy"}
    sns.heatmap(grid, ax=axes, annot=True, fmt=".3f", cmap="cividis", linewidths=0.5, cbar_kws=label)
    corner = list(grid.columns).index(table[columns][0]), list(grid.index).index(table[rows][0])
    _frame(axes, corner, 1, 1)
    axes.set_title("selected: the framed cell", fontsize=9)
    axes.tick_params(axis="y", rotation=0)


def _draw_groups(axes: Axes, table: pd.DataFrame, leaf: str) -> None:
    """Draw a group of bars for each model, a bar for each value of the other parameter."""
    import matplotlib

    models = sorted(set(table["model"]))
    # Numbers first; "" is that of a model without this parameter.
    values = sorted(set(table[leaf]), key=lambda value: (isinstance(value, str), value))
    accuracy = table.pivot_table(index="model", columns=leaf, values="validation_accuracy")
    training = table.set_index(["model", leaf])["train_accuracy"]
    width = 0.8 / len(values)
    colors = matplotlib.colormaps["cividis"](np.linspace(0.15, 0.85, len(values)))
    for i, value in enumerate(values):
        places = np.arange(len(models)) + (i - (len(values) - 1) / 2) * width
        bars = accuracy.reindex(models)[value]
        axes.bar(places, bars, width, color=colors[i], label=f"{leaf} {value}")
        marks = [training.get((model, value), math.nan) for model in models]
        axes.plot(places, marks, "_", color="black", label=None if i else TRAINING)
    chosen = models.index(table["model"][0]), values.index(table[leaf][0])
    edge = chosen[0] + (chosen[1] - len(values) / 2) * width
    _frame(axes, (edge, 0), width, table["validation_accuracy"][0])
    axes.set(xticks=range(len(models)), ylim=(0, 1), ylabel="validation track accuracy")
    axes.set_xticklabels(models, rotation=30, ha="right")
    axes.set_title("selected: the framed bar", fontsize=9)
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    axes.spines[["top", "right"]].set_visible(False)


def _frame(axes: Axes, corner: tuple[float, float], width: float, height: float) -> None:
    from matplotlib.patches import Rectangle

    frame = Rectangle(corner, width, height, fill=False, edgecolor=ORANGE, linewidth=4, clip_on=False)
    axes.add_patch(frame)


def _draw_bars(axes: Axes, table: pd.DataFrame, varied: list[str]) -> None:
    cells = table[varied].astype(object).to_numpy()
    words = [leaf.split(".")[-1] for leaf in varied]
    names = [", ".join(f"{word} {value}" for word, value in zip(words, cell, strict=True)) for cell in cells]
    colors = [ORANGE, *[BLUE] * (len(table) - 1)]
    axes.barh(names, table["validation_accuracy"], color=colors)
    axes.plot(table["train_accuracy"], names, "|", color="black", markersize=10, label=TRAINING)
    axes.invert_yaxis()
    axes.set(xlim=(0, 1), xlabel="validation track accuracy")
    axes.set_title("selected: the first", fontsize=9)
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    axes.spines[["top", "right"]].set_visible(False)
