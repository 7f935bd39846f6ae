"""The two DAGs agree: rule == DVC stage == script == group of parameters."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from genredag.params.schema import Params
from genredag.params.stages import EXTRA_GROUPS, EXTRAS, STAGE_GROUPS, STAGES
from genredag.project.check_params.parity import disagreements
from genredag.project.check_params.workplace import Workplace, copy_project
from genredag.project.stages import SCRIPTS, is_code, read_stages, stage_code
from genredag.runtime.closure import is_empty


@pytest.fixture
def copy(project_dir: Path, tmp_path: Path) -> Workplace:
    """A copy of the project's code, without data."""
    return copy_project(project_dir, tmp_path / "copy")


def test_snakefile_and_dvc_yaml_agree(copy: Workplace) -> None:
    assert disagreements(copy) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("--split-name ${split}", "--split ${split}", "split: flags"),
        ("      - experiment/split.parquet\n    params", "    params", "embed: inputs"),
        (", experiment/quarantine.csv]\n  spectrograms:", "]\n  spectrograms:", "download: outputs"),
        ("params: [slices]", "params: [split]", "slices: parameters"),
        ("\nplots:", "\n  extra: {cmd: 'true', deps: []}\n\nplots:", "the stages differ"),
    ],
)
def test_a_disagreement_is_reported(copy: Workplace, old: str, new: str, told: str) -> None:
    dvc_yaml = copy.folder / "dvc.yaml"
    text = dvc_yaml.read_text(encoding="utf-8")
    assert old in text
    dvc_yaml.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert any(line.startswith(told) for line in disagreements(copy))


def test_rules_stages_scripts_and_groups_have_the_same_names(project_dir: Path) -> None:
    rules = {path.stem for path in (project_dir / "workflow/rules").glob("*.smk")} - {"start", "matrix"}
    scripts = {path.stem for path in (project_dir / "workflow/scripts").glob("*.py")}
    assert rules == scripts - {"music"} == {*STAGES, *EXTRAS}
    assert set(STAGES) == set(STAGE_GROUPS)
    assert set(EXTRAS) == set(EXTRA_GROUPS)
    assert list(read_stages(project_dir / "dvc.yaml")) == ["music", *STAGES]


def test_every_group_of_params_yaml_is_used_by_a_rule() -> None:
    everything = [*STAGE_GROUPS.values(), *EXTRA_GROUPS.values()]
    used = {group.split(".")[0] for groups in everything for group in groups}
    assert used == set(Params.model_fields) - {
        "dataset",
        "representation",
        "model",
        "split",
        "fold",
        "seed",
        "matrix",
        "shared",
    }


@pytest.mark.parametrize("stage", STAGES)
def test_declared_code_covers_what_the_stage_imports_and_no_other_package(
    project_dir: Path, stage: str
) -> None:
    deps = read_stages(project_dir / "dvc.yaml")[stage]["deps"]
    declared = [project_dir / dep for dep in deps if is_code(dep)]
    used = [
        file
        for file in stage_code(project_dir / SCRIPTS, project_dir / "src", stage)
        if file.suffix != ".py" or not is_empty(file)
    ]
    assert all(path.exists() for path in declared)
    assert [file for file in used if not any(file.is_relative_to(path) for path in declared)] == []
    assert [path for path in declared if not any(file.is_relative_to(path) for file in used)] == []


@pytest.mark.parametrize("stage", STAGES)
def test_a_rule_depends_on_its_own_code_and_values(project_dir: Path, stage: str) -> None:
    rule = (project_dir / "workflow/rules" / f"{stage}.smk").read_text(encoding="utf-8")
    assert f'values=values("{stage}")' in rule
    assert f'code=code("{stage}")' in rule


@pytest.mark.parametrize("stage", [*STAGES, *EXTRAS])
def test_scripts_are_thin(project_dir: Path, stage: str) -> None:
    source = (project_dir / "workflow/scripts" / f"{stage}.py").read_text(encoding="utf-8")
    body = source[source.index("def main(") : source.index('if __name__ == "__main__"')]
    assert len(inspect.cleandoc(body).splitlines()) <= 40


def test_no_ancient_inputs_and_no_directory_outputs_but_the_pictures(project_dir: Path) -> None:
    found = {}
    for path in [project_dir / "workflow/Snakefile", *(project_dir / "workflow/rules").glob("*.smk")]:
        found[path.name] = re.findall(r"\b(ancient|directory)\(", path.read_text(encoding="utf-8"))
    assert {name: words for name, words in found.items() if words} == {"pictures.smk": ["directory"]}


def test_snakemake_lint_is_clean(copy: Workplace) -> None:
    assert "Congratulations" in (done := copy.snakemake("--lint")).stdout + done.stderr


def test_rules_are_formatted(copy: Workplace) -> None:
    copy.run("snakefmt", "--check", "Snakefile", "workflow")


def test_folders_are_named_once(project_dir: Path) -> None:
    named = [
        path.name
        for path in sorted((project_dir / "workflow").rglob("*"))
        if path.suffix in {".py", ".smk", ""}
        and path.is_file()
        and re.search(r"\{representation\}/\{model\}/", path.read_text(encoding="utf-8"))
    ]
    assert named == ["start.smk"]


@pytest.mark.parametrize("stage", [*STAGES, *EXTRAS])
def test_every_rule_asks_for_memory_and_time(project_dir: Path, stage: str) -> None:
    rule = (project_dir / "workflow/rules" / f"{stage}.smk").read_text(encoding="utf-8")
    assert re.search(r"resources:\n +mem_mb=memory\(.*\),\n +runtime=\d+,\n", rule)
