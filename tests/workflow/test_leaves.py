"""Every leaf of params.yaml: what reruns when it changes, asked of both runners."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from genredag.check_params.leaves import Leaf, assign, flatten
from genredag.check_params.plan import KEYS, build_for_show, write_tree
from genredag.check_params.reruns import reruns, reruns_page
from genredag.check_params.runners import downstream
from genredag.check_params.workplace import copy_project
from genredag.errors import ParameterError
from genredag.params import parse_params
from genredag.stages import STAGES

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
TREE = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
TREE["matrix"] = {key: [TREE[key]] for key in KEYS}
LEAVES = [leaf for leaf, _ in flatten(TREE)]
# Each leaf is changed alone, but the recipes that the experiment does not use as a whole.
UNUSED = [name for name in TREE["models"] if name != TREE["model"]]
CHANGES = [(leaf,) for leaf in LEAVES if leaf[0] != "models" or leaf[1] not in UNUSED]
CHANGES += [tuple(leaf for leaf in LEAVES if leaf[:2] == ("models", name)) for name in UNUSED]
# Values that no rule of thumb turns into another valid one.
OTHER: dict[str, Any] = {
    "ratios": [0.7, 0.2, 0.1],
    "group_by": "none",
    "window": "hamming",
    "gamma": "auto",
    "fmax": 8000.0,
    "optimizer": "sgd",
    "floor": 0.001,
    "features": "features_30",
    "augment": [{"kind": "time_reversal", "probability": 0.5}],
}
CHOICES = (
    "float16",
    "uint8",
    "log",
    "linear",
    "pad",
    "quarantine",
    "float32",
    "mixed_bfloat16",
    "bin",
    "global",
)
CHOICES += ("mean", "vote", "adam", "sgd", "cosine", "constant", "track", "artist")


def changed(leaf: Leaf, value: Any) -> Any:
    """Return another value that is as valid as `value`; a kind stays what it is."""
    name = leaf[-1]
    if leaf[0] == "matrix" or (leaf[0] in KEYS and name != "seed"):
        collection = {key: f"{key}s" for key in KEYS}[leaf[-1]]
        other = (
            43
            if name == "seed"
            else next(n for n in TREE[collection] if n not in (TREE[name], "spectrograms"))
        )
        return [*value, other] if leaf[0] == "matrix" else other
    if name == "kind":
        return value
    candidates = [OTHER.get(name), *_neighbours(value)]
    for other in candidates:
        if other is not None and other != value and _is_valid(leaf, other):
            return other
    raise AssertionError(f"no other valid value for {'.'.join(leaf)} = {value!r}: add one to OTHER")


def _neighbours(value: Any) -> Iterator[Any]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value * 2)
    elif isinstance(value, float):
        yield from (value / 2, value * 2, value + 1)
    elif isinstance(value, list):
        yield from ([*value, *value[:1]], [*value, "x"], value[:1])
    elif isinstance(value, str):
        at = CHOICES.index(value) if value in CHOICES else 0
        yield from (CHOICES[at ^ 1] if value in CHOICES else f"{value} x", *TREE["representations"])
        yield from (name for name in TREE["datasets"])
    else:
        yield "somewhere"


def _is_valid(leaf: Leaf, value: Any) -> bool:
    tree = yaml.safe_load(yaml.safe_dump(TREE))
    assign(tree, leaf, value)
    try:
        parse_params(tree)
    except ParameterError:
        return False
    return True


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A project that both runners take for built, with the one experiment as its matrix."""
    place = copy_project(ROOT, tmp_path_factory.mktemp("leaves"))
    write_tree(place.folder / "params.yaml", TREE)
    build_for_show(place)
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
        direct = repo.status()
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
    tree = yaml.safe_load(yaml.safe_dump(TREE))
    for leaf in leaves:
        assign(tree, leaf, changed(leaf, dict(flatten(TREE))[leaf]))
    if tree == TREE:
        pytest.skip("a kind has no other value with the same keys")
    write_tree(place.folder / "params.yaml", tree)
    assert {(snakemake_reruns(), dvc_reruns())} == {reruns(TREE, leaf) for leaf in leaves}


def test_the_page_has_a_line_for_every_leaf() -> None:
    lines = [line for line in reruns_page(TREE).splitlines() if line.startswith("| `")]
    assert len(lines) == len(LEAVES)
    assert "| `slices.overlap` | slices to report | slices to report |" in lines
    assert "| `models.lstm.epochs` | nothing | nothing |" in lines
    assert "| `report.title` | report | report |" in lines
