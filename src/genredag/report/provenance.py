"""What a report was made with: code, libraries, machine, date."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

LIBRARIES = (
    "genredag",
    "keras",
    "tensorflow",
    "scikit-learn",
    "librosa",
    "numpy",
    "scipy",
    "pandas",
    "matplotlib",
    "snakemake",
    "dvc",
)


@dataclass(frozen=True)
class Provenance:
    """Code, libraries and machine behind a report.

    Parameters
    ----------
    commit
        The code's commit, "(changed since)" appended if files differ from it; empty if unknown.
    versions
        Version of each library by its name.
    """

    date: str
    commit: str
    versions: dict[str, str]
    python: str
    system: str
    cpu_count: int


def read_provenance(source_dir: Path, date: str) -> Provenance:
    """Ask git, the installed packages and the machine.

    Parameters
    ----------
    source_dir
        A folder of the checkout whose commit is wanted.
    date
        The day to print.
    """
    return Provenance(
        date=date,
        commit=_commit(source_dir),
        versions={name: version for name in LIBRARIES if (version := _version(name))},
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        cpu_count=os.cpu_count() or 1,
    )


def _commit(source_dir: Path) -> str:
    try:
        commit = _git(source_dir, "rev-parse", "--short=12", "HEAD")
        changed = _git(source_dir, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f"{commit} (changed since)" if changed else commit


def _git(source_dir: Path, *arguments: str) -> str:
    command = ["git", "-C", str(source_dir), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _version(name: str) -> str:
    # TensorFlow comes under several distribution names.
    for distribution in (name, f"{name}-cpu"):
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return ""
