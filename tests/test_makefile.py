"""`make` sets up the environment once, and again where its scripts would not run."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@pytest.fixture
def checkout(project_dir: Path, tmp_path: Path) -> Path:
    """A checkout, with a space in its path, whose environment is ready."""
    folder = tmp_path / "a checkout"
    (folder / ".venv").mkdir(parents=True)
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copyfile(project_dir / name, folder / name)
    (folder / ".venv/.ready").write_text(f"{folder.resolve()}\n", encoding="utf-8")
    return folder


def planned(folder: Path) -> str:
    """Return the commands that `make run` would run."""
    # `make test` runs this, too; a make within make would say so.
    outside = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "-n", "run"]
    done = subprocess.run(command, cwd=folder, env=outside, capture_output=True, text=True, check=True)
    return done.stdout


def test_an_environment_that_is_ready_stays(checkout: Path) -> None:
    assert planned(checkout).splitlines() == [".venv/bin/snakemake --cores all"]


def test_a_moved_checkout_gets_a_new_environment(checkout: Path) -> None:
    moved = checkout.rename(checkout.with_name("moved"))
    commands = planned(moved)
    assert "-m venv --clear .venv" in commands
    assert f'echo "{moved.resolve()}" > .venv/.ready' in commands
    assert commands.endswith(".venv/bin/snakemake --cores all\n")


def test_a_checkout_without_an_environment_gets_one(checkout: Path) -> None:
    (checkout / ".venv/.ready").unlink()
    assert "-m venv" in planned(checkout)
