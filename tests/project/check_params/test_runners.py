"""The jobs that Snakemake plans for a workflow of two rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from genredag.project.check_params.runners import Job, snakemake_jobs
from genredag.project.check_params.workplace import RunnerError, Workplace

SNAKEFILE = """
rule all:
    input: "b/x.txt"

rule a:
    output: "a/{name}.txt", "a/{name} and, more.txt"
    shell: "echo {wildcards.name} > {output[0]:q}"

rule b:
    input: "a/{name}.txt"
    output: "b/{name}.txt"
    shell: "cp {input} {output}"
"""


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    (tmp_path / "Snakefile").write_text(SNAKEFILE, encoding="utf-8")
    return Workplace(tmp_path)


def test_jobs_have_their_files_wildcards_and_commands(place: Workplace) -> None:
    a = Job("a", [], ["a/x.txt", "a/x and, more.txt"], {"name": "x"}, "echo x > a/x.txt")
    b = Job("b", ["a/x.txt"], ["b/x.txt"], {"name": "x"}, "cp a/x.txt b/x.txt")
    assert snakemake_jobs(place) == [a, b]
    assert not (place.folder / "a").exists()


def test_snakemake_errors_are_reported(place: Workplace) -> None:
    with pytest.raises(RunnerError, match="MissingRuleException"):
        snakemake_jobs(place, "c.txt")
