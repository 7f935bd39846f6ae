"""Edits to the code: what each runner reruns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from genredag.params.stages import STAGES
from genredag.project.check_params.plan import AXES, ask, build_placeholders, write_tree
from genredag.project.check_params.reruns import EDITS, edit_reruns
from genredag.project.check_params.workplace import Workplace, copy_project

ROOT = Path(__file__).resolve().parents[2]
TREE = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
# CI asks about these, a nightly run about all.
QUICK = {"a field of an audit", "a new model"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """A project that both runners take for built, with the one experiment as its matrix."""
    place = copy_project(ROOT, tmp_path_factory.mktemp("edits"))
    write_tree(place.folder / "params.yaml", TREE | {"matrix": {key: [TREE[key]] for key in AXES}})
    build_placeholders(place)
    return place


@pytest.fixture
def edited(place: Workplace, request: pytest.FixtureRequest) -> Iterator[Workplace]:
    """Change a file of the package, given as (path, old text, new text), and change it back afterwards."""
    module, old, new = request.param
    file = place.folder / "src/genredag" / module
    before = file.read_text(encoding="utf-8") if file.exists() else None
    assert old in (before or "")
    file.write_text((before or "").replace(old, new, 1) if old else (before or "") + new, encoding="utf-8")
    yield place
    if before is None:
        file.unlink()
    else:
        file.write_text(before, encoding="utf-8")


def asked(place: Workplace) -> tuple[tuple[str, ...], tuple[str, ...]]:
    plan = ask(place)
    ours, theirs = {job.rule for job in plan.jobs}, plan.reached
    return tuple(s for s in STAGES if s in ours), tuple(s for s in STAGES if s in theirs)


@pytest.mark.parametrize(
    ("edited", "kind"),
    [
        pytest.param((module, "", "\nEDITED = 1\n"), kind, marks=() if kind in QUICK else pytest.mark.slow)
        for kind, module in EDITS.items()
    ],
    indirect=["edited"],
    ids=[*EDITS],
)
def test_an_edit_reruns_the_stages_that_use_it(edited: Workplace, kind: str) -> None:
    assert asked(edited) == edit_reruns(ROOT, TREE, EDITS[kind])


@pytest.mark.parametrize(
    "edited", [("report/page.py", '"""', '"""Edited. ')], indirect=True, ids=["a docstring of the report"]
)
def test_a_docstring_reruns_nothing_in_snakemake_and_its_stage_in_dvc(edited: Workplace) -> None:
    assert asked(edited) == ((), ("report",))


def test_closures_are_small() -> None:
    """No stage imports audits, checks, commands or other models."""
    expected = {
        "a field of an audit": (),
        "checks across values": (),
        "the command line": (),
        "a new model": (),
        "an architecture that is not used": (),
        "a data set that is not used": (),
        "a representation that is not used": (),
        "an audit": (),
        "the architecture that is used": STAGES[STAGES.index("train") :],
        "the report": STAGES[-1:],
    }
    assert {kind: edit_reruns(ROOT, TREE, EDITS[kind])[0] for kind in expected} == expected
