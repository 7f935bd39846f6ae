"""Processes that are killed, and those that they started."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import psutil


def descendants(process: psutil.Process) -> list[psutil.Process]:
    """Return what a process started, and what that started; the process may be gone."""
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def kill(process: psutil.Popen, with_children: bool) -> list[psutil.Process]:
    """Kill a program; return its children. It may have ended before."""
    if process.poll() is not None:
        return []
    children = descendants(process)
    for child in children if with_children else []:
        with suppress(psutil.NoSuchProcess):
            child.kill()
    process.kill()
    process.wait()
    return children


def n_alive(processes: Sequence[psutil.Process]) -> int:
    """Return how many processes still run after a minute."""
    _, left = psutil.wait_procs(processes, timeout=60)
    n = 0
    for process in left:
        with suppress(psutil.NoSuchProcess):
            n += process.status() != psutil.STATUS_ZOMBIE
    return n
