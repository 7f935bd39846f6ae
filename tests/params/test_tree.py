"""Trees of parameters: flattening, comparing, overlaying."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from genredag.params.tree import MISSING, differences, flatten, overlay

TREES = st.recursive(
    st.integers(0, 3), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=8
).filter(lambda tree: isinstance(tree, dict))


def test_flatten_keeps_lists_and_empty_mappings_whole() -> None:
    tree = {"a": {"b": [1, 2], "c": {}}, "d": None}
    assert dict(flatten(tree)) == {("a", "b"): [1, 2], ("a", "c"): {}, ("d",): None}


def test_differences_include_added_and_removed_keys() -> None:
    old, new = {"a": {"b": 1, "c": 3.0}}, {"a": {"c": 3}, "d": "x"}
    assert differences(old, new) == {("a", "b"): (1, MISSING), ("d",): (MISSING, "x")}


@given(TREES, TREES)
def test_only_equal_trees_have_no_differences(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert (differences(old, new) == {}) == (dict(flatten(old)) == dict(flatten(new)))


@given(TREES, TREES)
def test_an_overlay_adds_no_key(tree: dict[str, Any], values: dict[str, Any]) -> None:
    assert set(overlay(tree, values)) == set(tree)


def test_a_star_overlays_all_other_keys() -> None:
    tree = {"models": {"a": {"epochs": 30}, "b": {"epochs": 30, "lr": 1}, "c": {}}}
    tiny = {"models": {"*": {"epochs": 2}, "b": {"lr": 5, "unknown": 0}}}
    assert overlay(tree, tiny) == {"models": {"a": {"epochs": 2}, "b": {"epochs": 30, "lr": 5}, "c": {}}}
