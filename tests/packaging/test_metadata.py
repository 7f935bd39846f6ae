"""pyproject.toml, CITATION.cff, the changelog and the code agree about a release."""

from __future__ import annotations

import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement

from genredag.errors import EXTRAS


@pytest.fixture(scope="module")
def declared(project_dir):
    return tomllib.loads((project_dir / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.mark.parametrize("module", EXTRAS)
def test_an_extra_installs_the_packages_in_its_hint(declared, module):
    names = {Requirement(line).name for line in declared["optional-dependencies"][EXTRAS[module]]}
    assert module in names
    assert module not in {Requirement(line).name for line in declared["dependencies"]}


def test_all_contains_every_extra_that_the_lock_file_can_hold(declared):
    """Those of S3 and Kubernetes need older versions of others (docs/decisions/runners.md)."""
    (requirement,) = declared["optional-dependencies"]["all"]
    assert Requirement(requirement).extras == set(declared["optional-dependencies"]) - {
        "all",
        "dev",
        "s3",
        "kubernetes",
    }


def test_versions_agree(declared, project_dir):
    citation = yaml.safe_load((project_dir / "CITATION.cff").read_text(encoding="utf-8"))
    changelog = (project_dir / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.findall(r"^## (\d+\.\d+\.\d+) \(\d{4}-\d{2}-\d{2}\)$", changelog, flags=re.MULTILINE)[0]
    assert declared["version"] == citation["version"] == newest
