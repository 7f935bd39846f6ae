"""Parameters cut down to a small data set and one experiment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from genredag.params.groups.reading import read_tree
from genredag.params.tree import Leaf, Tree, assign, flatten, overlay
from genredag.project.check_params.plan import AXES, KEYS

TINY, TRIAL = (Path(__file__).with_name(f"{name}.yaml") for name in ("tiny", "trial"))


def tiny_tree(tree: Tree, choice: dict[str, str], touched: list[Leaf], values: Path = TINY) -> Tree:
    """Return parameters cut down to a small data set and one experiment.

    Leaves that the change touches keep the user's value, except those of the data set, which stays small.

    Parameters
    ----------
    values
        A YAML file of the values that make it small: `TINY`, or `TRIAL`, on which models learn more.
    """
    own = dict(flatten(tree))
    tiny = overlay(tree, read_tree(values))
    for leaf in touched:
        if leaf in own and leaf[0] not in ("datasets", "matrix", *KEYS):
            assign(tiny, leaf, own[leaf])
    names: dict[str, Any] = {**choice, "seed": int(choice["seed"]), "dataset": tiny["dataset"]}
    names["fold"] = int(choice["fold"].removeprefix("-") or 0)
    # A reference from before folds existed has no such key.
    names = {key: name for key, name in names.items() if key in tree}
    return {**tiny, **names, "matrix": {key: [names[key]] for key in AXES}}
