"""The page of what survives: the records of `kill_runs.py`, `disasters.py` and `determinism.py` as tables.

python benchmarks/survival_page.py
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import shorten

from disasters import BOTH, DISASTERS
from kill_runs import RESTORING
from tiny_runs import ROOT, STARTING, read_record

from genredag.evaluation.markdown import markdown_table
from genredag.params.stages import STAGES
from genredag.runtime.files import write_text

KILL_RECORD, DISASTER_RECORD, DETERMINISM_RECORD, PAGE = (
    ROOT / "docs" / name for name in ("kills.jsonl", "disasters.jsonl", "determinism.json", "survival.md")
)
HEAD = """\
# What a run survives

Made by `benchmarks/survival_page.py` from the records of `benchmarks/kill_runs.py` and
`benchmarks/disasters.py`, whose heads say how to run them. Both build a small project: 100 synthetic tracks,
mel spectrograms, a support vector machine and, for the kills, a network. Its scripts write constants for
measured seconds and for the date, so that all other bytes of two runs must be the same.

A run that was interrupted can simply be started again. No unlocking is needed.
"""
KILLED = """\
## Kills

Each build was killed several times (SIGKILL), at random moments, the runner alone or with all its processes,
and started again at once. The last run was left to finish. Then every file was compared with that of an
undisturbed run. *Restoring* builds take all results from the runner's cache.

DVC writes `dvc.lock` and `.dvc/tmp/rwlock` in place. Killed at that moment, it leaves an empty file that it
refuses to read: `'./dvc.lock' validation failed`, or `Unable to read RWLock-file '.dvc/tmp/rwlock'`. The last
column counts how often the benchmark removed such a file, as a user must, before it ran DVC again.
"""
STAGES_KILLED = "The stage that was running when a run was killed:\n"
DISASTROUS = """\
## Disasters

*Damaged* are files with a final name and wrong contents, after the disaster. Then its cause was removed. The
next run heals if it makes all files of an undisturbed run; *left over* are files that are still there and
that an undisturbed run does not make.
"""

TWICE = """\
## Two clean runs

`benchmarks/determinism.py` builds the project twice from nothing, in two folders on one machine, with STFT,
mel and CQT. Snakemake has one core and no shards, then two cores and three shards. Every file of both builds
is compared.
"""


def determinism_rows(record: Mapping[str, Mapping[str, Mapping[str, int]]]) -> Iterator[list[str]]:
    """Yield how many files each stage made, and how many of them differ, with each runner."""
    names = dict.fromkeys(stage for rows in record.values() for stage in rows)
    for stage in sorted(names, key=[*STAGES, *names].index):
        rows = (record[runner].get(stage, {"files": 0, "different": 0}) for runner in BOTH)
        yield [stage, *(str(row[key]) for row in rows for key in ("files", "different"))]


def kill_rows(lines: Sequence[dict]) -> Iterator[list[str]]:
    """Yield a row for each scenario, and their sum."""
    names = list(dict.fromkeys(line["scenario"] for line in lines))
    for name in [*names, "all"]:
        own = [line for line in lines if name in (line["scenario"], "all")]
        kills = [kill for line in own for kill in line["kills"]]
        alone = sum(not kill["with_children"] for kill in kills)
        left = sum(len(line["left_over"]) + len(line["left_in_cache"]) for line in own)
        counts = [len(own), len(kills), alone, sum(line["files"] for line in own)]
        counts += [sum(len(line["differences"]) for line in own), left]
        counts += [sum(len(line.get("torn", [])) for line in own)]
        yield [name, *(f"{count:,}" for count in counts)]


def stage_rows(lines: Sequence[dict]) -> Iterator[list[str]]:
    """Yield how often each runner was killed in each stage."""
    found: Counter[tuple[str, str]] = Counter()
    for line in lines:
        runner, _, how = line["scenario"].partition(", ")
        for kill in line["kills"]:
            restores = how == "restoring" and kill["stage"] == STARTING
            found[RESTORING if restores else kill["stage"], runner] += 1
    names = {
        STARTING: "none: the runner starts, or is between stages",
        RESTORING: "none: results are restored",
    }
    for stage in (*STAGES, *names):
        name = names.get(stage, stage)
        yield [name, *(str(found[stage, runner]) for runner in ("snakemake", "dvc"))]


def disaster_rows(lines: Sequence[dict]) -> Iterator[list[str]]:
    """Yield a row for each run that met a disaster."""
    for row in (line for line in lines if "disaster" in line):
        failed = (
            f"{row['status']}: {shorten(row['message'], 240)}" if row.get("status") else "none; it finishes"
        )
        if row.get("traceback"):
            failed += " (after a traceback)"
        healed = {True: "yes", False: "no", None: "in a later row"}[row.get("healed")]
        healed += ", after the command in the hint" if row.get("hint") else ""
        numbers = (str(len(row.get(key, []))) for key in ("damaged", "left"))
        yield [row["disaster"], row["where"], row["runner"], failed, *numbers, healed]


def missing(lines: Sequence[dict]) -> str:
    """Return a sentence that names the disasters that no run has met yet, or ""."""
    done = {(line["name"], line["runner"]) for line in lines if line.get("finished")}
    names = [f"`{name}` ({runner})" for name in DISASTERS for runner in BOTH if (name, runner) not in done]
    return f"Not recorded yet: {', '.join(names)}.\n" if names else ""


def page(kills: Sequence[dict], disasters: Sequence[dict], determinism: Mapping[str, dict]) -> str:
    """Return the page as Markdown."""
    columns = ["runner", "builds", "kills", "of the runner alone", "files compared", "different", "left over"]
    columns += ["removed by hand"]
    tables = [markdown_table(kill_rows(kills), columns, "lrrrrrrr")]
    tables += [markdown_table(stage_rows(kills), ["stage", "Snakemake", "DVC"], "lrr")]
    columns = [
        "disaster",
        "where",
        "runner",
        "exit status and message",
        "damaged",
        "left over",
        "next run heals",
    ]
    tables += [markdown_table(disaster_rows(disasters), columns, "llllrrl")]
    parts = [HEAD, KILLED, tables[0] + "\n", STAGES_KILLED, tables[1] + "\n", DISASTROUS, tables[2] + "\n"]
    columns = ["stage", "Snakemake: files", "different", "DVC: files", "different"]
    twice = [TWICE, markdown_table(determinism_rows(determinism), columns, "lrrrr") + "\n"]
    return "\n".join([*parts, *filter(None, [missing(disasters)]), *(twice if determinism else [])])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=Path, default=KILL_RECORD)
    parser.add_argument("--disasters", type=Path, default=DISASTER_RECORD)
    parser.add_argument("--determinism", type=Path, default=DETERMINISM_RECORD)
    parser.add_argument("--page", type=Path, default=PAGE)
    args = parser.parse_args()
    found = args.determinism
    determinism = json.loads(found.read_text(encoding="utf-8")) if found.is_file() else {}
    write_text(args.page, page(read_record(args.kills), read_record(args.disasters), determinism))


if __name__ == "__main__":
    main()
