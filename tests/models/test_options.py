"""Option values of builders: values that their annotations refuse, and builders without annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from genredag.errors import ParameterError
from genredag.models.options import Gamma, check_values
from genredag.models.registry import check_options, learners
from genredag.params.loading import parse_params

if TYPE_CHECKING:
    from keras import KerasTensor

# What no builder takes, by the name of the option.
IMPOSSIBLE = {
    "dropout": [1.5, -0.5, 1.0, float("nan"), "0.5", None, True, [0.5]],
    "units": [0, -4, 1.5, "8", True, [1, 2]],
    "filter_bins": [-3, 4.5, None],
    "filter_frames": [-1, 4.5, "abc"],
    "momentum": [7, -0.1],
    "l2": [-1, float("inf")],
    "C": [-1, 0, "1", [1.0, 0]],
    "gamma": ["scael", -1, None],
    "kernel": ["poly", None, ["rbf", "poly"]],
    "output": ["relu", None],
    "alpha": [0, -1],
    "l1_ratio": [1.5, -0.1],
    "max_iter": [0, 1.5],
    "min_variance": [-1],
    "selection_trees": [-1, 0.5],
    "n_estimators": [0, -1],
    "max_depth": [0, 2.5, "deep"],
    "criterion": ["ginny", ["gini", "ginny"]],
    "splitter": ["worst"],
    "shrinkage": [-0.1, 1.1, None],
    "limit": [0, -1, 1e-40, 1e60, "1.5", [1.5, 0]],
}
IMPOSSIBLE |= dict.fromkeys(("conv_dropout", "flat_dropout", "dense_dropout"), IMPOSSIBLE["dropout"])


@pytest.mark.parametrize("name", learners())
def test_impossible_values_are_refused_by_every_learner(tree, name):
    recipe = parse_params(tree).models[name]
    for option in recipe.options:
        for value in IMPOSSIBLE.get(option, []):
            with pytest.raises(ParameterError, match=rf"^models\.{name}\.options\.{option}: ") as caught:
                check_options(name, recipe.kind, recipe.options | {option: value})
            assert "\n" not in str(caught.value)


def test_the_message_lists_every_choice():
    def build(*, gamma: Gamma | None, seed: int): ...

    with pytest.raises(ParameterError, match=r"^x\.gamma: 'scael': .* number, or .* 'scale' or 'auto'$"):
        check_values("x", build, {"gamma": "scael"}, lists=True)


def test_lists_are_candidates_of_estimators_and_values_of_networks():
    def build(x, n_classes, *, filters: list[int]): ...

    check_values("x", build, {"filters": [1, 2]}, lists=False)
    with pytest.raises(ParameterError, match=r"^x\.filters: 1: input should be a valid array"):
        check_values("x", build, {"filters": [1, 2]}, lists=True)


def test_lists_of_yaml_are_tuples():
    def build(x, n_classes, *, pool: tuple[int, int]): ...

    check_values("x", build, {"pool": [2, 2]}, lists=False)
    with pytest.raises(ParameterError, match=r"^x\.pool: \[2\]: "):
        check_values("x", build, {"pool": [2]}, lists=False)


def test_whole_numbers_are_fine_floats():
    check_options(
        "svm_rbf",
        "estimator",
        {"C": 10, "kernel": "rbf", "gamma": 1, "min_variance": 0, "selection_trees": 0},
    )


def test_arguments_without_a_readable_type_accept_anything():
    def build(x: KerasTensor, n_classes, *, filters, start: KerasTensor, own: Own): ...

    class Own:
        pass

    check_values("x", build, {"filters": "abc", "start": None, "own": 1}, lists=False)
    check_values("x", lambda x, n_classes, *, filters: x, {"filters": "abc"}, lists=False)
