"""The provenance of a report: parameters, code, libraries, machine."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from genredag.runtime.provenance import read_commit, read_versions


@dataclass(frozen=True)
class WhatRan:
    """The provenance of a report.

    Parameters
    ----------
    params_text
        The text of ``params.yaml``.
    commit
        The commit of the code; None outside a git checkout.
    versions
        Versions of Python and of each library, by name.
    """

    date: str
    params_text: str
    commit: str | None
    versions: dict[str, str]
    machine: str


def read_what_ran(params: Path, date: str) -> WhatRan:
    """Read the parameters, the commit, the package versions and the machine."""
    return WhatRan(
        date=date,
        params_text=Path(params).read_text(encoding="utf-8"),
        commit=read_commit(),
        versions=read_versions(),
        machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs",
    )
