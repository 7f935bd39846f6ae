"""Does ``dvc.lock`` belong to these parameters and this code? Answered without any data."""

from __future__ import annotations

import shutil
from pathlib import Path

from genredag.project.check_params.runners import dvc_changes
from genredag.project.check_params.workplace import Workplace

_HINT = "run `dvc repro` (or `dvc exp run`) and commit dvc.lock"


def lock_problems(place: Workplace, lock: Path) -> list[str]:
    """Return the stages whose command, parameters or code in a workplace differ from a ``dvc.lock``.

    Data that is missing or was rebuilt is no problem: a fresh clone has none.
    """
    if not lock.is_file():
        return [f"dvc.lock is missing; {_HINT}"]
    shutil.copyfile(lock, place.folder / "dvc.lock")
    place.dvc("init", "--no-scm", "--quiet")
    stages = {}
    for stage, causes in dvc_changes(place).items():
        told = [cause for cause in causes if not _is_data(cause)]
        if told:
            stages[stage] = told
    return [
        f"dvc.lock is out of step: {stage} ({', '.join(told)}); {_HINT}" for stage, told in stages.items()
    ]


def _is_data(cause: str) -> bool:
    return cause.startswith(("experiment/", "changed outs"))
