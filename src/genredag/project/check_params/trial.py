"""One experiment on the tiny data set, before and after a change, by both runners."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from genredag.params.tree import Leaf, Tree, assign, flatten, overlay
from genredag.project.check_params.plan import AXES, KEYS, Plan, choice_of, run_folder, write_tree
from genredag.project.check_params.workplace import Workplace

TINY = Path(__file__).with_name("tiny.yaml")
# Scores that must not drop; losses are not checked.
CHECKED = ("accuracy", "macro_f1")


@dataclass(frozen=True)
class Trial:
    """Metrics of one experiment by runner: leaf of metrics.json to value."""

    snakemake: dict[Leaf, Any]
    dvc: dict[Leaf, Any]


def tiny_tree(tree: Tree, choice: dict[str, str], touched: list[Leaf]) -> Tree:
    """Return parameters cut down to the tiny data set and one experiment.

    Leaves that the change touches keep the user's value, except those of the data set, which stays tiny.
    """
    own = dict(flatten(tree))
    tiny = overlay(tree, yaml.safe_load(TINY.read_text(encoding="utf-8")))
    for leaf in touched:
        if leaf in own and leaf[0] not in ("datasets", "matrix", *KEYS):
            assign(tiny, leaf, own[leaf])
    names: dict[str, Any] = {**choice, "seed": int(choice["seed"]), "dataset": tiny["dataset"]}
    names["fold"] = int(choice["fold"].removeprefix("-") or 0)
    # A reference from before folds existed has no such key.
    names = {key: name for key, name in names.items() if key in tree}
    return {**tiny, **names, "matrix": {key: [names[key]] for key in AXES}}


def choose(plan: Plan, tree: Tree) -> dict[str, str] | None:
    """Return the experiment to try: the one in the file if the change affects it, else another one."""
    choice = choice_of(tree)
    affected = [job.wildcards for job in plan.jobs if job.wildcards]
    if plan.reached or any(wildcards.items() <= choice.items() for wildcards in affected):
        return choice
    return {**choice, **max(affected, key=lambda wildcards: len(dict(wildcards)))} if affected else None


def run_both(place: Workplace, tree: Tree) -> Trial:
    """Build the experiment of `tree` with both runners in parallel and read its metrics."""
    write_tree(place.folder / "params.yaml", tree)
    if not (place.folder / ".dvc").is_dir():
        place.dvc("init", "--no-scm", "--quiet")
    cores = str(max(1, (os.cpu_count() or 1) // 2))
    with ThreadPoolExecutor(max_workers=2) as pool:
        runs = [
            pool.submit(place.snakemake, "--show-failed-logs", "--cores", cores),
            pool.submit(place.dvc, "repro"),
        ]
        for run in runs:
            run.result()
    return Trial(_metrics(place.folder / run_folder(tree)), _metrics(place.folder / "experiment"))


def _metrics(folder: Path) -> dict[Leaf, Any]:
    return dict(flatten(json.loads((folder / "metrics.json").read_text(encoding="utf-8"))))


def figures(metrics: dict[Leaf, Any]) -> dict[str, float]:
    """Return the test scores of slices and tracks by name, such as ``track accuracy``."""
    return {
        f"{leaf[1]} {leaf[2]}": value
        for leaf, value in metrics.items()
        if leaf[:1] == ("test",) and _is_score(leaf)
    }


def _is_score(leaf: Leaf) -> bool:
    return len(leaf) == 3 and leaf[1] in ("slice", "track")


def falls(before: dict[str, float], after: dict[str, float], tolerance: float) -> list[str]:
    """Return one line for each checked score that drops by more than `tolerance`."""
    return [
        f"{name} drops from {before[name]:.3f} to {value:.3f}, by more than {tolerance:g}"
        for name, value in after.items()
        if name.endswith(CHECKED) and name in before and before[name] - value > tolerance
    ]
