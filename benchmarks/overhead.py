"""Overheads of the runners: a dry run of the full matrix, runs with nothing to do, and the start of a stage.

The full matrix is every model on every representation that it can take, on the synthetic data set. Runs with
nothing to do are of the small project of `tiny_runs.py`, after it was built. Each command is timed several
times; CPU seconds are those of all its processes. The peer is a Python that only imports Snakemake, or DVC.

    python benchmarks/overhead.py --repeats 5 --output overhead.json
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from tiny_runs import ROOT, RUNNERS, build, make_project

from genredag.models.catalogue import ids_of
from genredag.params.groups.reading import read_tree
from genredag.params.loading import parse_params
from genredag.project.check_params.plan import write_tree
from genredag.project.check_params.workplace import Workplace, copy_project
from genredag.runtime.files import write_json

Row = dict[str, str | float]
# A stage that needs no TensorFlow, as far as its own arguments.
STAGE = ("workflow/scripts/slices.py", "--help")


def timed(place: Workplace, command: Sequence[str], repeats: int) -> tuple[float, float, str]:
    """Return the median wall and CPU seconds of a command, and what it printed."""
    walls, cpus, text = [], [], ""
    for _ in range(repeats):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(
            command, cwd=place.folder, env=place.environment(), capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        walls.append(time.perf_counter() - start)
        cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        text = done.stdout + done.stderr
    return median(walls), median(cpus), text


def row(what: str, place: Workplace, command: Sequence[str], repeats: int) -> Row:
    """Time a command; a dry run also tells its number of jobs."""
    wall, cpu, text = timed(place, command, repeats)
    totals = [line.split()[1] for line in text.splitlines() if line.startswith("total ")]
    print(f"{what}: {wall:.2f} s, {cpu:.2f} s of CPU", flush=True)
    return {
        "what": what,
        "jobs": int(totals[-1]) if totals else "",
        "wall_seconds": round(wall, 2),
        "cpu_seconds": round(cpu, 2),
    }


def full_matrix(folder: Path) -> Workplace:
    """Write a project whose matrix is every model, on every representation."""
    place = copy_project(ROOT, folder)
    tree = read_tree(ROOT / "params.yaml")
    tree["matrix"]["model"] = ids_of(parse_params(tree).models, published=False)
    tree["matrix"]["representation"] = list(tree["representations"])
    write_tree(folder / "params.yaml", tree)
    return place


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--params", type=Path, help="ignored; all benchmarks have it")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--output", type=Path, help="JSON file for the results")
    args = parser.parse_args()
    os.environ["PYTHONDONTWRITEBYTECODE"] = ""
    rows, python, snakemake = [], sys.executable, [sys.executable, "-m", "snakemake"]
    with tempfile.TemporaryDirectory() as folder:
        full = full_matrix(Path(folder) / "full")
        imports = [python, "-c", "import snakemake.cli, snakemake.workflow"]
        rows.append(row("snakemake -n, full matrix", full, [*snakemake, "-n"], args.repeats))
        rows.append(row("peer: import snakemake", full, imports, args.repeats))
        tiny = make_project(Path(folder) / "tiny")
        for runner in ("snakemake", "dvc"):
            build(tiny, runner)
        rows.append(row("snakemake, nothing to do", tiny, RUNNERS["snakemake"], args.repeats))
        rows.append(row("dvc repro, nothing to do", tiny, RUNNERS["dvc"], args.repeats))
        imports = [python, "-c", "import dvc.cli, dvc.repo.reproduce"]
        rows.append(row("peer: import dvc", tiny, imports, args.repeats))
        rows.append(row("a stage without TensorFlow starts", tiny, [python, *STAGE], args.repeats))
    if args.output:
        write_json(args.output, rows)


if __name__ == "__main__":
    main()
