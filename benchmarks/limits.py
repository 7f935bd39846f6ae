"""What a machine can withhold from a run: room on its disk, rights, and memory. Needs root on Linux."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil

from genredag.project.check_params.workplace import Workplace

NOBODY = 65534
DISK_MB = 64
MOUNTED = ".mounted"  # a file in each mount point: Snakemake tries to remove empty folders


@contextmanager
def mounted(*arguments: str | Path) -> Iterator[None]:
    """Mount something while the block runs."""
    subprocess.run(["mount", *map(str, arguments)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(arguments[-1])], check=True)


@contextmanager
def small_disk(place: Workplace, *names: str) -> Iterator[Path]:
    """Have folders of the project on a small disk; yield the file that fills it."""
    with ExitStack() as stack:
        disk = place.folder / "disk"
        disk.mkdir(exist_ok=True)
        stack.enter_context(mounted("-t", "tmpfs", "-o", f"size={DISK_MB}m", "none", disk))
        for name in names:
            for folder in (disk / name, place.folder / name):
                folder.mkdir(parents=True, exist_ok=True)
            (disk / name / MOUNTED).touch()
            stack.enter_context(mounted("--bind", disk / name, place.folder / name))
        yield disk / "filler"


def fill(filler: Path, room_kb: int) -> None:
    """Fill a disk up to some kilobytes."""
    filler.unlink(missing_ok=True)
    free = os.statvfs(filler.parent)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, free.f_bavail * free.f_frsize - room_kb * 1024))


@contextmanager
def owned_by_nobody(place: Workplace, but: Path) -> Iterator[None]:
    """Give the project to another user, but one folder."""
    subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", place.folder], check=True)
    subprocess.run(["chown", "root:root", but], check=True)
    try:
        yield
    finally:
        subprocess.run(["chown", "-R", "root:root", place.folder], check=True)


def as_nobody(place: Workplace) -> dict:
    """Return the arguments with which a runner is another user's."""
    user = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--")
    if subprocess.run([*user, "env", sys.executable, "-c", ""], check=False).returncode:
        sys.exit(f"another user can't run {sys.executable}: install Python where all may read it")
    home = Path(tempfile.gettempdir(), f"genredag-nobody-{os.getpid()}")
    home.mkdir(exist_ok=True)
    os.chown(home, NOBODY, NOBODY)
    return {"prefix": user, "HOME": str(home)}


@contextmanager
def limit_memory(process: psutil.Process) -> Iterator[None]:
    """Limit the addresses of a process, as `ulimit -v` does."""
    process.rlimit(psutil.RLIMIT_AS, (600 << 20, 600 << 20))
    yield


@contextmanager
def kill_for_memory(process: psutil.Process) -> Iterator[None]:
    """Limit the memory of a process as a container or Slurm does: the system kills it."""
    group = Path(f"/sys/fs/cgroup/memory/genredag-{os.getpid()}")
    group.mkdir()
    (group / "memory.limit_in_bytes").write_text(str(80 << 20))
    with suppress(OSError):
        (group / "memory.swappiness").write_text("0")
    (group / "cgroup.procs").write_text(str(process.pid))
    try:
        yield
    finally:
        time.sleep(1)
        with suppress(OSError):
            group.rmdir()
