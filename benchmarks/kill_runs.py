"""Runs of Snakemake and DVC that are killed: the same files after running again, and nothing left over.

A small project (`tiny_runs.py`) is built once undisturbed. Then it is built again and again from nothing.
Each of these builds is killed (SIGKILL) several times: while the runner starts, or at a random moment of a
random stage; the runner alone, whose job goes on, or with all that it started. The next run starts at once.
The last one is left to finish, and all files are compared with those of the undisturbed run.

    python benchmarks/kill_runs.py --kills 100 --record docs/kills.jsonl

Each build is a line of the record. A benchmark that was stopped continues with the next build. The script
ends with status 1 if a file differs, is missing or was left over.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import yaml
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from processes import kill, n_alive
from tiny_runs import (
    AUDIO,
    OUTPUTS,
    POLL,
    RECORDS,
    STARTING,
    Undisturbed,
    append_record,
    build,
    cached,
    clear,
    differences,
    hashes,
    kind_of,
    left_over,
    read_record,
    reference,
    running_stage,
    start,
    work_folder,
)
from voluptuous import Invalid

from genredag.params.stages import STAGES
from genredag.project.check_params.workplace import Workplace

# A runner, what is removed before a build, how many kills a build suffers, and how many of 20 kills it gets.
SCENARIOS = {
    "snakemake": ("snakemake", "everything", 10, 10),
    "dvc": ("dvc", "everything", 10, 6),
    "snakemake, restoring": ("snakemake", "outputs", 5, 2),
    "dvc, restoring": ("dvc", "outputs", 5, 2),
}
RESTORING = "(restoring)"
# When a run is killed: each is equally probable.
MOMENTS = (STARTING, *STAGES)
# What DVC reads first, and how it is checked.
DVC_READS = {
    "dvc.lock": lambda text: COMPILED_LOCKFILE_SCHEMA(yaml.safe_load(text)),
    ".dvc/tmp/rwlock": json.loads,
}
SHARES = sum(share for *_, share in SCENARIOS.values())


def wait_for_stage(process: psutil.Popen, target: str) -> str:
    """Wait until a runner runs a stage or one after it, or has ended; return the stage."""
    while process.poll() is None:
        stage = running_stage(process)
        if stage and MOMENTS.index(stage) >= MOMENTS.index(target):
            return stage
        time.sleep(POLL)
    return ""


def disturb(
    place: Workplace, runner: str, target: str, seconds: dict[str, float], rng: np.random.Generator
) -> dict[str, object] | None:
    """Start a run and kill it while it starts, restores results or runs a stage; None if it ended before."""
    process = start(place, runner)
    stage = target if target in (STARTING, RESTORING) else wait_for_stage(process, target)
    time.sleep(rng.uniform(0, 1.1 * seconds.get(stage, 0)))
    stage = running_stage(process)
    with_children = bool(rng.integers(2))
    if process.poll() is not None:
        return None
    children = kill(process, with_children)
    doing = stage or (RESTORING if target == RESTORING else STARTING)
    return {"stage": doing, "with_children": with_children, "children": len(children)}


def killed_build(
    place: Workplace, scenario: str, expected: Undisturbed, number: int, n_most: int
) -> dict[str, object]:
    """Build the project with up to `n_most` kills; return them and what is wrong with the files."""
    runner, removed, n_kills, _ = SCENARIOS[scenario]
    kind, began = kind_of(runner), time.monotonic()
    rng = np.random.default_rng([number, *scenario.encode()])
    clear(place, *OUTPUTS[kind])
    if removed == "everything":
        clear(place, *RECORDS[kind], AUDIO)
    n_kills, moments = min(n_kills, n_most), MOMENTS if removed == "everything" else (RESTORING,)
    kills, torn = [], []
    for target in sorted(rng.choice(moments, n_kills), key=moments.index):
        moment = disturb(place, runner, str(target), expected.seconds, rng)
        if moment is None:
            break
        kills.append(moment)
        torn += remove_torn(place)
    build(place, runner)
    alive = n_alive(orphans(place))
    found = hashes(place, kind)
    return {
        "scenario": scenario,
        "build": number,
        "kills": kills,
        "torn": torn,
        "files": len(expected.files),
        "differences": differences(expected.files, found),
        "left_over": left_over(expected.files, found),
        "left_in_cache": sorted(cached(place, kind) - set(expected.cache)),
        "still_running": alive,
        "seconds": round(time.monotonic() - began, 1),
    }


def restoring_seconds(place: Workplace, runner: str) -> float:
    """Return how long a run takes that restores everything."""
    clear(place, *OUTPUTS[kind_of(runner)])
    began = time.monotonic()
    build(place, runner)
    return time.monotonic() - began


def remove_torn(place: Workplace) -> list[str]:
    """Remove the files of DVC that are not whole, and that it therefore refuses to read; return their names.

    DVC writes them in place. It restores what ``dvc.lock`` listed from its run cache.
    """
    torn = []
    for name, check in DVC_READS.items():
        try:
            check((place.folder / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (yaml.YAMLError, ValueError, Invalid):
            (place.folder / name).unlink()
            torn.append(name)
    return torn


def orphans(place: Workplace) -> list[psutil.Process]:
    """Return the processes that work in the project, which have outlived their runner."""
    everything = psutil.process_iter(["cwd"])
    return [process for process in everything if process.info["cwd"] == str(place.folder)]


def n_wanted(scenario: str, n_kills: int) -> int:
    """Return how many of all kills a scenario gets."""
    return -(-n_kills * SCENARIOS[scenario][3] // SHARES)


def is_wrong(line: dict) -> bool:
    """Whether a build did not heal."""
    return bool(line["differences"] or line["left_over"] or line["left_in_cache"] or line["still_running"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--scenarios", nargs="+", choices=SCENARIOS, default=list(SCENARIOS))
    parser.add_argument("--record", type=Path, required=True, help="JSON lines, a build each")
    parser.add_argument("--work", type=Path, help="keep the projects here, to continue with them")
    args = parser.parse_args()
    work, lines = work_folder(args.work), read_record(args.record)
    for scenario in args.scenarios:
        own = [line for line in lines if line["scenario"] == scenario]
        runner, removed, *_ = SCENARIOS[scenario]
        place, expected = reference(work, runner)
        if removed == "outputs":
            expected.seconds[RESTORING] = restoring_seconds(place, runner)
        while (missing := n_wanted(scenario, args.kills) - sum(len(line["kills"]) for line in own)) > 0:
            line = killed_build(place, scenario, expected, len(own), missing)
            own.append(line)
            append_record(args.record, line)
            print(scenario, len(line["kills"]), "WRONG" if is_wrong(line) else "healed", flush=True)
    if any(map(is_wrong, read_record(args.record))):
        sys.exit(1)


if __name__ == "__main__":
    main()
