"""Check that ``dvc.lock`` matches the parameters and the code, without any data."""

from __future__ import annotations

import shutil
from pathlib import Path

from genredag.project.check_params.runners import dvc_changes
from genredag.project.check_params.workplace import Workplace

_HINT = "run `dvc repro` (or `dvc exp run`) and commit dvc.lock"


def lock_problems(place: Workplace, lock: Path) -> list[str]:
    """Return the stages whose command, parameters or code in a workplace differ from a ``dvc.lock``.

    Missing or rebuilt data is not a problem, because a fresh clone has no data.
    """
    if not lock.is_file():
        return [f"dvc.lock is missing; {_HINT}"]
    shutil.copyfile(lock, place.folder / "dvc.lock")
    place.dvc("init", "--no-scm", "--quiet")
    stages = {}
    for stage, causes in dvc_changes(place).items():
        changes = [cause for cause in causes if not _is_data(cause)]
        if changes:
            stages[stage] = changes
    return [
        f"dvc.lock is out of date: {stage} ({', '.join(changes)}); {_HINT}"
        for stage, changes in stages.items()
    ]


def _is_data(cause: str) -> bool:
    return cause.startswith(("experiment/", "changed outs"))
