"""Provenance of results: the commit of the code and the versions of the libraries."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("genredag", "keras", "tensorflow", "tensorflow-cpu", "jax", "scikit-learn", "librosa", "numpy")


def read_versions() -> dict[str, str]:
    """Return the versions of Python and of the installed packages that results depend on."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def read_commit() -> str | None:
    """Return the commit that this code was checked out from; None outside a checkout."""
    here = Path(__file__)
    git = ["git", "-C", str(here.parent)]
    try:
        # genredag may be installed inside another project's checkout, which does not track this file.
        subprocess.run([*git, "ls-files", "--error-unmatch", here.name], check=True, capture_output=True)
        head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return head.stdout.strip()


def read_commit_date(commit: str) -> str | None:
    """Return the day of a commit, for example ``2024-05-31``; None if this code's repository lacks it."""
    git = ["git", "-C", str(Path(__file__).parent), "show", "--no-patch", "--format=%cs"]
    try:
        shown = subprocess.run([*git, "--end-of-options", commit], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return shown.stdout.strip()
