"""Fixtures that every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def project_dir() -> Path:
    """The project's root."""
    return ROOT


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The team's library of real audio beside the project; tests that need it are skipped without it."""
    shared = ROOT.parent / "shared"
    if not (shared / "gtzan_mini").is_dir():
        pytest.skip("no shared library of real audio beside the project")
    return shared


@pytest.fixture
def tree() -> dict:
    """Give the values of params.yaml, to be changed by a test and parsed with `parse_params`."""
    return yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
