"""A small project that both runners build in a minute, and the hashes of all that they make.

The project is a copy of this one with the tiny parameters of `genredag check-params`: 100 synthetic tracks,
mel spectrograms, a support vector machine and a network of two epochs. Its scripts write 1 for every measured
second and a fixed date into the results, so that all files of two runs can be compared byte by byte.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from processes import descendants

from genredag.params.groups.reading import read_tree
from genredag.params.stages import STAGES
from genredag.project.check_params.plan import choice_of, write_tree
from genredag.project.check_params.tiny import tiny_tree
from genredag.project.check_params.workplace import PROJECT_FILES, Workplace, copy_project
from genredag.runtime.files import write_json, write_text

ROOT = Path(__file__).resolve().parents[1]
MODELS = ("cnn_370k", "svm_rbf")
# What is measured, or read from the clock, and the constant in its place.
MEASURED = {
    "train": ("timing | mark", "dict.fromkeys(timing, 1.0) | mark"),
    "report": ("date.today().isoformat()", '"2000-01-01"'),
}
RUNNERS = {
    "snakemake": (sys.executable, "-m", "snakemake", "--cores", "1"),
    "snakemake, no cache": (
        *(sys.executable, "-m", "snakemake", "--cores", "1", "--workflow-profile", "none"),
        *("--rerun-incomplete", "--max-checksum-file-size", "10GB"),
    ),
    "dvc": (sys.executable, "-m", "dvc", "repro"),
}
# What each runner writes, without its own records; the audio is in the user's cache.
AUDIO = ".genredag-cache"
OUTPUTS = {"snakemake": ("data", "results"), "dvc": ("experiment", "dvc.lock")}
RECORDS = {"snakemake": (".cache", ".snakemake", "logs"), "dvc": (".dvc/cache", ".dvc/tmp")}
# Files of caches are named by hashes of their contents or of what they are made from.
STARTING = "(runner)"
POLL = 0.03  # seconds
CACHES = {"snakemake": ".cache/snakemake", "dvc": ".dvc/cache/files"}


def kind_of(runner: str) -> str:
    """Return ``snakemake`` or ``dvc``."""
    return runner.partition(",")[0]


def make_project(folder: Path, models: Sequence[str] = MODELS) -> Workplace:
    """Write the small project to `folder`; DVC builds the first of `models`, Snakemake all of them."""
    place = copy_project(ROOT, folder)
    tree = read_tree(ROOT / "params.yaml")
    tree = tiny_tree(tree, {**choice_of(tree), "model": models[0]}, touched=[])
    tree["models"][MODELS[0]]["epochs"] = 2
    tree["matrix"]["model"] = list(models[::-1])
    write_tree(folder / "params.yaml", tree)
    for stage, (measured, constant) in MEASURED.items():
        script = folder / "workflow/scripts" / f"{stage}.py"
        text = script.read_text(encoding="utf-8")
        assert measured in text, f"{script.name} measures elsewhere"
        script.write_text(text.replace(measured, constant), encoding="utf-8")
    if not (folder / ".dvc").is_dir():
        place.dvc("init", "--no-scm", "--quiet")
    return place


def clear(place: Workplace, *names: str) -> None:
    """Remove files and folders of the project."""
    for name in names:
        path = place.folder / name
        shutil.rmtree(path, ignore_errors=True)
        with suppress(OSError):
            path.unlink()


def into_future(place: Workplace, runner: str) -> None:
    """Date everything that was made a day ahead, as if the clock had been set back since."""
    tomorrow = time.time() + 24 * 3600
    kind = kind_of(runner)
    for name in (*OUTPUTS[kind], *RECORDS[kind], AUDIO, "params.yaml"):
        root = place.folder / name
        for path in [root, *root.rglob("*")]:
            with suppress(OSError):
                os.utime(path, (tomorrow, tomorrow), follow_symlinks=False)


def start(
    place: Workplace, runner: str, *arguments: str, prefix: Sequence[str] = (), **variables: str
) -> psutil.Popen:
    """Start a runner in a process group of its own; its output goes to ``runner.log``.

    Parameters
    ----------
    prefix
        A program that runs it, such as ``setpriv``, with arguments.
    variables
        Of the environment.
    """
    with (place.folder / "runner.log").open("w") as log:
        return psutil.Popen(
            [*prefix, *RUNNERS[runner], *arguments],
            cwd=place.folder,
            env=place.environment() | variables,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def printed(place: Workplace) -> str:
    """Return what the last runner printed."""
    return (place.folder / "runner.log").read_text(encoding="utf-8", errors="replace")


def build(place: Workplace, runner: str, *arguments: str) -> None:
    """Run a runner that must succeed."""
    if start(place, runner, *arguments).wait():
        raise SystemExit(f"{runner} failed:\n{printed(place)}")


def stage_of(command: Sequence[str]) -> str:
    """Return the stage that a command runs, or "" if it runs none."""
    scripts = (re.search(r"workflow/scripts/([a-z_]+)\.py$", word) for word in command)
    return next((found[1] for found in scripts if found and found[1] in STAGES), "")


def running_stage(runner: psutil.Process) -> str:
    """Return the stage that a runner's child runs; "" between stages and before them."""
    for child in descendants(runner):
        with suppress(psutil.Error):
            if stage := stage_of(child.cmdline()):
                return stage
    return ""


