"""Disasters: what the user reads, whether a half-written file looks whole, and whether the next run heals.

A small project (`tiny_runs.py`) meets a full disk at every stage, folders that can't be written to, too
little memory, other runs and users, a clock that was set back, and a cache that is deleted in mid-run. After
each, all files are compared with those of an undisturbed run, and the project is built again.

    python benchmarks/disasters.py --record docs/disasters.jsonl

It mounts small file systems and becomes another user, so it runs as root on Linux. The script ends with
status 1 if a traceback was printed, a file was damaged, or the next run did not heal.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from limits import (
    MOUNTED,
    as_nobody,
    fill,
    kill_for_memory,
    limit_memory,
    mounted,
    owned_by_nobody,
    small_disk,
)
from tiny_runs import (
    AUDIO,
    OUTPUTS,
    RECORDS,
    Undisturbed,
    append_record,
    clear,
    differences,
    finished,
    hashes,
    into_future,
    kind_of,
    left_over,
    make_project,
    message,
    printed,
    ran,
    read_record,
    reference,
    script_of,
    start,
    wait_for_stage,
    work_folder,
)

from genredag.params.stages import STAGES
from genredag.project.check_params.workplace import Workplace

Row = dict[str, object]
MODELS = ("svm_rbf",)  # a network would take most of the time
# What is left on a full disk, so that the stage is in the middle of its first file. With DVC, the stage
# `music` always runs first and needs some.
ROOM_KB = {"download": 4000, "spectrograms": 500, "train": 100, "evaluate": 20}
ROOM_KB_OF_OTHERS = {"snakemake": 0, "dvc": 8}
# What is removed so that everything from a stage on is to do.
FIRST_OUTPUTS = {
    "snakemake": {"spectrograms": ("data/synthetic/mel", "results"), "train": ("results",)},
    "dvc": {"spectrograms": ("experiment/frames.npy",), "train": ("experiment/bundle.zip",)},
}
GROWING = "dvc.lock"  # an entry per finished stage
BOTH = ("snakemake", "dvc")
PATIENCE = 900.0  # seconds


def project(work: Path, runner: str) -> tuple[Workplace, Undisturbed]:
    """Return a project for a runner and what its undisturbed run makes."""
    return reference(work, runner, MODELS)


def everything(runner: str) -> tuple[str, ...]:
    """Return what is removed before a build from nothing."""
    kind = kind_of(runner)
    return (*OUTPUTS[kind], *RECORDS[kind], AUDIO)


def undo(place: Workplace, runner: str, expected: Undisturbed, stage: str) -> None:
    """Have a stage and those after it still to do, without results in the runner's cache."""
    ensure_built(place, runner, expected)
    names = FIRST_OUTPUTS[kind_of(runner)][stage]
    for link in (path for name in names for path in (place.folder / name).rglob("*") if path.is_symlink()):
        link.resolve().unlink(missing_ok=True)  # in Snakemake's cache
    clear(place, *names, *([] if kind_of(runner) == "snakemake" else RECORDS["dvc"][:1]))


def made(place: Workplace, runner: str) -> dict[str, str]:
    """Return the hashes of what a runner made."""
    found = hashes(place, kind_of(runner))
    return {name: digest for name, digest in found.items() if not name.endswith(f"/{MOUNTED}")}


def outcome(place: Workplace, runner: str, expected: Undisturbed, status: int) -> Row:
    """Describe a run that ended: what it printed and which finished files are wrong."""
    text, found = printed(place), made(place, runner)
    shutil.copyfile(place.folder / "runner.log", place.folder.parent / f"{time.time():.0f}.log")
    wrong = [name for name in differences(expected.files, found) if found.get(name) and name != GROWING]
    told = re.sub(
        r"/\S*/site-packages/",
        "",
        message(text).replace(f"{place.folder}/", "").replace(f"{place.folder.parent}/", ""),
    )
    row: Row = {"runner": kind_of(runner), "status": status, "message": told if status else ""}
    return row | {"traceback": "Traceback (most recent call last)" in text, "damaged": wrong}


