"""Two clean runs: does every stage make the same bytes again?

The small project of `tiny_runs.py`, with STFT, mel and CQT, is built twice by each runner, in two folders,
each with a cache and audio of its own. Snakemake's second build has three shards and two cores, so that jobs
run side by side and end in another order. All files are compared.

    python benchmarks/determinism.py --record docs/determinism.json

The script ends with status 1 if a file differs, or if one build makes a file that the other does not.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import yaml
from survival_page import DETERMINISM_RECORD
from tiny_runs import ROOT, build, hashes, make_project, work_folder

from genredag.params.groups.reading import read_tree
from genredag.project.check_params.plan import write_tree
from genredag.runtime.files import write_json

REPRESENTATIONS = ["stft", "mel", "cqt"]


def stages_of_files() -> dict[str, str]:
    """Return the stage that makes each file, by its name, from `dvc.yaml`; its plots are files, too."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    found = {}
    for stage, description in stages.items():
        for kind in ("outs", "metrics", "plots"):
            for out in description.get(kind, []):
                found[PurePosixPath(out if isinstance(out, str) else next(iter(out))).name] = stage
    return found


def compared(first: dict[str, str], second: dict[str, str]) -> dict[str, dict[str, int]]:
    """Return how many files each stage made, and how many differ."""
    stages = stages_of_files()
    files, differ = Counter(), Counter()
    for name in sorted(first | second):
        stage = stages.get(PurePosixPath(name).name, "audio and others")
        files[stage] += 1
        differ[stage] += first.get(name) != second.get(name)
        if first.get(name) != second.get(name):
            print("differs:", name, file=sys.stderr)
    return {stage: {"files": n, "different": differ[stage]} for stage, n in files.items()}


def builds(work: Path, runner: str) -> Iterator[dict[str, str]]:
    """Build the project twice and yield the hashes of all files."""
    again = ("--cores", "2", "--config", "shards=3") if runner == "snakemake" else ()
    for number, arguments in enumerate(((), again)):
        place = make_project(work / f"{runner}_{number}")
        tree = read_tree(place.folder / "params.yaml")
        tree["matrix"]["representation"] = REPRESENTATIONS
        write_tree(place.folder / "params.yaml", tree)
        build(place, runner, *arguments)
        yield hashes(place, runner)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--record", type=Path, default=DETERMINISM_RECORD)
    parser.add_argument("--work", type=Path, help="empty folder to build in (otherwise a temporary one)")
    args = parser.parse_args()
    work = work_folder(args.work)
    record = {runner: compared(*builds(work, runner)) for runner in ("snakemake", "dvc")}
    write_json(args.record, record)
    sys.exit(any(row["different"] for rows in record.values() for row in rows.values()))


if __name__ == "__main__":
    main()
