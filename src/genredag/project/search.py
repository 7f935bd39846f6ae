"""A hyper-parameter search: the results of DVC's experiments of one name, compared on validation data."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
RESULTS = ("n_runs", "validation_accuracy", "validation_log_loss", "test_accuracy")


@dataclass(frozen=True)
class Experiment:
    """One finished experiment: leaves of ``params.yaml`` and of ``metrics.json`` by their dotted names."""

    params: dict[str, object]
    metrics: dict[str, float]


def read_search(project: Path, name: str) -> tuple[list[Experiment], int]:
    """Ask DVC for the experiments called `name`, `name`-1, `name`-2 ... since the last commit.

    Returns
    -------
    tuple
        The finished experiments, and the number of unfinished ones.

    Raises
    ------
    DataError
        None is finished.
    """
    shown = json.loads(Workplace(project).dvc("exp", "show", "--json").stdout)
    found = [
        experiment
        for commit in shown
        for experiment in commit.get("experiments") or []
        if re.fullmatch(rf"{re.escape(name)}(-\d+)?", experiment["name"] or "")
    ]
    finished = list(filter(None, map(_finished, found)))
    if not finished:
        raise DataError(
            f"none of {len(found)} experiments is finished",
            where=name,
            hint="`dvc queue status` shows their progress, `dvc queue logs` their output; "
            "`dvc exp run --queue --name` names them",
        )
    return finished, len(found) - len(finished)


def _finished(experiment: dict[str, Any]) -> Experiment | None:
    data = experiment["revs"][0].get("data") or {}
    metrics = (data.get("metrics") or {}).get("experiment/metrics.json", {}).get("data")
    if not metrics or (experiment["executor"] or {}).get("state") not in (None, "success"):
        return None
    trees = (data["params"]["params.yaml"]["data"], metrics)
    return Experiment(*({".".join(leaf): value for leaf, value in flatten(tree)} for tree in trees))


def search_table(experiments: list[Experiment]) -> pd.DataFrame:
    """Return one row per cell, best validation accuracy first; the lower loss breaks ties.

    Accuracies are track accuracies, averaged over the seeds and folds of a cell. Test accuracy is reported
    for the selected cell only.

    Returns
    -------
    pd.DataFrame
        A column for each parameter that varies, then n_runs, validation_accuracy, validation_log_loss,
        test_accuracy.
    """
    import pandas as pd

    varied = [
        leaf
        for leaf in experiments[0].params
        if len({json.dumps(e.params.get(leaf)) for e in experiments}) > 1 and leaf not in REPEATS
    ]
    rows = [
        {leaf: _plain(e.params.get(leaf, "")) for leaf in varied}
        | {
            "n_runs": 1,
            "validation_accuracy": e.metrics["validation.track.accuracy"],
            "validation_log_loss": e.metrics["validation.track.log_loss"],
            "test_accuracy": e.metrics["test.track.accuracy"],
        }
        for e in experiments
    ]
    means = dict.fromkeys(RESULTS, "mean") | {"n_runs": "sum"}
    runs = pd.DataFrame(rows)
    # Round, so that equal means compare as equal.
    cells = (runs.groupby(varied, dropna=False, as_index=False).agg(means) if varied else runs).round(9)
    cells = cells.sort_values(["validation_accuracy", "validation_log_loss"], ascending=[False, True])
    cells = cells.reset_index(drop=True)
    cells.loc[1:, "test_accuracy"] = float("nan")
    return cells


def _plain(value: object) -> object:
    """Return a value that pandas can group by: JSON for lists, and for None, which it takes for NaN."""
    return json.dumps(value) if value is None or isinstance(value, list | dict) else value


def search_figure(table: pd.DataFrame) -> Figure:
    """Draw the validation accuracy of every cell, the selected one marked; two parameters make a grid."""
    varied = [column for column in table.columns if column not in RESULTS]
    figure = new_figure()
    axes = figure.add_subplot()
    if len(varied) == 2:
        _draw_grid(axes, table, *varied)
    else:
        _draw_bars(axes, table, varied)
    return figure


def _draw_grid(axes: Axes, table: pd.DataFrame, rows: str, columns: str) -> None:
    import seaborn as sns
    from matplotlib.patches import Rectangle

    grid = table.pivot_table(index=rows, columns=columns, values="validation_accuracy")
    label = {"label": "validation track accuracy"}
    sns.heatmap(grid, ax=axes, annot=True, fmt=".3f", cmap="cividis", linewidths=0.5, cbar_kws=label)
    corner = list(grid.columns).index(table[columns][0]), list(grid.index).index(table[rows][0])
    axes.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=ORANGE, linewidth=4, clip_on=False))
    axes.set_title("selected: the framed cell", fontsize=9)
    axes.tick_params(axis="y", rotation=0)


def _draw_bars(axes: Axes, table: pd.DataFrame, varied: list[str]) -> None:
    cells = table[varied].astype(object).to_numpy()
    words = [leaf.split(".")[-1] for leaf in varied]
    names = [", ".join(f"{word} {value}" for word, value in zip(words, cell, strict=True)) for cell in cells]
    colors = [ORANGE, *[BLUE] * (len(table) - 1)]
    axes.barh(names, table["validation_accuracy"], color=colors)
    axes.invert_yaxis()
    axes.set(xlim=(0, 1), xlabel="validation track accuracy")
    axes.set_title("selected: the first", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
