"""Projects to run: the real Snakefile, dvc.yaml, parameters and library, with stages that finish at once."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from genredag.params.stages import STAGES
from genredag.project.check_params.workplace import Workplace, copy_project
from genredag.project.editing import set_values

ROOT = Path(__file__).resolve().parents[2]
TOY = Path(__file__).with_name("toy_stage.py")


@dataclass(frozen=True)
class Project(Workplace):
    """A project in a temporary folder that remembers which stages were run."""

    def set(self, *assignments: str) -> None:
        """Change values of params.yaml, as `genredag set` does."""
        set_values(self.folder / "params.yaml", list(assignments))

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace `old`, which the file must contain, so that no test passes without the change it tests."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{file} doesn't contain {old!r}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def ran(self) -> Counter[str]:
        """Return how often each stage was run since this was last asked."""
        runs = self.folder / "runs.txt"
        counted = Counter(runs.read_text(encoding="utf-8").split()) if runs.is_file() else Counter()
        runs.unlink(missing_ok=True)
        return counted

    def with_git(self) -> Project:
        """Put the project under git and DVC, with one commit."""
        for command in ("init -q -b main", "config user.name Test", "config user.email test@example.org"):
            self.run("git", *command.split())
        ignored = (
            f"{(ROOT / '.gitignore').read_text(encoding='utf-8')}/experiment/\n/runs.txt\n/.genredag-cache/\n"
        )
        (self.folder / ".gitignore").write_text(ignored, encoding="utf-8")
        self.dvc("init", "-q")
        return self.commit("Start")

    def commit(self, message: str) -> Project:
        """Commit everything."""
        self.run("git", "add", "-A")
        self.run("git", "commit", "-q", "-m", message)
        return self

    def environment(self) -> dict[str, str]:
        return super().environment() | {"TOY_RUNS": str(self.folder / "runs.txt")}


def make_toy(folder: Path) -> Project:
    """Make a project of toy stages: the experiment is crnn, the matrix two representations by two models."""
    copy_project(ROOT, folder)
    for stage in STAGES:
        shutil.copyfile(TOY, folder / "workflow" / "scripts" / f"{stage}.py")
    project = Project(folder)
    project.set("model=crnn", "matrix.representation=[mel, stft]", "matrix.model=[crnn, svm_rbf]")
    return project


@pytest.fixture
def toy(tmp_path: Path) -> Project:
    """A toy project that was never run."""
    return make_toy(tmp_path / "toy")


@pytest.fixture(scope="module")
def never_built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A toy project under git and DVC; see `refusing`."""
    return make_toy(tmp_path_factory.mktemp("refusing")).with_git()


@pytest.fixture
def refusing(never_built: Project) -> Iterator[Project]:
    """Give a project for what is refused before any job; bring its parameters and code back afterwards."""
    yield never_built
    never_built.run("git", "checkout", "-q", ".")
    never_built.ran()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A toy project under git that both runners have built; whoever changes it must change it back."""
    project = make_toy(tmp_path_factory.mktemp("built")).with_git()
    project.snakemake("--cores", "4")
    project.dvc("repro")
    project.commit("Build")
    project.ran()
    return project


@pytest.fixture
def unchanged(built: Project) -> Project:
    """Give the built project, and bring its parameters and code back afterwards."""
    yield built
    built.run("git", "checkout", "-q", ".")
    built.ran()
