"""Before anything else: the jobs' environment, the cache of results, and what a killed run left."""

import fcntl
import os
import sys
from pathlib import Path

STATE = Path(".snakemake").absolute()
STATE.mkdir(exist_ok=True)

# Jobs call `python`: the one that runs Snakemake, whether or not its environment is activated.
os.environ.update(
    PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
)
# Results of earlier parameters, which the profile's `cache` restores; data/ and results/ link into it.
CACHE = os.environ.setdefault(
    "SNAKEMAKE_OUTPUT_CACHE", str(Path(".cache/snakemake").absolute())
)
Path(CACHE).mkdir(parents=True, exist_ok=True)


def forget_dead_locks():
    """Remove the locks of a killed Snakemake; return a handle that tells others that this one lives.

    Each Snakemake in this folder holds a shared lock, which ends with its process: whoever gets an
    exclusive one is alone, and what lies in `.snakemake/locks` is left from the dead.
    """
    handle = (STATE / "alive").open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for lock in (STATE / "locks").glob("*.lock"):
            lock.unlink()
    except OSError:
        pass
    fcntl.flock(handle, fcntl.LOCK_SH)
    return handle


def forget_dead_links():
    """Remove links into a cache that was deleted or moved, which Snakemake takes for a failing disk."""
    for link in (
        file for root in ("data", "results") for file in Path(root).rglob("*")
    ):
        if link.is_symlink() and not link.exists():
            link.unlink()


if workflow.is_main_process:
    ALIVE = forget_dead_locks()
    forget_dead_links()
