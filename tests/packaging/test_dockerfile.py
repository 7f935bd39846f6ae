"""The Dockerfile of the app names files, extras and versions that exist, and doesn't run as root."""

from __future__ import annotations

import re
import tomllib

import pytest


@pytest.fixture(scope="module")
def dockerfile(project_dir):
    return (project_dir / "envs" / "app.Dockerfile").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def declared(project_dir):
    return tomllib.loads((project_dir / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_it_copies_files_that_exist_and_reach_the_builder(dockerfile, project_dir):
    ignored = (project_dir / "envs" / "app.Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    copied = {
        name for line in re.findall(r"^COPY (?!--from)(.*)$", dockerfile, re.M) for name in line.split()[:-1]
    }
    assert copied == {line[1:] for line in ignored if line.startswith("!")}
    assert all((project_dir / name).exists() for name in copied)


def test_it_copies_what_the_wheel_is_built_from(dockerfile, project_dir, declared):
    build = tomllib.loads((project_dir / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"][
        "build"
    ]
    for name in (declared["readme"], *build["targets"]["wheel"]["force-include"]):
        assert re.search(rf"^COPY .*\b{re.escape(name)}\b", dockerfile, re.M)


def test_its_python_and_uv_are_ours(dockerfile, declared, project_dir):
    assert (
        f"uv=={re.search(r'uv==([0-9.]+)', str(declared['optional-dependencies']['dev']))[1]}" in dockerfile
    )
    conda = (project_dir / "envs" / "genredag.yaml").read_text(encoding="utf-8")
    version = re.search(r"python=([0-9.]+)", conda)[1]
    assert set(re.findall(r"^FROM python:([0-9.]+)-slim", dockerfile, re.M)) == {version}


def test_it_does_not_run_as_root(dockerfile):
    user, *rest = re.split(r"^USER (\w+)$", dockerfile, flags=re.M)[1:]
    assert user == "genredag" and "RUN" not in rest[0] and "ENTRYPOINT" in rest[0]
