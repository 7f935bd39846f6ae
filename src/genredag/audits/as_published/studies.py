"""Studies, read from ``studies.yaml``: the result that a project published, and how to run its protocol."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from genredag.errors import GenredagError, ParameterError
from genredag.models.compatibility import NO_AUDIO, UnfitError, check_experiment
from genredag.params.groups.base import Group, Name
from genredag.params.groups.reading import read_tree, similar
from genredag.params.groups.splits import LeakySlices, Official, Stratified
from genredag.params.loading import parse_params
from genredag.params.schema import Params
from genredag.params.stages import STAGES, stage_values
from genredag.params.tree import Tree, assign
from genredag.params.user_files import weights_state

VARIANTS = ("as_published", "corrected")
# The manifest exists before a study starts, and one report covers all studies.
OWN_STAGES = tuple(stage for stage in STAGES if stage not in ("download", "report"))
EXPECTED = "a mapping of names to studies"
Percent = Annotated[float, Field(ge=0, le=100)]
Range = Annotated[list[Percent], Field(min_length=2, max_length=2)]
# A study runs one experiment per seed. Of k folds, it would run only one.
OwnSplit = Annotated[Stratified | Official | LeakySlices, Field(discriminator="protocol")]
Value = bool | int | float | str | list[Any] | dict[str, Any] | None


class LeftOutError(GenredagError):
    """The data set or the machine lacks something that a study needs."""


class Study(Group):
    """A published result, its protocol, and the protocol's faults.

    Attributes
    ----------
    published, spread
        Accuracy in percent, or a range if it could only be read off a chart, and the number after its
        plus-minus sign. Null if no figure could be verified.
    watch
        The part that the project used to choose its epoch or schedule: test (LEAKY), validation, or only
        train. If the project has no validation part, our validation slices join the training part.
    values
        Dotted keys of ``params.yaml`` and their values in both variants.
    corrected
        The same for the corrected variant only.
    differs
        How our run as published differs from the project's.
    """

    project: str
    source: str
    published: Percent | Range | None
    spread: Percent | None
    level: Literal["slice", "track"]
    measured_on: str
    faults: list[str]
    differs: list[str]
    model: Name
    representation: Name
    split: OwnSplit
    watch: Literal["validation", "test", "train"]
    values: dict[str, Value]
    corrected: dict[str, Value]

    @property
    def published_range(self) -> tuple[float | None, float | None]:
        """The published range in percent. The lower end is None if a single figure was published."""
        if isinstance(self.published, list):
            return self.published[0], self.published[1]
        return None, self.published

    def warning(self, variant: str) -> str:
        """Return the leaks of a variant, marked LEAKY, or "" if there are none."""
        if variant == "corrected":
            return ""
        faults = ["chosen by its test part"] * (self.watch == "test")
        faults += ["slices of a track on both sides"] * isinstance(self.split, LeakySlices)
        return f"LEAKY: {', '.join(faults)}" if faults else ""


def load_studies(path: Path) -> dict[str, Study]:
    """Read ``studies.yaml``. Keys that start with a dot only hold YAML anchors.

    Raises
    ------
    ParameterError
        The file is missing, or a study has an invalid key or value.
    """
    tree = read_tree(path)
    if not isinstance(tree, dict):
        what = "empty" if tree is None else f"{tree!r:.40} is not a mapping"
        raise ParameterError(what, where=Path(path).name, expected=EXPECTED, hint="docs/leakage.md")
    own = {key: value for key, value in tree.items() if not str(key).startswith(".")}
    try:
        return TypeAdapter(dict[Name, Study]).validate_python(own)
    except ValidationError as error:
        first = error.errors()[0]
        where = f"{Path(path).name}: {'.'.join(map(str, first['loc']))}"
        is_unknown = first["type"] == "extra_forbidden"
        hint = similar(str(first["loc"][-1]), Study.model_fields) if is_unknown else ""
        raise ParameterError(first["msg"], where=where, hint=hint) from None


def check_studies(params: Params, path: Path) -> None:
    """Check that the ``studies.yaml`` at `path` defines every study in `as_published.studies`.

    Raises
    ------
    ParameterError
        A study is not defined, or the file is invalid.
    """
    known = load_studies(path)
    for name in params.as_published.studies:
        choose(known, name)


def choose(studies: dict[str, Study], name: str) -> Study:
    """Return the study called `name`.

    Raises
    ------
    ParameterError
        There is no such study.
    """
    if name not in studies:
        raise ParameterError(
            f"{name!r} is unknown", where="as_published.studies", hint=similar(name, studies)
        )
    return studies[name]


def study_tree(tree: Tree, study: Study, variant: str, dataset: str, seed: int) -> Tree:
    """Return the parameters of a study's experiment: ``params.yaml`` with the study's values on top.

    Parameters
    ----------
    tree
        The values of ``params.yaml``.
    variant
        ``"as_published"``, or ``"corrected"``: the same experiment on the split
        `as_published.corrected_split`.

    Raises
    ------
    ParameterError
        The study sets a key that does not exist, or its values are incompatible.
    LeftOutError
        The model can't take the slices, or the data set has other frames and no audio to render.
    """
    held = tree["datasets"][NO_AUDIO]["representation"]
    if dataset == NO_AUDIO and study.representation != held:
        raise LeftOutError(f"the data set {NO_AUDIO} holds {held} frames and no audio")
    is_own = variant == "as_published"
    # The name of a leaky protocol must contain "leaky".
    own = "own_leaky" if isinstance(study.split, LeakySlices) else "own"
    result: Tree = copy.deepcopy(tree)
    result["splits"][own] = study.split.model_dump()
    choice: dict[str, str | int] = {
        "dataset": dataset,
        "representation": study.representation,
        "model": study.model,
    }
    choice |= {"split": own if is_own else tree["as_published"]["corrected_split"], "seed": seed}
    # The fold in params.yaml belongs to another split.
    result |= {**choice, "fold": 0}
    result["matrix"] |= {key: [value] for key, value in choice.items()}
    for key, value in (study.values | ({} if is_own else study.corrected)).items():
        try:
            assign(result, tuple(key.split(".")), value)
        except (KeyError, TypeError):
            raise ParameterError("no such key", where=f"studies.yaml: {key}") from None
    try:
        check_experiment(parse_params(result, source="studies.yaml"))
    except UnfitError as error:
        raise LeftOutError(error.what) from None
    return result


def study_values(params: Params, path: Path, *, study: str, variant: str, dataset: str, seed: str) -> str:
    """Return the values of all stages that a study runs, or the reason why it can't run on this data set.

    If the model starts from the user's own weights file, the values include the state of that file.
    """
    chosen = choose(load_studies(path), study)
    try:
        tree = study_tree(params.model_dump(), chosen, variant, dataset, int(seed))
    except GenredagError as error:
        return str(error)
    own = parse_params(tree)
    choice = {key: tree[key] for key in ("dataset", "representation", "model", "split", "fold", "seed")}
    values = [stage_values(own, stage, **choice) for stage in OWN_STAGES]
    return "\n".join([chosen.watch, weights_state(own, chosen.model), *values])
