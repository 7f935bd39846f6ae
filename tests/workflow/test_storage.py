"""Snakemake with a default storage, as on clusters whose nodes share no folder; here it is a folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from genredag.params.stages import STAGES

PLUGINS = Path(__file__).with_name("plugins")
ALL_TARGETS = ("all", "leakage_audit", "as_published", "robustness", "label_issues", "learning_curves")
ALL_TARGETS += ("feature_tables", "pictures")


def snakemake(toy, shelf: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Snakemake with `shelf` as its storage."""
    storage = ("--default-storage-provider", "shelf", "--default-storage-prefix", f"shelf:/{shelf}")
    return toy.run(
        *(sys.executable, "-m", "snakemake", "--cores", "2", *storage, *arguments),
        PYTHONPATH=os.pathsep.join([str(toy.folder / "src"), str(PLUGINS)]),
    )


def test_every_target_plans_the_jobs_that_it_plans_without_a_storage(toy, tmp_path) -> None:
    def jobs(done: subprocess.CompletedProcess[str]) -> set[tuple[str, str]]:
        return set(re.findall(r"^(\w+) +(\d+)$", done.stdout, flags=re.MULTILINE))

    planned = jobs(snakemake(toy, tmp_path / "shelf", "--dry-run", *ALL_TARGETS))
    assert planned == jobs(toy.snakemake("--dry-run", "--cores", "2", *ALL_TARGETS))
    assert {rule for rule, _ in planned} >= {*ALL_TARGETS, *STAGES}


@pytest.mark.slow
def test_results_are_in_the_storage_and_nothing_is_built_twice(toy, tmp_path) -> None:
    toy.set("matrix.representation=[mel]", "matrix.model=[svm_rbf]")
    shelf, once = tmp_path / "shelf", Counter(STAGES)
    done = snakemake(toy, shelf)
    assert toy.ran() == once
    assert f"Ready to open in a browser: shelf:/{shelf}/results/report.html" in done.stdout
    assert not any((toy.folder / name).exists() for name in ("data", "results", "logs"))
    assert "Nothing to be done" in snakemake(toy, shelf).stderr
    # Going back to earlier parameters restores the results from the cache, which is in the storage.
    toy.set("slices.overlap=0.25")
    snakemake(toy, shelf)
    assert toy.ran() == once - Counter(["download", "spectrograms"])
    toy.set("slices.overlap=0.5")
    snakemake(toy, shelf)
    assert toy.ran() == Counter()
    # The files are those of a run without a storage.
    toy.snakemake("--cores", "2")
    runs = [path.relative_to(toy.folder) for path in toy.folder.glob("results/*/*/*/*/*/*.*")]
    assert len(runs) == 16
    assert [file for file in runs if (shelf / file).read_bytes() != (toy.folder / file).read_bytes()] == []
