"""Every learner by its name: a decorated function is all that a new one needs.

    @network("crnn", paper="...", published="...", published_input=(128, 130, 1))
    def crnn(x: KerasTensor, n_classes: int, *, units: int, dropout: float) -> KerasTensor: ...

    @estimator("svm_rbf", paper="...", published="...")
    def svm_rbf(*, C: float, gamma: float | str, seed: int) -> Pipeline: ...

A network maps a tensor (batch, n_bins, n_frames, channels) to class probabilities (batch, n_classes). An
estimator is a scikit-learn classifier of `genredag.models.features`. Keyword arguments are the `options` of
``models.<name>`` in ``params.yaml``; they have no defaults. `seed` is no option: training gives it.

An architecture may have two recipes in ``params.yaml``: ``models.<name>``, the default preset, and
``models.<name>_published``, as its source trained it.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from genredag.errors import ModelError, ParameterError
from genredag.recipes import Estimator, Network

PUBLISHED = "_published"
Size = tuple[int, int]
Builder = TypeVar("Builder", bound=Callable[..., Any])


@dataclass(frozen=True)
class Learner:
    """A builder and what is known about it.

    Attributes
    ----------
    paper
        Where it was described.
    published
        The figure published with it and the protocol behind that figure, or "".
    published_input
        Its published (n_bins, n_frames, channels); None for estimators.
    features
        The set of `genredag.models.features` that a network takes as (n_features, 1, 1) in place of slices.
    smallest
        The fewest (n_bins, n_frames) that a network takes, or a function that makes them from its options.
    """

    name: str
    kind: Literal["network", "estimator"]
    build: Callable[..., Any]
    paper: str
    published: str
    published_input: tuple[int, int, int] | None = None
    features: str | None = None
    smallest: Size | Callable[..., Size] = (1, 1)

    def check_size(self, n_bins: int, n_frames: int, options: Mapping[str, Any]) -> None:
        """Refuse slices that are too small; an option `size` stands for the picture that they become.

        Raises
        ------
        ModelError
            They have fewer bins or frames than `smallest`.
        """
        least = self.smallest(**options) if callable(self.smallest) else self.smallest
        side = options.get("size")
        bins, frames = (side, side) if side else (n_bins, n_frames)
        if bins < least[0] or frames < least[1]:
            raise ModelError(
                f"slices of {bins} bins x {frames} frames are too small",
                where=self.name,
                expected=f"at least {least[0]} bins x {least[1]} frames",
                hint="lengthen `slices.seconds`, or choose another representation, model or options",
            )

    @property
    def options(self) -> list[str]:
        """Names of the options that `build` needs."""
        arguments = inspect.signature(self.build).parameters.values()
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
) -> Callable[[Builder], Builder]:
    """Register a builder ``(x, n_classes, *, options) -> probabilities`` of a Keras network."""
    return _register(name, "network", paper, published, published_input, features, smallest)


def estimator(name: str, *, paper: str, published: str = "") -> Callable[[Builder], Builder]:
    """Register a builder ``(*, options, seed) -> classifier`` of a scikit-learn estimator."""
    return _register(name, "estimator", paper, published, None)


def learner(name: str) -> Learner:
    """Return the learner of the recipe called `name`.

    Raises
    ------
    ParameterError
        There is none.
    """
    known, name = learners(), name.removesuffix(PUBLISHED)
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"one of {', '.join(known)}"
        raise ParameterError(f"{name!r} has no builder", where="models", hint=hint)
    return known[name]


def learners() -> dict[str, Learner]:
    """Return all learners by name, sorted; imports the modules of this package."""
    import genredag.models as package

    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
    return dict(sorted(_LEARNERS.items()))


def check_options(name: str, kind: str, options: Mapping[str, object]) -> Learner:
    """Return the learner called `name` if `kind` and `options` are what its builder takes.

    Raises
    ------
    ParameterError
        The kind is another, or an option is unknown or missing.
    """
    found = learner(name)
    where = f"models.{name}"
    if kind != found.kind:
        raise ParameterError(f"kind = {kind!r}", where=where, expected=repr(found.kind))
    wrong = set(options) ^ set(found.options)
    if wrong:
        state = "missing" if min(wrong) in found.options else "unknown"
        needed = f"the options {', '.join(found.options) or '(none)'}"
        raise ParameterError(f"{min(wrong)!r} is {state}", where=f"{where}.options", expected=needed)
    return found


def features_seen(name: str, recipe: Network | Estimator) -> str | None:
    """Return the feature set that a model sees, None for whole slices, once its options are known to fit.

    Raises
    ------
    ParameterError
        The recipe doesn't fit the model.
    """
    found = check_options(name, recipe.kind, recipe.options)
    if isinstance(recipe, Estimator):
        return recipe.features
    if found.features and recipe.augment:
        hint = "augmentation changes slices, and this network sees features of them"
        raise ParameterError("not empty", where=f"models.{name}.augment", expected="[]", hint=hint)
    return found.features


def _register(
    name: str,
    kind: Literal["network", "estimator"],
    paper: str,
    published: str,
    published_input: tuple[int, int, int] | None,
    features: str | None = None,
    smallest: Size | Callable[..., Size] = (1, 1),
) -> Callable[[Builder], Builder]:
    def decorate(build: Builder) -> Builder:
        if name in _LEARNERS and _LEARNERS[name].build is not build:
            raise ModelError(f"{name!r} is registered twice", where=build.__module__)
        known = (paper, published, published_input, features, smallest)
        _LEARNERS[name] = Learner(name, kind, build, *known)
        return build

    return decorate
