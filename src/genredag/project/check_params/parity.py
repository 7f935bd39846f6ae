"""Compare the two DAGs, rule by stage: flags, inputs, outputs and parameters."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from genredag.params.groups.reading import read_tree
from genredag.params.stages import STAGE_GROUPS, STAGES
from genredag.project.check_params.plan import AXES, KEYS, choice_of, write_tree
from genredag.project.check_params.runners import Job, outputs, snakemake_jobs
from genredag.project.check_params.workplace import Workplace
from genredag.project.stages import is_code, read_stages, script_command

# Flags that do not affect results and may differ: each runner chooses the number of processes itself.
FREE_FLAGS = {"--jobs"}


def disagreements(place: Workplace) -> list[str]:
    """Return what differs between the Snakefile and ``dvc.yaml``, one line per difference.

    The matrix of the workplace's ``params.yaml`` is set to the one experiment, so that each rule has one job.
    """
    tree = read_tree(place.folder / "params.yaml")
    choice = {key: tree[key] for key in KEYS}
    tree["matrix"] = {key: [tree[key]] for key in AXES}
    write_tree(place.folder / "params.yaml", tree)
    wildcards = choice_of(tree)
    jobs = {
        job.rule: job
        for job in snakemake_jobs(place, "--forceall")
        if job.wildcards.items() <= wildcards.items()
    }
    stages = read_stages(place.folder / "dvc.yaml")
    # Snakemake has a parameter instead of such a stage.
    notes = {name: stage for name, stage in stages.items() if stage.get("always_changed")}
    stages = {name: stage for name, stage in stages.items() if name not in notes}
    noted = {file for stage in notes.values() for file in outputs(stage)}
    for stage in stages.values():
        stage["deps"] = [dep for dep in stage["deps"] if dep not in noted]
    if not set(jobs) == set(stages) == set(STAGES) == set(STAGE_GROUPS):
        return [f"the stages differ: {', '.join(jobs)} in the Snakefile, {', '.join(stages)} in dvc.yaml"]
    return [
        f"{stage}: {line}" for stage in STAGES for line in _compare(stage, jobs[stage], stages[stage], choice)
    ]


def _compare(name: str, job: Job, stage: dict[str, Any], choice: dict[str, Any]) -> Iterator[str]:
    command = re.sub(r"\$\{(\w+)\}", lambda match: str(choice[match[1]]), script_command(stage))
    pairs = (
        ("flags", flags(job.command), flags(command)),
        (
            "inputs",
            _names(job.input),
            _names(dep for dep in stage["deps"] if not is_code(dep)),
        ),
        ("outputs", _names(job.output), _names(outputs(stage))),
        ("parameters", _groups(name, stage["cmd"]), stage["params"]),
    )
    for what, ours, theirs in pairs:
        if sorted(ours) != sorted(theirs):
            only = f"only in the Snakefile: {_only(ours, theirs)}; only in dvc.yaml: {_only(theirs, ours)}"
            yield f"{what}: {only}"


def flags(command: str) -> list[str]:
    """Return the script of a command, and its flags with their values; paths are reduced to file names."""
    words = shlex.split(command.split(" 2>&1")[0])
    found, flag = [words[1]], ""
    for word in words[2:]:
        if word.startswith("--"):
            flag = word
        elif flag not in FREE_FLAGS:
            head, equals, path = word.rpartition("=")
            # The run's folder differs: nested folders in Snakemake, `experiment` in DVC.
            name = "RUN" if flag == "--runs" else Path(path).name
            found.append(f"{flag} {head}{equals}{name}")
    return list(dict.fromkeys(found))


def _groups(stage: str, command: str) -> list[str]:
    """Return what a stage must list under `params`: its groups, and the keys that its command names."""
    keys = [key for key in KEYS if f"${{{key}}}" in command]
    return [*keys, *(re.sub(r"\{(\w+)\}", r"${\1}", group) for group in STAGE_GROUPS[stage])]


def _names(paths: Iterable[str]) -> list[str]:
    return sorted({Path(path).name for path in paths})


def _only(ours: list[str], theirs: list[str]) -> str:
    return ", ".join(sorted(set(ours) - set(theirs))) or "none"
