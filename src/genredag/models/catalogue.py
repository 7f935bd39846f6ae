"""The catalogue of learners: what `genredag models` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypedDict

from genredag.errors import ModelError
from genredag.models.frozen import backbone_features
from genredag.models.inputs import resized
from genredag.models.registry import PUBLISHED, Learner, features_seen, learner, learners
from genredag.params.groups.models import Ensemble, Estimator, Network, Recipe

if TYPE_CHECKING:
    from rich.table import Table

N_CLASSES = 10
# A slice of 3 s: 128 mel bands x 130 frames.
OUR_INPUT = (128, 130, 1)


class Row(TypedDict):
    """A learner; see `catalogue`."""

    id: str
    kind: str
    input: tuple[int, int, int] | None
    over_windows: bool
    features: list[str]
    parameters: int | None
    parameters_128x130: int | None
    paper: str
    published: str


def catalogue(recipes: Mapping[str, Recipe], count: bool = True) -> list[Row]:
    """Return a row for each learner: id, kind, input, over_windows, features, parameters, and so on.

    `features` lists the feature sets of an estimator's default recipe, or the members of an ensemble.
    `parameters` is the number of weights of a network for ten genres at its published input, with the options
    of its published recipe if there is one. `parameters_128x130` is the number for our slices, with its
    default recipe. Both are None if there is no such network. If `over_windows`, `input` is the input of each
    window.

    Parameters
    ----------
    recipes
        `models` of ``params.yaml``.
    count
        Whether to count weights, which needs Keras and a backend; otherwise both counts are None.

    Raises
    ------
    ParameterError
        A recipe doesn't fit its builder.
    """
    # All, before the weights of any are counted, which takes seconds.
    for preset in (name + suffix for name in learners() for suffix in ("", PUBLISHED)):
        if preset in recipes:
            features_seen(preset, recipes[preset])
    rows: list[Row] = []
    for name, known in learners().items():
        default = recipes.get(name)
        published = recipes.get(name + PUBLISHED, default)
        rows.append(
            {
                "id": name,
                "kind": known.kind,
                "input": known.published_input,
                "over_windows": known.over_windows,
                "features": _features(default),
                "parameters": _count(known, published, known.published_input) if count else None,
                "parameters_128x130": _count(known, default, OUR_INPUT) if count else None,
                "paper": known.paper,
                "published": known.published,
            }
        )
    return rows


def ids_of(recipes: Mapping[str, Recipe], published: bool) -> list[str]:
    """Return the ids of `recipes` in their order; those of published presets only if `published`.

    Networks with pretrained weights for one representation are left out: others have other columns.
    """
    return [
        name
        for name in recipes
        if (published or not name.endswith(PUBLISHED)) and learner(name).n_columns is None
    ]


def _features(recipe: Recipe | None) -> list[str]:
    if isinstance(recipe, Ensemble):
        return list(recipe.members)
    if not isinstance(recipe, Estimator):
        return []
    return [recipe.features] if isinstance(recipe.features, str) else list(recipe.features)


def _count(learner: Learner, recipe: Recipe | None, shape: tuple[int, int, int] | None) -> int | None:
    if shape is None or not isinstance(recipe, Network):
        return None
    if learner.features and shape != learner.published_input:  # it takes features, not slices
        return None
    import keras

    inputs = x = keras.Input((None, *shape) if learner.over_windows else shape)
    try:
        height, width = recipe.size or shape[:2]
        learner.check_size(height, width, recipe.options)
        x = resized(x, recipe.size)
        if recipe.backbone is not None:
            # Counting needs neither the values of the weights nor their files.
            x = backbone_features(x, recipe.backbone.model_copy(update={"weights": None}))
        return keras.Model(inputs, learner.build(x, N_CLASSES, **recipe.options)).count_params()
    except ModelError:
        return None


def catalogue_table(rows: list[Row]) -> Table:
    """Return the rows of `catalogue` as a table for the terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, caption="Parameters as Keras counts them, moving statistics included.")
    for heading in ("id", "kind", "input"):
        table.add_column(heading, no_wrap=True)
    for heading in ("parameters", "at 128 x 130"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("paper", "published"):
        table.add_column(heading)
    for row in rows:
        joint = "\nand " if row["kind"] == "ensemble" else "\nor "
        shape = "windows of " if row["over_windows"] else ""
        shape += " x ".join(map(str, row["input"])) if row["input"] else joint.join(row["features"])
        counts = (f"{n:,}" if n else "" for n in (row["parameters"], row["parameters_128x130"]))
        table.add_row(row["id"], row["kind"], shape, *counts, row["paper"], row["published"])
    return table