def heal(place: Workplace, runner: str, expected: Undisturbed, *arguments: str, **variables: str) -> Row:
    """Run again; return whether all files are those of the undisturbed run, and no others."""
    status = start(place, runner, *arguments, **variables).wait(PATIENCE)
    found = made(place, runner)
    wrong = differences(expected.files, found) if not arguments else []
    wrong += [name for name in found if found[name] != expected.files.get(name)]
    if arguments:
        wrong = [name for name in wrong if name != GROWING]
    left = left_over(expected.files, found)
    return {"healed": not status and not wrong, "wrong": sorted(set(wrong)), "left": left}


def until(runner: str, stage: str) -> tuple[str, ...]:
    """Return the arguments with which a runner stops after a stage."""
    return ("--until", stage) if kind_of(runner) == "snakemake" else (stage,)


def full_disk(work: Path, runner: str) -> Iterator[Row]:
    """At each stage in turn, the disk of the results and of the audio is full; then there is room again."""
    place, expected = project(work, runner)
    clear(place, *everything(runner))
    folders = [name for name in (*OUTPUTS[kind_of(runner)], AUDIO) if name != "dvc.lock"]
    with small_disk(place, *folders) as filler:
        for stage in STAGES:
            fill(filler, ROOM_KB.get(stage, ROOM_KB_OF_OTHERS[kind_of(runner)]))
            status = start(place, runner).wait(PATIENCE)
            row = {"disaster": "disk full", "where": stage} | outcome(place, runner, expected, status)
            filler.unlink()
            last = stage == STAGES[-1]
            yield row | heal(place, runner, expected, *(() if last else until(runner, stage)))
    for name in folders:  # the mount points
        clear(place, name)


def full_cache(work: Path, runner: str) -> Iterator[Row]:
    """The disk of the runner's cache is full."""
    place, expected = project(work, runner)
    clear(place, *everything(runner))
    name = RECORDS[kind_of(runner)][0]
    with small_disk(place, name) as filler:
        fill(filler, 0)
        status = start(place, runner).wait(PATIENCE)
        row = {"disaster": "disk full", "where": name} | outcome(place, runner, expected, status)
        filler.unlink()
        yield row | heal(place, runner, expected)
        clear(place, *OUTPUTS[kind_of(runner)])
    clear(place, *everything(runner))


def read_only(work: Path, runner: str) -> Iterator[Row]:
    """The folders of the results are mounted read-only, or belong to another user."""
    place, expected = project(work, runner)
    clear(place, *everything(runner))
    for name in [name for name in OUTPUTS[kind_of(runner)] if name != "dvc.lock"]:
        folder = place.folder / name
        folder.mkdir(exist_ok=True)
        (folder / MOUNTED).touch()
        with mounted("--bind", folder, folder):
            subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
            status = start(place, runner).wait(PATIENCE)
            yield {"disaster": "read-only mount", "where": name} | outcome(place, runner, expected, status)
    for name in ("", *OUTPUTS[kind_of(runner)][:1]):
        clear(place, *everything(runner))
        if name:
            (place.folder / name).mkdir(exist_ok=True)
        with owned_by_nobody(place, but=place.folder / name):
            status = start(place, runner, **as_nobody(place)).wait(PATIENCE)
            where = name or "the project"
            row = {"disaster": "folder of another user", "where": where}
            row |= outcome(place, runner, expected, status)
            yield row
    yield {"disaster": "read-only, then writable", "where": ""} | heal(place, runner, expected)


def too_little_memory(work: Path, runner: str) -> Iterator[Row]:
    """A training may take less memory than it needs: by a limit, and by the system that kills it."""
    place, expected = project(work, runner)
    for how, limit in (("limit", limit_memory), ("killed by the system", kill_for_memory)):
        undo(place, runner, expected, "train")
        with ExitStack() as stack:
            process = start(place, runner)
            wait_for_stage(process, "train")
            if script := script_of(process, "train"):
                stack.enter_context(limit(script))
            status = process.wait(PATIENCE)
        row = {"disaster": f"out of memory ({how})", "where": "train"}
        yield row | outcome(place, runner, expected, status) | heal(place, runner, expected)


