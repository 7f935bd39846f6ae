"""A folder in which both runners work on a copy of the project: its processes and its files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

from genredag.errors import GenredagError


class RunnerError(GenredagError):
    """A runner failed; the message includes the end of its output."""


@dataclass(frozen=True)
class Workplace:
    """A project's folder, in which programs run with the folder's own code and cache."""

    folder: Path

    def run(self, *command: str, check: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the folder, output captured.

        Raises
        ------
        RunnerError
            `check` is set and the command fails.
        """
        environment = self.environment() | variables
        try:
            done = subprocess.run(
                command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
            )
        except FileNotFoundError:
            raise RunnerError(
                f"`{command[0]}` is not installed", hint="install it, or add it to PATH"
            ) from None
        if check and done.returncode:
            raise RunnerError(f"`{_shown(command)}` failed ({done.returncode}): {_tail(done)}")
        return done

    def snakemake(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run Snakemake in the folder."""
        return self.run(sys.executable, "-m", "snakemake", *arguments, check=check)

    def dvc(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run DVC in the folder."""
        return self.run(sys.executable, "-m", "dvc", *arguments, check=check)

    def environment(self) -> dict[str, str]:
        """Put the folder's own `src` before an installed genredag; drop settings of an outer runner."""
        inherited = {
            key: value for key, value in os.environ.items() if not key.startswith(("SNAKEMAKE_", "GIT_"))
        }
        return inherited | {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
            "PYTHONPATH": str(self.folder / "src"),
            "GENREDAG_CACHE": str(self.folder / ".genredag-cache"),
            "DVC_NO_ANALYTICS": "1",
        }


def _shown(command: tuple[str, ...]) -> str:
    return " ".join(command).replace(f"{sys.executable} -m ", "")


def _tail(done: subprocess.CompletedProcess[str], lines: int = 8) -> str:
    printed = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    errors = [line for line in printed if line.startswith("genredag: error:")]
    return " | ".join(errors or printed[-lines:])


# What is copied to a workplace; data, results and caches are not.
PROJECT_FILES = (
    "Snakefile",
    "dvc.yaml",
    ".dvcignore",
    "params.yaml",
    "studies.yaml",
    "workflow",
    "profiles",
    "envs",
    "src",
)


def copy_project(project: Path, folder: Path) -> Workplace:
    """Copy the project's code and parameters from the working tree to `folder`.

    Files with the same content keep their modification time; files that the project lacks are removed.
    """
    wanted = {file.relative_to(project) for name in PROJECT_FILES for file in _files(project / name)}
    for stale in {
        file.relative_to(folder) for name in PROJECT_FILES for file in _files(folder / name)
    } - wanted:
        (folder / stale).unlink()
    for file in wanted:
        _copy_if_changed(project / file, folder / file)
    return Workplace(folder)


def extract_reference(project: Path, reference: str, folder: Path) -> Workplace:
    """Write the project as it was at the git reference into `folder`.

    Raises
    ------
    RunnerError
        The reference is unknown, or git is not installed.
    """
    archive = folder / "reference.tar"
    folder.mkdir(parents=True, exist_ok=True)
    Workplace(project).run("git", "archive", "--format=tar", f"--output={archive}", reference)
    with tarfile.open(archive) as tar:
        members = [member for member in tar if member.name.split("/")[0] in PROJECT_FILES]
        tar.extractall(folder, members, filter="data")
    archive.unlink()
    return Workplace(folder)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return [file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts]


def _copy_if_changed(source: Path, target: Path) -> None:
    if target.is_file() and target.read_bytes() == source.read_bytes():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
