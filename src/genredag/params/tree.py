"""The leaves of ``params.yaml``: flattened, compared, overlaid."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

Tree = dict[str, Any]
Leaf = tuple[str, ...]
MISSING = "—"
# The group of values that recipes share. No stage reads it: a copied value belongs to the model.
SHARED = "shared"


def flatten(tree: Tree, prefix: Leaf = ()) -> Iterator[tuple[Leaf, Any]]:
    """Yield the path and value of every leaf; a list or empty mapping is one leaf, `SHARED` is skipped."""
    for key, value in tree.items():
        if not prefix and key == SHARED:
            continue
        if isinstance(value, dict) and value:
            yield from flatten(value, (*prefix, str(key)))
        else:
            yield (*prefix, str(key)), value


def differences(old: Tree, new: Tree) -> dict[Leaf, tuple[Any, Any]]:
    """Return the leaves that differ as (old, new); `MISSING` marks an absent leaf.

    Values are compared, not text: order, comments and ``3`` versus ``3.0`` are not differences.
    """
    before, after = dict(flatten(old)), dict(flatten(new))
    pairs = {leaf: (before.get(leaf, MISSING), after.get(leaf, MISSING)) for leaf in {**before, **after}}
    return {leaf: pair for leaf, pair in pairs.items() if pair[0] != pair[1]}


def in_words(value: Any) -> str:
    """Return a value of a leaf as JSON, which is YAML too, or `MISSING`."""
    return MISSING if value is MISSING else json.dumps(value, ensure_ascii=False, default=str)


def overlay(tree: Tree, values: Tree) -> Tree:
    """Return a copy of `tree` with those leaves of `values` that it has; ``*`` matches any other key."""
    result: Tree = {}
    for key, old in tree.items():
        new = values.get(key, values.get("*", old))
        nested = isinstance(old, dict) and isinstance(new, dict)
        result[key] = overlay(old, new or {}) if nested else copy.deepcopy(new)
    return result


def assign(tree: Tree, leaf: Leaf, value: Any) -> None:
    """Set one leaf of a tree in place."""
    for key in leaf[:-1]:
        tree = tree[key]
    tree[leaf[-1]] = value
