"""Which models can take which representations, determined from ``params.yaml`` before any work starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from genredag.errors import ModelError, ParameterError
from genredag.frames.features import OF_SPECTROGRAMS, choose
from genredag.frames.slices import slice_length
from genredag.models.backbones import BACKBONES, weights_file
from genredag.models.frozen import check_image_size
from genredag.models.pretrained import check_layers
from genredag.models.registry import features_seen, learner
from genredag.params.groups.models import Ensemble, Network, Noise, Pretrained, Recipe
from genredag.params.schema import Params
from genredag.spectrograms.registry import REPRESENTATIONS, count_channels, hop_length, known

NO_AUDIO = "spectrograms"


class UnfitError(ParameterError):
    """A model can't take a representation or its slices."""


@dataclass(frozen=True)
class Pairs:
    """The pairs of the matrix that can be built.

    Attributes
    ----------
    built
        Each (representation, model) to build.
    left_out
        What is skipped and why, one line per reason.
    """

    built: list[tuple[str, str]]
    left_out: list[str]


def check_experiment(params: Params) -> None:
    """Reject the experiment if its model can't take its representation.

    Raises
    ------
    ParameterError
        It can't, the model's recipe doesn't match its builder, or the recipe's weights file doesn't exist.
    """
    check_recipe(params, params.model)
    try:
        check_pair(params, params.model, params.representation, [params.dataset])
    except ModelError as error:
        raise _refusal("model", f"{params.model!r} can't take {params.representation}", error) from None


def matrix_pairs(
    params: Params,
    key: Literal["matrix", "robustness", "external_songs", "label_issues", "learning_curves"] = "matrix",
) -> Pairs:
    """Pair the models of the matrix, or of a group like it, with the representations that they can take.

    Raises
    ------
    ParameterError
        A model can take none of them, or its recipe doesn't match its builder or names a missing file.
    """
    matrix = getattr(params, key)
    representations = list(dict.fromkeys(matrix.representation))
    built: list[tuple[str, str]] = []
    left_out: dict[tuple[str, str], list[str]] = {}
    for model in dict.fromkeys(matrix.model):
        check_recipe(params, model)
        refused: dict[str, list[str]] = {}
        for representation in representations:
            try:
                check_pair(params, model, representation, matrix.dataset)
                built.append((representation, model))
            except ModelError as error:
                refused.setdefault(f"{error.what}; expected {error.expected}", []).append(representation)
                last = error
        if sum(map(len, refused.values())) == len(representations):
            raise _refusal(f"{key}.model", f"{model!r} can take none of {', '.join(representations)}", last)
        for reason, on in refused.items():
            left_out.setdefault((", ".join(on), reason), []).append(model)
    lines = [f"not built on {on}: {', '.join(models)} ({why})" for (on, why), models in left_out.items()]
    return Pairs(built, lines)


def _refusal(where: str, what: str, error: ModelError) -> UnfitError:
    where = f"params.yaml: {where}"
    return UnfitError(f"{what}: {error.what}", where=where, expected=error.expected, hint=error.hint)


def check_recipe(params: Params, model: str) -> None:
    """Reject a recipe that doesn't match its builder or the normalisation, or lacks a usable weights file.

    Raises
    ------
    ParameterError
        It doesn't match, or its weights file doesn't exist or lacks layers of the backbone.
    """
    recipe = params.entry("models", model)
    features_seen(model, recipe)
    weights = recipe.backbone and recipe.backbone.weights_path
    if weights and not weights.is_file():
        raise ParameterError(
            f"{str(weights)!r} is not a file",
            where=f"params.yaml: models.{model}.backbone.weights",
            expected="imagenet, null or the path of a Keras weights file",
            hint="paths are relative to the project's folder",
        )
    if (
        recipe.backbone
        and recipe.backbone.preprocessing == "imagenet"
        and params.train.normalisation == "none"
    ):
        raise ParameterError(
            "'imagenet' turns standardised values into pixels, but train.normalisation is none",
            where=f"params.yaml: models.{model}.backbone.preprocessing",
            expected="none, or train.normalisation bin or global",
        )
    if recipe.backbone and weights:
        with _refusing_weights(model, recipe.backbone):
            check_layers(weights, BACKBONES[recipe.backbone.architecture].ends)