def hashes(place: Workplace, kind: str) -> dict[str, str]:
    """Return the SHA-256 of every file that a runner made, following links, and of the audio.

    A link that leads nowhere has an empty hash.
    """
    found = {}
    for name in (*OUTPUTS[kind], AUDIO):
        root = place.folder / name
        for path in [root] if root.is_file() else sorted(root.rglob("*")):
            if not path.is_dir():
                content = path.read_bytes() if path.is_file() else None
                digest = "" if content is None else hashlib.sha256(content).hexdigest()
                found[path.relative_to(place.folder).as_posix()] = digest
    return found


def cached(place: Workplace, kind: str) -> set[str]:
    """Return the names of the files in a runner's cache."""
    root = place.folder / CACHES[kind]
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def differences(expected: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Return the files that are missing or differ."""
    return [name for name, digest in expected.items() if found.get(name) != digest]


def left_over(expected: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Return the files that an undisturbed run doesn't make."""
    return [name for name in found if name not in expected]


def work_folder(work: Path | None) -> Path:
    """Return an existing folder to work in, which other users can read."""
    if work is None:
        folder = Path(tempfile.mkdtemp(prefix="genredag-survival-"))
        folder.chmod(0o755)
        return folder
    work.mkdir(parents=True, exist_ok=True)
    return work.resolve()


@dataclass(frozen=True)
class Undisturbed:
    """What an undisturbed run makes: files with hashes, names in its cache, and the seconds of each stage."""

    files: dict[str, str]
    cache: list[str]
    seconds: dict[str, float]


def undisturbed(place: Workplace, runner: str) -> Undisturbed:
    """Build the project from nothing, and note how long each stage runs."""
    kind, seconds, began = kind_of(runner), defaultdict(list), time.monotonic()
    clear(place, *OUTPUTS[kind], *RECORDS[kind], AUDIO)
    process, stage = start(place, runner), STARTING
    while process.poll() is None:
        now = running_stage(process)
        if now != stage and (now or stage != STARTING):
            seconds[stage].append(time.monotonic() - began)
            began, stage = time.monotonic(), now
        time.sleep(POLL)
    if process.returncode:
        raise SystemExit(f"{runner} failed:\n{printed(place)}")
    medians = {name: statistics.median(each) for name, each in seconds.items()}
    return Undisturbed(hashes(place, kind), sorted(cached(place, kind)), medians)


def reference(work: Path, runner: str, models: Sequence[str] = MODELS) -> tuple[Workplace, Undisturbed]:
    """Return a project for a runner and what its undisturbed run makes, which is made once."""
    folder = work / runner.replace(", ", "_").replace(" ", "_")
    place = make_project(folder, models)
    kept = folder / f"undisturbed-{fingerprint(place)}.json"
    if not kept.is_file():
        write_json(kept, vars(undisturbed(place, runner)))
    return place, Undisturbed(**json.loads(kept.read_text(encoding="utf-8")))


def fingerprint(place: Workplace) -> str:
    """Return a hash of the code and the parameters of a project."""
    digest = hashlib.sha256()
    for name in PROJECT_FILES:
        root = place.folder / name
        for path in [root] if root.is_file() else sorted(root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(path.relative_to(place.folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def read_record(path: Path) -> list[dict]:
    """Return the builds of a record; the last line may be torn."""
    if not path.is_file():
        return []
    whole = path.read_text(encoding="utf-8").split("\n")[:-1]
    return [json.loads(line) for line in whole]


def append_record(path: Path, line: dict) -> None:
    """Add a line to a record."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


def message(text: str) -> str:
    """Return the first error that a user reads in what a runner printed."""
    lines = [line.strip() for line in text.splitlines()]
    ours = [line for line in lines if line.startswith("genredag: error: ")]
    others = [line for line in lines if re.search("error|killed|exception", line, re.IGNORECASE)]
    found = next(iter(ours or others), "")
    after = lines[lines.index(found) + 1 :] if re.fullmatch(r"\w+Exception:", found) else []
    return " ".join([found, *after[:1]])


def wait_for_stage(process: psutil.Popen, stage: str) -> None:
    """Wait until a runner runs a stage, or has ended."""
    while running_stage(process) != stage and process.poll() is None:
        time.sleep(POLL)


def script_of(runner: psutil.Process, stage: str) -> psutil.Process | None:
    """Return the process of a stage's script, not the shell around it."""
    for child in descendants(runner):
        with suppress(psutil.Error):
            if stage_of(child.cmdline()[:2]) == stage:
                return child
    return None


def ran(place: Workplace, runner: str) -> int:
    """Return how many jobs the last run started."""
    text = printed(place)
    return text.count("Running stage") - 1 if kind_of(runner) == "dvc" else text.count("\nJob ")


def finished(record: Path) -> set[tuple[str, str]]:
    """Return the disasters and runners of a record that are finished; remove the rows of others."""
    lines = read_record(record)
    done = {(line["name"], line["runner"]) for line in lines if line.get("finished")}
    kept = [line for line in lines if (line["name"], line["runner"]) in done]
    if kept != lines:
        write_text(record, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in kept))
    return done
