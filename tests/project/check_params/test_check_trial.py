"""Tiny trials: parameters for every model, and drops in metrics."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from genredag.models.compatibility import matrix_pairs
from genredag.params.loading import parse_params
from genredag.params.tree import flatten
from genredag.project.check_params.plan import KEYS
from genredag.project.check_params.trial import falls, tiny_tree


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


def test_a_changed_leaf_keeps_its_value_but_the_data_set_stays_tiny(tree: dict[str, Any]) -> None:
    tree["models"]["crnn"]["epochs"] = 77
    tree["datasets"]["synthetic"]["tracks_per_genre"] = 500
    touched = [("models", "crnn", "epochs"), ("datasets", "synthetic", "tracks_per_genre"), ("gone",)]
    tiny = tiny_tree(tree, {key: str(tree[key]) for key in KEYS}, touched)
    assert tiny["models"]["crnn"]["epochs"] == 77
    assert tiny["datasets"]["synthetic"]["tracks_per_genre"] == 10


@pytest.mark.parametrize(("after", "n_falls"), [(0.9, 0), (0.85, 0), (0.8, 1), (1.0, 0)])
def test_drops_beyond_the_tolerance_are_reported(after: float, n_falls: int) -> None:
    before = {"track accuracy": 0.9, "track log_loss": 0.1}
    assert (
        len(falls(before, {"track accuracy": after, "track log_loss": 5.0, "new accuracy": 0}, 0.06))
        == n_falls
    )


def test_the_tiny_overlay_uses_only_existing_keys(tree: dict[str, Any]) -> None:
    from genredag.project.check_params.trial import TINY

    overlaid = yaml.safe_load(TINY.read_text(encoding="utf-8"))
    known = {leaf for leaf, _ in flatten(tree)}
    stars = {("models", "crnn", leaf[2]) if "*" in leaf else leaf for leaf, _ in flatten(overlaid)}
    assert stars <= known
