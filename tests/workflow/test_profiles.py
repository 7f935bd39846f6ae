"""The profiles: Snakemake takes them, and they name rules that exist."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PROFILES = sorted(path.parent.name for path in (ROOT / "profiles").glob("*/config.yaml"))
RULES = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "workflow/rules").glob("*.smk"))


CLUSTERS = ("kubernetes", "slurm")
# What Snakemake calls of Apptainer: it notes the call and runs the command where it is.
APPTAINER = """\
#!/bin/sh
[ "$1" = --version ] && { echo apptainer version 1.3.0; exit; }
echo "$@" | head -n 1 >> "$APPTAINER_LOG"
while [ "$1" != genredag.sif ]; do shift; done
shift
exec "$@"
"""


def read(profile: str) -> dict:
    return yaml.safe_load((ROOT / f"profiles/{profile}/config.yaml").read_text(encoding="utf-8"))


def rules(pattern: str) -> set[str]:
    """Return the names of the rules in whose text a pattern occurs."""
    texts = re.split(r"^rule (\w+):", RULES, flags=re.MULTILINE)[1:]
    return {name for name, text in zip(texts[::2], texts[1::2], strict=True) if re.search(pattern, text)}


@pytest.mark.parametrize("profile", sorted({*PROFILES} - {"kubernetes"}))
def test_snakemake_takes_it(toy, profile) -> None:
    done = toy.snakemake("--dry-run", "--workflow-profile", f"profiles/{profile}")
    printed = done.stdout + done.stderr
    assert f"workflow specific profile profiles/{profile}" in printed
    assert re.search(r"^train +4$", printed, flags=re.MULTILINE)


def test_snakemake_takes_the_profile_of_kubernetes(toy, tmp_path) -> None:
    for package in ("snakemake_executor_plugin_kubernetes", "snakemake_storage_plugin_s3"):
        pytest.importorskip(package)
    done = toy.run(
        *(sys.executable, "-m", "snakemake", "--dry-run", "--workflow-profile", "profiles/kubernetes"),
        # Instead of a bucket.
        *("--default-storage-provider", "shelf", "--default-storage-prefix", f"shelf:/{tmp_path}/shelf"),
        PYTHONPATH=os.pathsep.join([str(toy.folder / "src"), str(Path(__file__).with_name("plugins"))]),
    )
    assert re.search(r"^train +4$", done.stdout, flags=re.MULTILINE)


def test_a_container_runs_the_commands_that_run_without_one(toy, tmp_path) -> None:
    apptainer = tmp_path / "bin" / "apptainer"
    apptainer.parent.mkdir()
    apptainer.write_text(APPTAINER, encoding="utf-8")
    apptainer.chmod(0o755)
    toy.set("matrix.representation=[mel]", "matrix.model=[svm_rbf]")
    toy.run(
        *(sys.executable, "-m", "snakemake", "--cores", "2", "--sdm", "apptainer", "--until", "slices"),
        PATH=os.pathsep.join([str(apptainer.parent), str(Path(sys.executable).parent), os.environ["PATH"]]),
        APPTAINER_LOG=str(tmp_path / "log"),
    )
    assert toy.ran() == {"download": 1, "spectrograms": 1, "slices": 1}
    lines = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    assert [line.split()[:3] for line in lines] == [["exec", "--home", str(toy.folder)]] * 3
    assert all(" genredag.sif " in line for line in lines)


@pytest.mark.parametrize("name", CLUSTERS)
def test_on_a_cluster_no_rule_asks_for_all_cores(name) -> None:
    profile = read(name)
    assert profile["config"] == ["shards=16"]
    one_shard = rules(r"threads: .*workflow\.cores.* if SHARDS == 1 else 1\n")
    assert set(profile["set-threads"]) == rules(r"threads: .*workflow\.cores") - one_shard
    assert set(profile["groups"]) <= rules("")


@pytest.mark.parametrize("name", CLUSTERS)
def test_a_cluster_compares_files_and_restores_results_as_one_machine_does(name) -> None:
    alike = ("max-checksum-file-size", "cache", "rerun-incomplete", "quiet")
    one, cluster = read("default"), read(name)
    assert [one[key] for key in alike] == [cluster[key] for key in alike]
