"""Every leaf of params.yaml: what each runner reruns when it changes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from genredag.errors import GenredagError
from genredag.params.loading import parse_params
from genredag.params.schema import Params
from genredag.params.stages import STAGES
from genredag.params.tree import Leaf, assign, flatten
from genredag.project.check_params.plan import AXES, build_placeholders, write_tree
from genredag.project.check_params.reruns import reruns, reruns_page
from genredag.project.check_params.runners import downstream
from genredag.project.check_params.workplace import copy_project
from genredag.project.validation import check_valid

pytestmark = pytest.mark.slow


def _words(properties: dict[str, Any]) -> list[str]:
    return [word for field in properties.values() for word in field.get("enum", [])]


ROOT = Path(__file__).resolve().parents[2]
TREE = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
TREE["matrix"] = {key: [TREE[key]] for key in AXES}
# Some leaves decide about the other keys of their group, and so have no other valid value; audits ask for
# results of data sets, splits and seeds of their own; what stands on no backbone can't.
OTHER = {"kind", "protocol", "test", "audits"}
FIXED = {leaf for leaf, value in flatten(TREE) if leaf[-1] == "backbone" and value is None}
LEAVES = [leaf for leaf, _ in flatten(TREE) if leaf[-1] not in OTHER and leaf not in FIXED]
# Each leaf is changed alone, but the models and splits that the experiment does not use as a whole.
UNUSED = [(f"{key}s", name) for key in ("model", "split") for name in TREE[f"{key}s"] if name != TREE[key]]
CHANGES = [(leaf,) for leaf in LEAVES if leaf[:2] not in UNUSED]
CHANGES += [tuple(leaf for leaf in LEAVES if leaf[:2] == group) for group in UNUSED]
# Only a split with folds has another one.
CHANGES = [(("split",), leaf[0]) if leaf == (("fold",),) else leaf for leaf in CHANGES]
# Every word that some parameter accepts, for those that accept only a few.
WORDS = sorted(
    {
        word
        for group in Params.model_json_schema()["$defs"].values()
        for word in _words(group.get("properties", {}))
    }
)
NAMES = [name for key in AXES[:4] for name in TREE[f"{key}s"]]


def changed(leaf: Leaf, value: Any) -> Any:
    """Return another value that is as valid as `value`; a kind stays what it is."""
    name = leaf[-1]
    if name in AXES[:4] and leaf[0] in ("matrix", name):
        others = (entry for entry in TREE[f"{name}s"] if entry not in (TREE[name], "spectrograms"))
        if leaf == ("split",):
            return "kfold_10"
        return [*value, next(others)] if leaf[0] == "matrix" else next(others)
    if leaf == ("fold",):
        return 1
    if leaf == ("matrix", "seed"):
        return [*value, 43]
    for other in _neighbours(value):
        if other != value and _is_valid(leaf, other):
            return other
    raise AssertionError(f"no other valid value for {'.'.join(leaf)} = {value!r}")


def _neighbours(value: Any) -> Iterator[Any]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value * 2, value // 2)
    elif isinstance(value, float):
        yield from (value / 2, value * 2, value + 1, (value + 1) / 2)
    elif isinstance(value, list):
        yield from (value[::-1], [*value, "x"], [*value, {"kind": "time_reversal", "probability": 0.25}], [])
        yield [*value, {"pitch_semitones": 1.0, "tempo": 1.0}]
        yield [2 * item for item in value if isinstance(item, int)]
        yield from ([*value, 43], *([*value, name] for name in NAMES))
    elif isinstance(value, str):
        yield from ("auto", "hamming", "constant", "cosine", "sigmoid", "features_30", *NAMES, *WORDS)
        yield 3
    else:
        yield from ("somewhere", 0.5, [128, 256], TREE["models"]["squeezenet_frozen"]["backbone"])


def _is_valid(leaf: Leaf, value: Any) -> bool:
    tree = deepcopy(TREE)
    assign(tree, leaf, value)
    try:
        check_valid(parse_params(tree), ROOT / "params.yaml")
    except GenredagError:
        return False
    return True


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A project that both runners take for built, with the one experiment as its matrix."""
    place = copy_project(ROOT, tmp_path_factory.mktemp("leaves"))
    write_tree(place.folder / "params.yaml", TREE)
    build_placeholders(place)
    before = Path.cwd()
    os.chdir(place.folder)
    yield place
    os.chdir(before)


def snakemake_reruns() -> tuple[str, ...]:
    """Ask Snakemake in this process, which saves its start of three seconds for every leaf."""
    from snakemake.api import SnakemakeApi
    from snakemake.settings.types import (
        DAGSettings,
        OutputSettings,
        Quietness,
        ResourceSettings,
        WorkflowSettings,
    )

    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        workflow = api.workflow(
            ResourceSettings(cores=1),
            workflow_settings=WorkflowSettings(cache=[]),
            snakefile=Path("Snakefile"),
        )
        workflow.dag(DAGSettings(max_checksum_file_size=10**10)).execute_workflow(executor="dryrun")
        dag = workflow._workflow.dag
        rerun = {job.rule.name for job in dag.jobs if str(dag.reason(job))}
    return tuple(stage for stage in STAGES if stage in rerun)


def dvc_reruns() -> tuple[str, ...]:
    """Ask DVC in this process which stages a change touches, and follow its graph from there."""
    from dvc.repo import Repo

    with Repo(".") as repo:
        direct = [stage for stage, causes in repo.status().items() if causes != ["always changed"]]
    rerun = downstream(Path("dvc.yaml"), direct)
    return tuple(stage for stage in STAGES if stage in rerun)


def test_nothing_reruns_when_nothing_changed(place) -> None:
    assert (snakemake_reruns(), dvc_reruns()) == ((), ())


def test_order_comments_and_spelling_rerun_nothing(place) -> None:
    path = place.folder / "params.yaml"
    backwards = yaml.safe_load(yaml.safe_dump(TREE, sort_keys=True))
    path.write_text("# a comment\n" + yaml.safe_dump(backwards, default_flow_style=True), encoding="utf-8")
    assert (snakemake_reruns(), dvc_reruns()) == ((), ())


def _name(leaves: tuple[Leaf, ...]) -> str:
    return ".".join(leaves[0] if len(leaves) == 1 else (*leaves[0][:2], "*"))


@pytest.mark.parametrize("leaves", CHANGES, ids=_name)
def test_a_leaf_reruns_the_stages_that_use_it(place, leaves: tuple[Leaf, ...]) -> None:
    tree = deepcopy(TREE)
    for leaf in leaves:
        assign(tree, leaf, changed(leaf, dict(flatten(TREE))[leaf]))
    write_tree(place.folder / "params.yaml", tree)
    assert {(snakemake_reruns(), dvc_reruns())} == {reruns(TREE, leaf) for leaf in leaves}


def test_the_page_has_a_line_for_every_leaf() -> None:
    lines = [line for line in reruns_page(ROOT, TREE).splitlines() if line.startswith("| `")]
    assert len(lines) == len(list(flatten(TREE)))
    assert "| `slices.overlap` | slices to report | slices to report |" in lines
    assert "| `models.lstm.epochs` | nothing | nothing |" in lines
    assert "| `report.title` | report | report |" in lines
