"""The registry of learners. A new learner is one decorated function.

    @network("crnn", paper="...", published="...", published_input=(128, 130, 1))
    def crnn(x: KerasTensor, n_classes: int, *, units: Count, dropout: Share) -> KerasTensor: ...

    @estimator("svm_rbf", paper="...", published="...")
    def svm_rbf(*, C: Positive, gamma: Gamma, seed: int) -> Pipeline: ...

A network maps a tensor (batch, n_bins, n_frames, channels) to class probabilities (batch, n_classes). A
network `over_windows` maps any number of slices of a track (batch, n_windows, n_bins, n_frames, 1) to (batch,
n_windows, n_classes); no prediction depends on later slices. An estimator is a scikit-learn classifier of
`genredag.frames.features`. A hybrid is a network whose features go to a scikit-learn classifier. The builder
of an ensemble returns the names of the models whose probabilities are multiplied. Keyword arguments are the
`options` of ``models.<name>`` in ``params.yaml``; they have no defaults. Values are checked against their
annotations (see `genredag.models.options`). `seed` is not an option; training sets it.

An architecture may have two recipes in ``params.yaml``: ``models.<name>``, the default preset, and
``models.<name>_published``, as trained in its source.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

from genredag.errors import ModelError, ParameterError, SlicesTooSmallError
from genredag.models.options import check_values
from genredag.params.groups.models import Ensemble, Estimator, Hybrid, Mixup, Pretrained, Recipe

if TYPE_CHECKING:
    import keras
    from keras import KerasTensor
    from sklearn.base import ClassifierMixin

PUBLISHED = "_published"
Size = tuple[int, int]
FEATURES = "features"
Builder = TypeVar("Builder", bound=Callable[..., object])


@dataclass(frozen=True)
class Learner:
    """A builder and its metadata.

    Attributes
    ----------
    paper
        Where it is described.
    published
        The published result and its protocol, or "".
    published_input
        Its published (n_bins, n_frames, channels); None for estimators and ensembles.
    features
        The set of `genredag.frames.features` that a network takes as (n_features, 1, 1) instead of slices.
    smallest
        The smallest (n_bins, n_frames) that a network takes, or a function that computes them from its
        options.
    backbones
        Architectures that `models.<name>.backbone` can name. The network takes the features of that backbone
        instead of slices. Empty if it takes slices.
    branches
        Networks that are trained first with the same recipe. Their filters initialise the network.
    over_windows
        Whether a network takes all slices of a track in order, and predicts each from the slices up to it.
    classifier
        Builder ``(*, options, seed)`` of a scikit-learn classifier that takes the output of the network's
        layer `FEATURES` after training. Such a learner is a hybrid.
    n_columns
        Columns that a network on their means needs; None for any number.
    start
        Gives a network's layers the pretrained weights that training starts from; None for random weights.
    calibrated
        Whether the probabilities of an estimator are calibrated on validation slices although it has its own.
    """

    name: str
    kind: Literal["network", "estimator", "hybrid", "ensemble"]
    build: Callable[..., KerasTensor | ClassifierMixin | tuple[str, ...]]
    paper: str
    published: str
    published_input: tuple[int, int, int] | None = None
    features: str | None = None
    smallest: Size | Callable[..., Size] = (1, 1)
    backbones: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    over_windows: bool = False
    classifier: Callable[..., ClassifierMixin] | None = None
    n_columns: int | None = None
    start: Callable[[keras.Model], None] | None = None
    calibrated: bool = False

    def check_size(self, n_bins: int, n_frames: int, options: Mapping[str, object]) -> None:
        """Reject slices that are too small, after they are resized.

        Raises
        ------
        SlicesTooSmallError
            They have fewer bins or frames than `smallest`.
        """
        least = self.smallest(**options) if callable(self.smallest) else self.smallest
        if n_bins < least[0] or n_frames < least[1]:
            raise SlicesTooSmallError(
                f"slices of {n_bins} bins x {n_frames} frames are too small",
                where=self.name,
                expected=f"at least {least[0]} bins x {least[1]} frames",
                hint="lengthen `slices.seconds` or set `size`, or choose another representation or model",
            )

    def check_columns(self, n_columns: int) -> None:
        """Reject a representation with other columns than the pretrained weights of a network are for.

        Raises
        ------
        ModelError
            It has more or fewer columns.
        """
        if self.n_columns not in (None, n_columns):
            raise ModelError(
                f"{n_columns} columns",
                where=self.name,
                expected=f"{self.n_columns}",
                hint="choose another layer of the encoder (docs/pretrained_ear.md), or another model",
            )

    @property
    def module(self) -> str:
        """Name of the module that registers it."""
        return self.build.__module__

    @property
    def on_backbone(self) -> bool:
        """Whether a network takes features of a backbone instead of slices."""
        return bool(self.backbones)

    @property
    def options(self) -> list[str]:
        """Names of the options that `build` needs."""
        return options_of(self.build)


def options_of(build: Callable[..., object]) -> list[str]:
    """Return the names of the options that a builder needs."""
    arguments = inspect.signature(build).parameters.values()
    return [a.name for a in arguments if a.kind is a.KEYWORD_ONLY and a.name != "seed"]


_LEARNERS: dict[str, Learner] = {}


def network(
    name: str,
    *,
    paper: str,
    published_input: tuple[int, int, int],
    published: str = "",
    features: str | None = None,
    smallest: Size | Callable[..., Size] = (1, 1),
    backbones: tuple[str, ...] = (),
    branches: tuple[str, ...] = (),
    over_windows: bool = False,
    classifier: Callable[..., ClassifierMixin] | None = None,
    n_columns: int | None = None,
    start: Callable[[keras.Model], None] | None = None,
) -> Callable[[Builder], Builder]:
    """Register a builder ``(x, n_classes, *, options) -> probabilities`` of a Keras network."""
    return _register(
        lambda build: Learner(
            name,
            "hybrid" if classifier else "network",
            build,
            paper,
            published,
            published_input,
            features,
            smallest,
            backbones,
            branches,
            over_windows,
            classifier,
            n_columns,
            start,
        )
    )


def estimator(
    name: str, *, paper: str, published: str = "", calibrated: bool = False
) -> Callable[[Builder], Builder]:
    """Register a builder ``(*, options, seed) -> classifier`` of a scikit-learn estimator."""
    return _register(lambda build: Learner(name, "estimator", build, paper, published, calibrated=calibrated))


def ensemble(name: str, *, paper: str) -> Callable[[Builder], Builder]:
    """Register a builder ``() -> names of its members``."""
    return _register(lambda build: Learner(name, "ensemble", build, paper, published=""))


def learner(name: str) -> Learner:
    """Return the learner of the recipe called `name`.

    Raises
    ------
    ParameterError
        There is no such learner.
    """
    known, name = learners(), name.removesuffix(PUBLISHED)
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"one of {', '.join(known)}"
        raise ParameterError(f"{name!r} has no builder", where="models", hint=hint)
    return known[name]


def learners() -> dict[str, Learner]:
    """Return all learners by name, sorted; imports every module of `families`."""
    for module in family_modules():
        importlib.import_module(module)
    return dict(sorted(_LEARNERS.items()))


@functools.cache
def family_modules() -> tuple[str, ...]:
    """Return the names of all modules of `families`, sorted; the folder is read once."""
    import genredag.models.families as package

    found = pkgutil.iter_modules(package.__path__, package.__name__ + ".")
    return tuple(sorted(module.name for module in found))


def check_options(name: str, kind: str, options: Mapping[str, object], key: str = "") -> Learner:
    """Return the learner called `name` if `kind` and `options` match its builder.

    Parameters
    ----------
    key
        Of the recipe in ``params.yaml``, for errors; "" for ``models.<name>``.

    Raises
    ------
    ParameterError
        The kind is wrong, or an option is unknown or missing or has an invalid value.
    """
    found = learner(name)
    key = key or f"models.{name}"
    if kind != found.kind:
        raise ParameterError(f"kind = {kind!r}", where=key, expected=repr(found.kind))
    where = f"{key}.options"
    _check_names(where, options, found.options)
    check_values(where, found.build, options, lists=kind == "estimator")
    return found


def check_classifier(name: str, options: Mapping[str, object]) -> Callable[..., ClassifierMixin]:
    """Return the builder of a hybrid's classifier if `options` match it.

    Raises
    ------
    ParameterError
        An option is unknown or missing or has an invalid value.
    """
    build, where = learner(name).classifier, f"models.{name}.classifier"
    assert build is not None
    _check_names(where, options, options_of(build))
    check_values(where, build, options, lists=True)
    return build


def check_backbone(name: str, backbone: Pretrained | None, key: str = "") -> None:
    """Check that the learner called `name` takes `backbone`; None means no backbone; see `check_options`.

    Raises
    ------
    ParameterError
        A backbone is missing, is not taken, or has the wrong architecture.
    """
    found, where = learner(name), f"{key or f'models.{name}'}.backbone"
    if (backbone is not None) != found.on_backbone:
        state, expected = ("null", "a backbone") if backbone is None else ("not null", "null")
        raise ParameterError(state, where=where, expected=expected)
    if backbone is not None and backbone.architecture not in found.backbones:
        expected = " or ".join(map(repr, found.backbones))
        raise ParameterError(repr(backbone.architecture), where=f"{where}.architecture", expected=expected)


def features_seen(name: str, recipe: Recipe, key: str = "") -> str | Sequence[str] | None:
    """Return the feature set that a model takes, or several to choose from; None for whole slices.

    `key` is that of the recipe, as for `check_options`.

    Raises
    ------
    ParameterError
        The recipe doesn't match the model.
    """
    key = key or f"models.{name}"
    found = check_options(name, recipe.kind, recipe.options, key)
    check_backbone(name, recipe.backbone, key)
    if isinstance(recipe, Ensemble):
        _check_members(found, recipe)
        return None
    if isinstance(recipe, Hybrid):
        check_classifier(name, recipe.classifier)
    if isinstance(recipe, Estimator):
        return recipe.features
    if recipe.size and (found.features or recipe.backbone):
        hint = "set `backbone.size`" if recipe.backbone else "its features are no picture"
        raise ParameterError(str(recipe.size), where=f"{key}.size", expected="null", hint=hint)
    has_fixed_inputs = found.features or (recipe.backbone and recipe.backbone.has_embedding)
    if has_fixed_inputs and recipe.augment:
        hint = "augmentation changes slices, but this network takes features of them"
        raise ParameterError("not empty", where=f"{key}.augment", expected="[]", hint=hint)
    if found.over_windows and any(isinstance(step, Mixup) for step in recipe.augment):
        hint = "this network takes whole tracks, and a mix of two tracks is not a track"
        raise ParameterError("mixup", where=f"{key}.augment", expected="another augmentation", hint=hint)
    return found.features


def _check_members(found: Learner, recipe: Ensemble) -> None:
    """Check the recipes of the members of an ensemble, which predict slices one by one."""
    where, needed = f"models.{found.name}.members", found.build()
    if set(recipe.members) != set(needed):
        expected = " and ".join(needed)
        raise ParameterError(", ".join(recipe.members), where=where, expected=expected)
    for name, member in recipe.members.items():
        features_seen(name, member.recipe, f"{where}.{name}.recipe")
        own = learner(name)
        if own.over_windows or own.features or member.recipe.backbone:
            hint = "networks in an ensemble take slices, one by one, without a backbone"
            raise ParameterError(repr(name), where=where, expected="another model", hint=hint)


def _check_names(where: str, given: Mapping[str, object], needed: list[str]) -> None:
    wrong = set(given) ^ set(needed)
    if wrong:
        state = "missing" if min(wrong) in needed else "unknown"
        expected = f"the options {', '.join(needed) or '(none)'}"
        raise ParameterError(f"{min(wrong)!r} is {state}", where=where, expected=expected)


def _register(describe: Callable[[Builder], Learner]) -> Callable[[Builder], Builder]:
    def decorate(build: Builder) -> Builder:
        found = describe(build)
        if found.name in _LEARNERS and _LEARNERS[found.name].build is not build:
            raise ModelError(f"{found.name!r} is registered twice", where=build.__module__)
        _LEARNERS[found.name] = found
        return build

    return decorate
