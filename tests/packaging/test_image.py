"""The image of the pipeline: what envs/Dockerfile copies exists, and its lock is that of the project."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from genredag.project.conda import PYTHON, read_pins

# boto forbids newer versions.
OLDER = {"python-dateutil"}


@pytest.fixture(scope="module")
def dockerfile(project_dir: Path) -> str:
    return (project_dir / "envs/Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")


def pins(lock: Path) -> dict[str, set[str]]:
    """Return the pins of each package in a lock file; its versions may differ by platform."""
    found: dict[str, set[str]] = {}
    for pin in read_pins(lock):
        found.setdefault(pin.name, set()).add(str(pin.requirement.specifier))
    return found


def test_it_copies_files_that_exist_and_reach_the_builder(dockerfile, project_dir):
    ignored = (project_dir / "envs/Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    lines = re.findall(r"^COPY (?!--from)(.*)$", dockerfile, re.M)
    copied = {name for line in lines for name in line.split()[:-1]}
    assert copied == {line[1:] for line in ignored if line.startswith("!")}
    assert all((project_dir / name).exists() for name in copied)


def test_its_python_and_uv_are_ours(dockerfile, project_dir):
    declared = tomllib.loads((project_dir / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (uv,) = [line for line in declared["optional-dependencies"]["dev"] if line.startswith("uv==")]
    assert uv in dockerfile
    assert set(re.findall(r"^FROM python:([0-9.]+)-slim", dockerfile, re.M)) == {PYTHON}


def test_its_lock_has_the_versions_of_the_project_and_hashes(project_dir):
    ours, image = pins(project_dir / "requirements.lock"), pins(project_dir / "envs/cluster.lock")
    assert {name for name in ours.keys() & image.keys() if not image[name] <= ours[name]} == OLDER
    assert image.keys() >= {"snakemake", "dvc", "tensorflow-cpu", "matplotlib", "dvc-s3"}
    assert image.keys() >= {"snakemake-storage-plugin-s3", "snakemake-executor-plugin-kubernetes"}
    text = (project_dir / "envs/cluster.lock").read_text(encoding="utf-8")
    assert "://" not in text
    assert all("--hash=sha256:" in block for block in re.split(r"^(?=\w)", text, flags=re.M)[1:])


def test_its_lock_has_the_direct_dependencies_of_its_extras(project_dir):
    declared = tomllib.loads((project_dir / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [declared["optional-dependencies"][name] for name in ("workflow", "tensorflow", "report", "s3")]
    lines = [line for group in (declared["dependencies"], *extras) for line in group]
    image = pins(project_dir / "envs/cluster.lock")
    assert {canonicalize_name(Requirement(line).name) for line in lines} <= {*image}


def test_the_plugin_of_each_job_is_installed_from_the_image(dockerfile, project_dir):
    """Snakemake installs the plugin of the storage in each pod: without network, and as locked."""
    (variables,) = re.findall(r"^ENV (.*)$", dockerfile, re.M)
    assert {"PIP_NO_INDEX=1", "PIP_NO_DEPS=1", "PIP_FIND_LINKS=/opt/plugins"} <= set(variables.split())
    profile = yaml.safe_load((project_dir / "profiles/kubernetes/config.yaml").read_text(encoding="utf-8"))
    (volume,) = profile["kubernetes-persistent-volumes"]
    assert f"GENREDAG_CACHE={volume.partition(':')[2]}" in variables.split()
    assert f"snakemake-storage-plugin-{profile['default-storage-provider']}==" in dockerfile
