"""Leaves: flattened, compared, overlaid; figures that fall; jobs read from a dry run."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from genredag.check_params.leaves import MISSING, differences, flatten, overlay
from genredag.check_params.plan import KEYS
from genredag.check_params.runners import parse_jobs
from genredag.check_params.trial import falls, tiny_tree
from genredag.pairing import matrix_pairs
from genredag.params import parse_params

TREES = st.recursive(
    st.integers(0, 3), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=8
).filter(lambda tree: isinstance(tree, dict))


def test_flatten_keeps_lists_and_empty_mappings_whole() -> None:
    tree = {"a": {"b": [1, 2], "c": {}}, "d": None}
    assert dict(flatten(tree)) == {("a", "b"): [1, 2], ("a", "c"): {}, ("d",): None}


def test_differences_see_what_is_added_and_removed() -> None:
    old, new = {"a": {"b": 1, "c": 3.0}}, {"a": {"c": 3}, "d": "x"}
    assert differences(old, new) == {("a", "b"): (1, MISSING), ("d",): (MISSING, "x")}


@given(TREES, TREES)
def test_differences_are_none_only_between_equals(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert (differences(old, new) == {}) == (dict(flatten(old)) == dict(flatten(new)))


@given(TREES, TREES)
def test_an_overlay_adds_no_key(tree: dict[str, Any], values: dict[str, Any]) -> None:
    assert set(overlay(tree, values)) == set(tree)


def test_an_overlay_reaches_all_others_by_a_star() -> None:
    tree = {"models": {"a": {"epochs": 30}, "b": {"epochs": 30, "lr": 1}, "c": {}}}
    tiny = {"models": {"*": {"epochs": 2}, "b": {"lr": 5, "unknown": 0}}}
    assert overlay(tree, tiny) == {"models": {"a": {"epochs": 2}, "b": {"epochs": 30, "lr": 5}, "c": {}}}


def test_tiny_parameters_are_valid_for_every_model(tree: dict[str, Any]) -> None:
    choice = {key: str(tree[key]) for key in KEYS}
    tree["matrix"] |= {"model": list(tree["models"]), "representation": ["mel", "handcrafted"]}
    for representation, model in matrix_pairs(parse_params(tree)).built:
        pair = {"representation": representation, "model": model}
        tiny = tiny_tree(tree, choice | pair, touched=[])
        assert parse_params(tiny).matrix.model == [model]
        assert (
            tiny["datasets"]["synthetic"]["tracks_per_genre"]
            < tree["datasets"]["synthetic"]["tracks_per_genre"]
        )


def test_a_touched_leaf_keeps_the_users_value_but_the_data_set_stays_tiny(tree: dict[str, Any]) -> None:
    tree["models"]["crnn"]["epochs"] = 77
    tree["datasets"]["synthetic"]["tracks_per_genre"] = 500
    touched = [("models", "crnn", "epochs"), ("datasets", "synthetic", "tracks_per_genre"), ("gone",)]
    tiny = tiny_tree(tree, {key: str(tree[key]) for key in KEYS}, touched)
    assert tiny["models"]["crnn"]["epochs"] == 77
    assert tiny["datasets"]["synthetic"]["tracks_per_genre"] == 10


@pytest.mark.parametrize(("after", "n_falls"), [(0.9, 0), (0.85, 0), (0.8, 1), (1.0, 0)])
def test_falls_beyond_the_tolerance_are_told(after: float, n_falls: int) -> None:
    before = {"track accuracy": 0.9, "track log_loss": 0.1}
    assert (
        len(falls(before, {"track accuracy": after, "track log_loss": 5.0, "new accuracy": 0}, 0.06))
        == n_falls
    )


def test_jobs_are_read_from_a_dry_run() -> None:
    printed = """
[Sun Nov 22 00:49:02 2026]
rule split:
    input: workflow/scripts/split.py, data/a/manifest.parquet
    output: data/a/mel/s/42/split.parquet
    wildcards: dataset=a, seed=42
Shell command: python workflow/scripts/split.py --seed 42

localrule all:
    input: results/report.html
"""
    (job,) = parse_jobs(printed)
    assert job.rule == "split"
    assert job.input == ["workflow/scripts/split.py", "data/a/manifest.parquet"]
    assert job.output == ["data/a/mel/s/42/split.parquet"]
    assert job.wildcards == {"dataset": "a", "seed": "42"}
    assert job.command == "python workflow/scripts/split.py --seed 42"


def test_the_tiny_overlay_names_only_what_exists(tree: dict[str, Any]) -> None:
    from genredag.check_params.trial import TINY

    overlaid = yaml.safe_load(TINY.read_text(encoding="utf-8"))
    known = {leaf for leaf, _ in flatten(tree)}
    stars = {("models", "crnn", leaf[2]) if "*" in leaf else leaf for leaf, _ in flatten(overlaid)}
    assert stars <= known