def obtain_weights(params: Params, models: Iterable[str], cache_dir: Path) -> None:
    """Download the published weights that `models` start from, unless they are in `cache_dir`.

    Raises
    ------
    ParameterError
        A file can't be obtained.
    """
    for model in models:
        backbone = params.entry("models", model).backbone
        if backbone:
            with _refusing_weights(model, backbone):
                weights_file(backbone, cache_dir)


def obtain_encoders(params: Params, representations: Iterable[str], cache_dir: Path) -> None:
    """Download or check the encoders of `representations`, unless they are in `cache_dir`.

    Raises
    ------
    ParameterError
        A file can't be obtained or used.
    """
    for name in representations:
        try:
            known(name).obtain(params.entry("representations", name), cache_dir)
        except ModelError as error:
            where = f"params.yaml: representations.{name}"
            raise ParameterError(error.what, where=where, expected=error.expected, hint=error.hint) from None


@contextmanager
def _refusing_weights(model: str, backbone: Pretrained) -> Iterator[None]:
    key = f"models.{model}.backbone.weights"
    try:
        yield
    except ModelError as error:
        raise ParameterError(
            f"{backbone.weights!r}: {error.what}",
            where=f"params.yaml: {key}",
            expected=error.expected,
            hint="; ".join(filter(None, [error.hint, f"{key}=null starts from random weights"])),
        ) from None


def check_pair(params: Params, model: str, representation: str, datasets: list[str]) -> None:
    """Reject a representation that a model can't take.

    Raises
    ------
    ModelError
        It lacks features that the model needs, its slices are too small, or its channels don't suit the
        backbone or the augmentation.
    ParameterError
        It can't be computed: a stack of channels that do not fit into one picture.
    """
    recipe = params.entry("models", model)
    if isinstance(recipe, Ensemble):
        features_seen(model, recipe)
        for name, member in recipe.members.items():
            _check_pair(params, name, member.recipe, representation, datasets)
    else:
        _check_pair(params, model, recipe, representation, datasets)


def _check_pair(params: Params, model: str, recipe: Recipe, representation: str, datasets: list[str]) -> None:
    features = features_seen(model, recipe)
    group = params.entry("representations", representation)
    plugged = known(representation)
    columns = plugged.columns(group)
    chosen = choose(features, columns) if features else None
    if (chosen is None or chosen in OF_SPECTROGRAMS) and not plugged.picture:
        raise ModelError(
            f"{representation} is not a spectrogram",
            where=f"models.{model}",
            expected=f"one of {', '.join(_pictures())} for {chosen or 'a network on slices'}",
            hint="genredag models lists what each model takes",
        )
    learner(model).check_columns(len(columns))
    if chosen or not isinstance(recipe, Network):
        return
    # ASSUME: precomputed frames are of unknown size until their files are read; training checks it.
    if set(datasets) != {NO_AUDIO}:
        sr = params.spectrograms.sr
        n_frames = slice_length(params.slices.seconds, sr / hop_length(group, sr))
        n_channels = count_channels(group)
        n_bins = len(columns) // n_channels
        height, width = recipe.size or (n_bins, n_frames)
        learner(model).check_size(height, width, recipe.options)
        if recipe.backbone:
            check_image_size(recipe.backbone, n_bins, n_frames, n_channels)
        if n_channels > 1:
            _check_noise(model, recipe, representation)


def _check_noise(model: str, recipe: Recipe, representation: str) -> None:
    if isinstance(recipe, Network) and any(isinstance(step, Noise) for step in recipe.augment):
        raise ModelError(
            f"noise has one standard deviation, but the channels of {representation} have different units",
            where=f"models.{model}.augment",
            expected="another augmentation",
        )


def _pictures() -> list[str]:
    return [name for name, one in REPRESENTATIONS.items() if one.picture]
