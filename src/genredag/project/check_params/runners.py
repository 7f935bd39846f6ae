"""The jobs and stages of a project in both runners, and which of them are out of date."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genredag.project.check_params.workplace import Workplace
from genredag.project.stages import read_stages

DRY_RUN = Path(__file__).with_name("dry_run.py")


@dataclass(frozen=True)
class Job:
    """A Snakemake job and its shell command."""

    rule: str
    input: list[str]
    output: list[str]
    wildcards: dict[str, str]
    command: str


def snakemake_jobs(place: Workplace, *arguments: str) -> list[Job]:
    """Ask Snakemake which jobs it would run (with ``--forceall``: all jobs), without the rule ``all``."""
    done = place.run(sys.executable, "-P", str(DRY_RUN), "--cores", "1", *arguments)
    jobs = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [Job(**job) for job in jobs if job["rule"] != "all"]


def dvc_changes(place: Workplace) -> dict[str, list[str]]:
    """Ask DVC which stages a change affects directly, and why (parameters, code, the command, data)."""
    status: dict[str, list[Any]] = json.loads(place.dvc("status", "--json").stdout or "{}")
    causes = {stage: sorted({*_causes(changes)} - {"always changed"}) for stage, changes in status.items()}
    return {stage: found for stage, found in causes.items() if found}


def _causes(changes: Iterable[Any]) -> Iterable[str]:
    for change in changes:
        if isinstance(change, str):
            yield change
            continue
        for kind, files in change.items():
            for file, how in files.items():
                if isinstance(how, dict):
                    yield from (f"{file}: {key}" for key in how)
                else:
                    yield f"{kind}: {file}" if kind == "changed outs" else file


def downstream(dvc_yaml: Path, stages: Iterable[str]) -> set[str]:
    """Return `stages` and all stages that depend on their outputs, directly or indirectly."""
    declared = read_stages(dvc_yaml)
    reached: set[str] = set()
    todo = list(stages)
    while todo:
        stage = todo.pop()
        reached.add(stage)
        made = set(outputs(declared[stage]))
        todo += [
            name
            for name, other in declared.items()
            if name not in reached and made & set(other.get("deps", []))
        ]
    return reached


def outputs(stage: dict[str, Any]) -> list[str]:
    """Return the outputs and metrics of a stage in ``dvc.yaml``."""
    listed = [*stage.get("outs", []), *stage.get("metrics", []), *stage.get("plots", [])]
    return [next(iter(item)) if isinstance(item, dict) else item for item in listed]
