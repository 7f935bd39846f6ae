"""What the two runners say about a project: their jobs and stages, and which of them are out of date."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genredag.project.check_params.workplace import Workplace
from genredag.project.stages import read_stages

_RULE = re.compile(r"^(?:local)?(?:rule|checkpoint) (\w+):$")
_DETAIL = re.compile(r"^    (\w+): (.*)$")


@dataclass(frozen=True)
class Job:
    """A job of Snakemake, as its dry run prints it."""

    rule: str
    input: list[str] = field(default_factory=list)
    output: list[str] = field(default_factory=list)
    wildcards: dict[str, str] = field(default_factory=dict)
    command: str = ""


def snakemake_jobs(place: Workplace, *arguments: str) -> list[Job]:
    """Ask Snakemake what it would run (with ``--forceall``: all that there is)."""
    done = place.snakemake("--dry-run", "--printshellcmds", "--cores", "1", *arguments)
    return parse_jobs(done.stdout + done.stderr)


def parse_jobs(printed: str) -> list[Job]:
    """Read the jobs in what a dry run prints, the rule ``all`` left out."""
    jobs: list[Job] = []
    details: dict[str, str] = {}
    rule = ""
    for line in [*printed.splitlines(), "rule all:"]:
        if match := _RULE.match(line):
            if rule not in ("", "all"):
                jobs.append(_job(rule, details))
            rule, details = match[1], {}
        elif match := _DETAIL.match(line):
            details[match[1]] = match[2]
        elif line.startswith("Shell command: "):
            details["command"] = line.removeprefix("Shell command: ")
    return jobs


def _job(rule: str, details: dict[str, str]) -> Job:
    pairs = (pair.split("=", 1) for pair in _items(details.get("wildcards", "")))
    return Job(
        rule,
        _items(details.get("input", "")),
        _items(details.get("output", "")),
        {key: value for key, value in pairs},
        details.get("command", ""),
    )


def _items(text: str) -> list[str]:
    return [item for item in text.split(", ") if item]


def dvc_changes(place: Workplace) -> dict[str, list[str]]:
    """Ask DVC which stages a change touches directly, and by what (parameters, code, the command, data)."""
    status: dict[str, list[Any]] = json.loads(place.dvc("status", "--json").stdout or "{}")
    return {stage: sorted(set(_causes(changes))) for stage, changes in status.items()}


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
    """Return `stages` and all that use their outputs, directly or not, by the files in ``dvc.yaml``."""
    declared = read_stages(dvc_yaml)
    reached: set[str] = set()
    todo = list(stages)
    while todo:
        stage = todo.pop()
        reached.add(stage)
        made = set(outputs(declared[stage]))
        todo += [
            name for name, other in declared.items() if name not in reached and made & set(other["deps"])
        ]
    return reached


def outputs(stage: dict[str, Any]) -> list[str]:
    """Return the outputs and metrics of a stage in ``dvc.yaml``."""
    listed = [*stage.get("outs", []), *stage.get("metrics", []), *stage.get("plots", [])]
    return [next(iter(item)) if isinstance(item, dict) else item for item in listed]