def at_once(work: Path, runner: str) -> Iterator[Row]:
    """Someone starts a second run, of the same and of the other runner, in the same checkout."""
    place, expected = project(work, runner)
    undo(place, runner, expected, "spectrograms")
    first = start(place, runner)
    wait_for_stage(first, "spectrograms")
    first_log = place.folder / "first.log"
    (place.folder / "runner.log").replace(first_log)
    status = start(place, runner).wait(PATIENCE)
    row = {"disaster": "two runs at once", "where": "the second"}
    yield row | outcome(place, runner, expected, status)
    status = first.wait(PATIENCE)
    first_log.replace(place.folder / "runner.log")
    row = {"disaster": "two runs at once", "where": "the first"}
    yield row | outcome(place, runner, expected, status) | heal(place, runner, expected)


def both_runners(work: Path, runner: str) -> Iterator[Row]:
    """Both runners run in the same checkout at once."""
    if runner != BOTH[0]:
        return
    place, expected = project(work, runner)
    for kind in BOTH:
        clear(place, *everything(kind))
    first = start(place, "snakemake")
    (place.folder / "runner.log").replace(place.folder / "first.log")
    status = start(place, "dvc").wait(PATIENCE)
    theirs = project(work, "dvc")[1]
    row = {"disaster": "both runners at once", "where": ""}
    yield row | outcome(place, "dvc", theirs, status) | heal(place, "dvc", theirs)
    status = first.wait(PATIENCE)
    (place.folder / "first.log").replace(place.folder / "runner.log")
    yield row | outcome(place, runner, expected, status) | heal(place, runner, expected)
    clear(place, *everything("dvc"))


def shared_cache(work: Path, runner: str) -> Iterator[Row]:
    """Two checkouts share their caches and start at once; then one user shares the audio of another."""
    places = [project(work, runner)[0], copy_of(work, runner)]
    expected = project(work, runner)[1]
    for place in places:
        clear(place, *everything(runner))
    audio = work / "shared-audio"
    shutil.rmtree(audio, ignore_errors=True)
    shared = {"GENREDAG_CACHE": str(audio)}
    if kind_of(runner) == "snakemake":
        results = work / "shared-results"
        shutil.rmtree(results, ignore_errors=True)
        shared["SNAKEMAKE_OUTPUT_CACHE"] = str(results)
    else:
        for place in places:
            place.dvc("config", "--local", "cache.dir", str(work / "shared-dvc"))
    without_audio = Undisturbed(
        {name: digest for name, digest in expected.files.items() if not name.startswith(AUDIO)}, [], {}
    )
    processes = [start(place, runner, **shared) for place in places]
    for place, process in zip(places, processes, strict=True):
        status = process.wait(PATIENCE)
        row = {"disaster": "two checkouts share caches", "where": place.folder.name}
        row |= outcome(place, runner, without_audio, status)
        yield row | heal(place, runner, without_audio, **shared)
    yield from other_user(places[0], runner, without_audio, audio)
    if kind_of(runner) == "dvc":
        for place in places:
            place.dvc("config", "--local", "--unset", "cache.dir")


def other_user(place: Workplace, runner: str, expected: Undisturbed, audio: Path) -> Iterator[Row]:
    """Another user's audio is complete, or half of it is missing and can't be added."""
    own = {"GENREDAG_CACHE": str(audio)}
    for where in ("complete", "incomplete"):
        if where == "incomplete":
            for path in sorted(audio.rglob("*.flac"))[::2]:
                path.unlink()
        clear(place, *everything(runner))
        with owned_by_nobody(place, but=place.folder / "params.yaml"):
            status = start(place, runner, **as_nobody(place), **own).wait(PATIENCE)
            row = {"disaster": "audio of another user", "where": where}
            row |= outcome(place, runner, expected, status)
        yield row | heal(place, runner, expected, **own)


def copy_of(work: Path, runner: str) -> Workplace:
    """Return a second checkout."""
    return make_project(work / f"second_{kind_of(runner)}", MODELS)


