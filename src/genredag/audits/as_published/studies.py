"""Studies: what a classic project published, and how to run its protocol; read from ``studies.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from genredag.errors import GenredagError, ParameterError
from genredag.models.compatibility import NO_AUDIO, UnfitError, check_experiment
from genredag.params.groups.base import Group, Name
from genredag.params.groups.reading import similar
from genredag.params.groups.splits import LeakySlices, Official, Stratified
from genredag.params.loading import parse_params
from genredag.params.schema import Params
from genredag.params.stages import STAGES, stage_values
from genredag.params.tree import Tree, assign
from genredag.params.user_files import weights_state

VARIANTS = ("as_published", "corrected")
# The manifest is there before, and the report is of all studies.
OWN_STAGES = tuple(stage for stage in STAGES if stage not in ("download", "report"))
EXPECTED = "a mapping of names to studies"
Percent = Annotated[float, Field(ge=0, le=100)]
Range = Annotated[list[Percent], Field(min_length=2, max_length=2)]
# One experiment a seed: of k folds, only one would be run.
OwnSplit = Annotated[Stratified | Official | LeakySlices, Field(discriminator="protocol")]
Value = bool | int | float | str | list[Any] | dict[str, Any] | None


class LeftOutError(GenredagError):
    """The data set or the machine lacks something that a study needs."""


class Study(Group):
    """A published figure, its protocol, and what is wrong with it.

    Attributes
    ----------
    published, spread
        Accuracy in percent, or its two ends where no more can be read off a chart, and what stands after its
        plus-minus; null if none could be verified.
    watch
        What the project looked at when it chose its epoch or schedule: its test part (LEAKY), its validation
        part, or nothing but training. Where it had no validation part, ours goes to training.
    values
        Dotted keys of ``params.yaml`` and what they are in both variants.
    corrected
        Likewise, of the corrected variant alone.
    differs
        What our run as published does not share with the project.
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
        """Both ends of what was published: the lower one None where it is one figure."""
        if isinstance(self.published, list):
            return self.published[0], self.published[1]
        return None, self.published

    def warning(self, variant: str) -> str:
        """Return what leaks in a variant, marked LEAKY, or ""."""
        if variant == "corrected":
            return ""
        faults = ["chosen by its test part"] * (self.watch == "test")
        faults += ["slices of a track on both sides"] * isinstance(self.split, LeakySlices)
        return f"LEAKY: {', '.join(faults)}" if faults else ""


def load_studies(path: Path) -> dict[str, Study]:
    """Read ``studies.yaml``; keys that start with a dot hold what YAML aliases refer to.

    Raises
    ------
    ParameterError
        The file is missing, or a study has a key or value that can't be used.
    """
    try:
        tree = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ParameterError("no such file", where=str(path), hint="run from the project's folder") from None
    except yaml.YAMLError as error:
        raise ParameterError(f"not YAML: {error}", where=str(path), hint="check the indentation") from None
    if not isinstance(tree, dict):
        what = "empty" if tree is None else f"{tree!r:.40} is no mapping"
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
    """Refuse names in `as_published.studies` that the ``studies.yaml`` at `path` doesn't hold.

    Raises
    ------
    ParameterError
        It doesn't, or can't be used itself.
    """
    known = load_studies(path)
    for name in params.as_published.studies:
        choose(known, name)


def choose(studies: dict[str, Study], name: str) -> Study:
    """Return the study called `name`.

    Raises
    ------
    ParameterError
        There is none.
    """
    if name not in studies:
        raise ParameterError(
            f"{name!r} is unknown", where="as_published.studies", hint=similar(name, studies)
        )
    return studies[name]


def study_tree(tree: Tree, study: Study, variant: str, dataset: str, seed: int) -> Tree:
    """Return the parameters of a study's one experiment: those of the project with the study's laid over.

    Parameters
    ----------
    tree
        The values of ``params.yaml``.
    variant
        ``"as_published"``, or ``"corrected"``: the same on the split `as_published.corrected_split`.

    Raises
    ------
    ParameterError
        The study names a key that there is not, or the values don't fit each other.
    LeftOutError
        Its model can't take the slices, or the data set holds other frames and no audio to render.
    """
    held = tree["datasets"][NO_AUDIO]["representation"]
    if dataset == NO_AUDIO and study.representation != held:
        raise LeftOutError(f"the data set {NO_AUDIO} holds {held} frames and no audio")
    is_own = variant == "as_published"
    # A leaky protocol must bear the word in its name.
    own = "own_leaky" if isinstance(study.split, LeakySlices) else "own"
    result: Tree = yaml.safe_load(yaml.safe_dump(tree))
    result["splits"][own] = study.split.model_dump()
    choice: dict[str, str | int] = {
        "dataset": dataset,
        "representation": study.representation,
        "model": study.model,
    }
    choice |= {"split": own if is_own else tree["as_published"]["corrected_split"], "seed": seed}
    # The fold of params.yaml is one of another split.
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
    """Return the values of all stages that a study runs, or why it can't run on this data set.

    With the state of the user's own file of weights, if it starts from one.
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
