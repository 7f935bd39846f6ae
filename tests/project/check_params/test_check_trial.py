"""Tiny trials: parameters for every model, and drops in metrics."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from genredag.models.compatibility import matrix_pairs
from genredag.params.groups.reading import read_tree
from genredag.params.loading import parse_params
from genredag.params.tree import flatten
from genredag.project.check_params.plan import KEYS
from genredag.project.check_params.tiny import TINY, TRIAL, tiny_tree
from genredag.project.check_params.trial import Trial, models_to_try, trial_plan
from genredag.project.check_params.verdict import verdicts


def test_tiny_parameters_are_valid_for_every_model(tree: dict[str, Any]) -> None:
    choice = {key: str(tree[key]) for key in KEYS}
    tree["representations"]["musicnn"]["layer"] = "pooled"
    representations = ["mel", "handcrafted", "musicnn"]
    tree["matrix"] |= {"model": list(tree["models"]), "representation": representations}
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


def test_a_change_of_one_model_is_tried_with_that_model(tree: dict[str, Any]) -> None:
    choice = {"model": "crnn"}
    assert models_to_try(tree, choice, [("models", "crnn", "learning_rate")]) == ["crnn"]
    assert models_to_try(tree, choice, [("slices", "overlap")]) == ["svm_rbf", "crnn"]
    assert models_to_try(tree, choice, []) == ["svm_rbf", "crnn"]
    assert models_to_try(tree, {"model": "svm_rbf"}, [("slices", "overlap")]) == ["svm_rbf"]


def test_the_plan_of_a_trial(tree: dict[str, Any], project_dir: Path) -> None:
    """Networks see the slices of some genres, the cheap model those of all; each run has its own folder."""
    plan = trial_plan(project_dir, tree, ["svm_rbf", "crnn"])
    assert [Path(command[0]).stem for command in plan["commands"]] == ["download", "spectrograms", "slices"]
    assert plan["easy"]["models"] == ["crnn"]
    first, second, _ = plan["seeds"]
    assert "trial/1/split.parquet" in first["commands"][0]
    assert first["commands"][0][first["commands"][0].index("--seed") + 1] == "1"
    for model, split in (("svm_rbf", "trial/2/split.parquet"), ("crnn", "trial/2/easy/split.parquet")):
        embed, train, evaluate = second["models"][model]
        assert [Path(command[0]).stem for command in (embed, train, evaluate)] == [
            "embed",
            "train",
            "evaluate",
        ]
        assert train[train.index("--model") + 1] == model
        assert train[train.index("--seed") + 1] == "2"
        assert split in train and split in evaluate
        assert f"trial/2/{model}/bundle.zip" in train and f"trial/2/{model}/bundle.zip" in evaluate
    assert not any("experiment" in word for command in [*first["commands"], embed, train] for word in command)


def tracks(accuracy: float, seed: int, n: int = 80, n_genres: int = 10) -> pd.DataFrame:
    """Return predictions for test tracks, of which a share is right."""
    rng = np.random.default_rng(seed)
    genres = np.arange(n) % n_genres
    right = rng.permutation(np.arange(n) < round(accuracy * n))
    table = pd.DataFrame({"track_id": [f"t{i}" for i in range(n)], "part": "test", "artist": None})
    return table.assign(genre=genres.astype(str), predicted=np.where(right, genres, genres + 1).astype(str))


def trial(*accuracies: float) -> Trial:
    return Trial({("crnn", seed): tracks(accuracy, seed) for seed, accuracy in enumerate(accuracies)})


@pytest.mark.parametrize(
    ("before", "after", "is_drop", "words"),
    [
        (
            (0.8, 0.8, 0.8),
            (0.8, 0.8, 0.8),
            False,
            r"no difference seen, but a drop under \d+ points could be missed",
        ),
        ((0.8, 0.75, 0.8), (0.3, 0.4, 0.3), True, "drops"),
        ((0.8, 0.5, 0.8), (0.8, 0.8, 0.3), False, "no difference seen"),
        ((0.1, 0.1, 0.1), (0.0, 0.0, 0.0), False, "does not learn"),
        ((0.8,), (0.2,), False, "too long"),
        ((0.5, 0.5, 0.5), (0.9, 0.9, 0.9), False, "rises"),
    ],
)
def test_verdicts(before: tuple[float, ...], after: tuple[float, ...], is_drop: bool, words: str) -> None:
    (verdict,) = verdicts(trial(*before), trial(*after))
    assert verdict.is_drop(0.05) == is_drop
    assert re.search(words, verdict.words(0.05))
    assert verdict.change.estimate == pytest.approx(np.mean(after) - np.mean(before), abs=0.01)


def test_a_drop_within_the_tolerance_passes() -> None:
    (verdict,) = verdicts(trial(0.8, 0.8, 0.8), trial(0.3, 0.3, 0.3))
    assert verdict.is_drop(0.4) and not verdict.is_drop(0.6)
    assert verdict.words(0.6) == "within the tolerance"


def small_trial(*accuracies: float) -> Trial:
    """Return a trial of a network: 32 test tracks of four genres for each seed."""
    runs = {("crnn", seed): tracks(x, seed, n=32, n_genres=4) for seed, x in enumerate(accuracies)}
    return Trial(runs)


def test_a_large_drop_with_unequal_seeds_is_seen() -> None:
    """Accuracies of the mel bands below 100 Hz: one seed falls by 13 points, the others by 31 and 35."""
    (verdict,) = verdicts(small_trial(0.75, 0.72, 0.69), small_trial(0.62, 0.41, 0.34))
    assert verdict.is_drop(0.05)


def test_unlucky_seeds_are_no_drop() -> None:
    """Accuracies of an overlap of 0.25: two seeds fall by 10 points, one rises by 3."""
    (verdict,) = verdicts(small_trial(0.75, 0.72, 0.69), small_trial(0.78, 0.62, 0.59))
    assert not verdict.is_drop(0.05)


@pytest.mark.slow
@pytest.mark.parametrize(("drop", "least", "most"), [(0.0, 0, 8), (0.35, 90, 100)])
def test_how_often_changes_are_called_drops(drop: float, least: int, most: int) -> None:
    """Of 100 trials whose trainings vary by 5 points, with tracks of their own for each seed."""
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(100):
        sides = [small_trial(*np.clip(rng.normal(0.75 - x, 0.05, 3), 0, 1)) for x in (0.0, drop)]
        alarms += verdicts(*sides)[0].is_drop(0.05)
    assert least <= alarms <= most


def test_only_seeds_that_both_sides_ran_are_compared() -> None:
    (verdict,) = verdicts(trial(0.8, 0.8, 0.8), trial(0.3, 0.3))
    assert verdict.n_seeds == 2
    assert verdict.is_drop(0.05)


@pytest.mark.parametrize("values", [TINY, TRIAL])
def test_the_tiny_overlay_uses_only_existing_keys(tree: dict[str, Any], values: Path) -> None:
    overlaid = read_tree(values)
    known = {leaf for leaf, _ in flatten(tree)}
    entry = {"models": "crnn", "splits": tree["split"]}
    stars = {(leaf[0], entry[leaf[0]], leaf[2]) if "*" in leaf else leaf for leaf, _ in flatten(overlaid)}
    assert stars <= known