def clock_set_back(work: Path, runner: str) -> Iterator[Row]:
    """All files are of tomorrow: nothing reruns; what was removed is made again, older than its inputs."""
    place, expected = project(work, runner)
    ensure_built(place, runner, expected)
    into_future(place, runner)
    status = start(place, runner).wait(PATIENCE)
    row = {"disaster": "clock set back", "where": "nothing to do"} | outcome(place, runner, expected, status)
    yield row | {"ran": ran(place, runner), "healed": not status, "wrong": [], "left": []}
    pattern = "experiment/metrics.json" if kind_of(runner) == "dvc" else "results/**/metrics.json"
    for path in place.folder.glob(pattern):
        path.unlink()
    if kind_of(runner) == "snakemake":
        clear(place, RECORDS["snakemake"][0])  # its cache would bring the file back
    status = start(place, runner).wait(PATIENCE)
    row = {"disaster": "clock set back", "where": "evaluate again"} | outcome(place, runner, expected, status)
    yield (
        row | {"ran": ran(place, runner)} | heal(place, runner, expected) | {"ran after": ran(place, runner)}
    )


def ensure_built(place: Workplace, runner: str, expected: Undisturbed) -> None:
    """Build the project."""
    if not heal(place, runner, expected)["healed"]:
        clear(place, *everything(runner))
        if not heal(place, runner, expected)["healed"]:
            sys.exit(f"{runner} does not build: {printed(place)}")


def cache_deleted(work: Path, runner: str) -> Iterator[Row]:
    """The audio or the runner's cache is deleted while a later stage runs."""
    place, expected = project(work, runner)
    for name, stage in ((AUDIO, "spectrograms"), (RECORDS[kind_of(runner)][0], "train")):
        undo(place, runner, expected, stage)
        process = start(place, runner)
        wait_for_stage(process, stage)
        clear(place, name)
        status = process.wait(PATIENCE)
        row = {"disaster": "cache deleted", "where": f"{name} during {stage}"}
        row |= outcome(place, runner, expected, status) | heal(place, runner, expected)
        if name == AUDIO and not row["healed"]:
            take_hint(place, runner)
            row |= heal(place, runner, expected) | {"hint": True}
        yield row


def take_hint(place: Workplace, runner: str) -> None:
    """Rerun the download stage as the error about missing audio says: Snakemake's cache has its results."""
    if kind_of(runner) == "dvc":
        start(place, runner, "-f", "download").wait(PATIENCE)
    else:
        start(place, "snakemake, no cache", "-F", "data/synthetic/manifest.parquet").wait(PATIENCE)


DISASTERS: dict[str, Callable[[Path, str], Iterator[Row]]] = {
    "full_disk": full_disk,
    "full_cache": full_cache,
    "read_only": read_only,
    "memory": too_little_memory,
    "at_once": at_once,
    "both_runners": both_runners,
    "shared_cache": shared_cache,
    "clock": clock_set_back,
    "cache_deleted": cache_deleted,
}


def is_bad(row: Row) -> bool:
    """Whether a disaster was not survived as it should be."""
    return bool(row.get("traceback") or row.get("damaged") or not row.get("healed", True) or row.get("left"))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--disasters", nargs="+", choices=DISASTERS, default=list(DISASTERS))
    parser.add_argument("--runners", nargs="+", choices=BOTH, default=list(BOTH))
    parser.add_argument("--record", type=Path, required=True, help="JSON lines")
    parser.add_argument("--work", type=Path, help="keep the projects here, to continue with them")
    args = parser.parse_args()
    if os.name != "posix" or os.geteuid():
        sys.exit("this script mounts file systems: run it as root on Linux")
    work, done = work_folder(args.work), finished(args.record)
    for name in args.disasters:
        for runner in args.runners:
            if (name, runner) not in done:
                for row in DISASTERS[name](work, runner):
                    append_record(args.record, {"name": name, "runner": runner} | row)
                    print(row, flush=True)
                append_record(args.record, {"name": name, "runner": runner, "finished": True})
    if any(is_bad(row) for row in read_record(args.record) if "disaster" in row):
        sys.exit(1)


if __name__ == "__main__":
    main()
