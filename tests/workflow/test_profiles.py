"""The profiles: Snakemake takes them, and they name rules that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PROFILES = sorted(path.parent.name for path in (ROOT / "profiles").glob("*/config.yaml"))
RULES = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "workflow/rules").glob("*.smk"))


def rules(pattern: str) -> set[str]:
    """Return the names of the rules in whose text a pattern occurs."""
    texts = re.split(r"^rule (\w+):", RULES, flags=re.MULTILINE)[1:]
    return {name for name, text in zip(texts[::2], texts[1::2], strict=True) if re.search(pattern, text)}


@pytest.mark.parametrize("profile", PROFILES)
def test_snakemake_takes_it(toy, profile) -> None:
    done = toy.snakemake("--dry-run", "--workflow-profile", f"profiles/{profile}")
    printed = done.stdout + done.stderr
    assert f"workflow specific profile profiles/{profile}" in printed
    assert re.search(r"^train +4$", printed, flags=re.MULTILINE)


def test_on_a_cluster_no_rule_asks_for_all_cores() -> None:
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text(encoding="utf-8"))
    assert set(profile["set-threads"]) == rules(r"threads: .*workflow\.cores")
    assert set(profile["groups"]) <= rules("")


def test_a_cluster_compares_files_and_restores_results_as_one_machine_does() -> None:
    profiles = [
        yaml.safe_load((ROOT / f"profiles/{name}/config.yaml").read_text(encoding="utf-8"))
        for name in ("default", "slurm")
    ]
    alike = ("max-checksum-file-size", "cache", "rerun-incomplete", "quiet")
    assert [profiles[0][key] for key in alike] == [profiles[1][key] for key in alike]
