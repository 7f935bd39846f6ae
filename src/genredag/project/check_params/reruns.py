"""What reruns when a value changes, by the table of groups; a test asks both runners about every leaf."""

from __future__ import annotations

from genredag.params.stages import EXTRA_GROUPS, STAGE_GROUPS, STAGES
from genredag.params.tree import Leaf, Tree, flatten
from genredag.project.check_params.plan import KEYS

Stages = tuple[str, ...]
# The first stage whose command names a key of the experiment.
FIRST = {
    "dataset": "download",
    "representation": "spectrograms",
    "split": "split",
    "fold": "split",
    "seed": "split",
    "model": "embed",
}


def reruns(tree: Tree, leaf: Leaf) -> tuple[Stages, Stages]:
    """Return the stages that Snakemake reruns, and those that DVC does, when one leaf changes."""
    if leaf[0] in KEYS:
        return (), _from(FIRST[leaf[0]])
    if leaf[0] == "matrix":
        return _from(FIRST[leaf[1]]), ()
    for stage, groups in STAGE_GROUPS.items():
        for group in groups:
            path = tuple(group.format(**tree).split("."))
            if leaf[: len(path)] == path:
                return _from(stage), _from(stage)
    return (), ()


def _from(stage: str) -> Stages:
    return STAGES[STAGES.index(stage) :]


def reruns_page(tree: Tree) -> str:
    """Return a Markdown page of every leaf and the stages that rerun when it changes."""
    lines = [
        "# What a change reruns",
        "",
        "For the experiment of `params.yaml`. Made by `genredag generate`; a test asks Snakemake and DVC",
        "about each line. A model, data set, representation or split that the experiment does not use",
        "reruns nothing here, and its own jobs where `matrix` names it. DVC stops early where the output",
        "of a stage stays the same. Targets beside the DAG, which run when asked for, are named as commands.",
        "",
        "| value | Snakemake | DVC |",
        "|---|---|---|",
    ]
    for leaf, _ in flatten(tree):
        ours, theirs = (_shown(stages) for stages in reruns(tree, leaf))
        if leaf[0] in EXTRA_GROUPS:
            ours = f"`snakemake {leaf[0]}`"
        lines.append(f"| `{'.'.join(leaf)}` | {ours} | {theirs} |")
    return "\n".join(lines) + "\n"


def _shown(stages: Stages) -> str:
    if not stages:
        return "nothing"
    return f"{stages[0]} to {stages[-1]}" if len(stages) > 1 else stages[0]
