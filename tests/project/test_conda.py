"""The environment of `snakemake --sdm conda`: pins from the lock file, for one Python version."""

from __future__ import annotations

import re

import pytest
import yaml

from genredag.project.conda import conda_environment

LOCK = """\
a==1 \\
    --hash=sha256:00
    # via genredag (pyproject.toml)
b==2 ; python_full_version < '3.12' \\
    --hash=sha256:00
    # via
    #   a
    #   runner
b==3 ; python_full_version >= '3.12' \\
    --hash=sha256:00
    # via
    #   a
    #   runner
c==4 ; platform_machine == 'x86_64' and sys_platform == 'linux' \\
    --hash=sha256:00
    # via b
runner==5 \\
    --hash=sha256:00
    # via genredag (pyproject.toml)
windows==6 ; sys_platform == 'win32' \\
    --hash=sha256:00
    # via a
"""
PROJECT = """\
[project]
dependencies = ["a>=1"]
[project.optional-dependencies]
workflow = ["runner"]
tensorflow = []
report = []
"""


def pins_of(environment: str) -> list[str]:
    return yaml.safe_load(environment)["dependencies"][-1]["pip"]


def test_pins_the_packages_that_jobs_import_for_one_python(tmp_path):
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "requirements.lock").write_text(LOCK)
    assert pins_of(conda_environment(tmp_path)) == [
        "a==1",
        "b==2",
        "c==4 ; platform_machine == 'x86_64' and sys_platform == 'linux'",
    ]


@pytest.fixture(scope="module")
def pins(project_dir):
    return pins_of(conda_environment(project_dir))


def test_no_package_is_pinned_twice_and_none_for_another_python(pins):
    assert len({re.split("[=;]", pin)[0] for pin in pins}) == len(pins) > 50
    assert [pin for pin in pins if "python" in pin.partition(";")[2]] == []


def test_pins_match_the_lock(pins, project_dir):
    lock = "\n" + (project_dir / "requirements.lock").read_text(encoding="utf-8")
    assert [pin for pin in pins if f"\n{pin.partition(' ;')[0]} " not in lock] == []


def test_includes_what_stages_import_but_no_runner(pins):
    names = {pin.partition("==")[0] for pin in pins}
    assert {"keras", "librosa", "matplotlib", "statsmodels", "tensorflow-cpu", "tabulate"} <= names
    assert names.isdisjoint({"snakemake", "dvc", "genredag", "pytest"})
