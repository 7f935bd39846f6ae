"""First steps: locations, the jobs' environment, the cache of results, cleaning up after a killed run."""

import fcntl
import gc
import os
import re
import sys
from pathlib import Path

from snakemake.sourcecache import LocalSourceFile

from genredag.errors import exits_cleanly
from genredag.runtime.files import check_writable

# Snakemake keeps its jobs until it ends: collections that search them for garbage took a sixth of a dry run.
gc.freeze()
gc.set_threshold(20_000)

# The user's parameters, in the folder where Snakemake runs; `snakedeploy` puts them into config/.
PARAMS_FILE = next(
    (path for path in ("params.yaml", "config/config.yaml") if Path(path).is_file()),
    "params.yaml",
)
# Every rule runs in this environment. The path is relative to the rule files.
ENVIRONMENT = "../../envs/genredag.yaml"
# The folders of a data set, its frames, a shard of either, a split and a run. A split without folds has an empty
# `fold`.
DATASET = "data/{dataset}"
FRAMES = "data/{dataset}/{representation}"
SHARD = "shards/{shard}-of-{n_shards}"
SPLIT = "data/{dataset}/{representation}/{split}{fold}/{seed}"
CHOICE = "{dataset}/{representation}/{model}/{split}{fold}/{seed}"
RUN = f"results/{CHOICE}"


STATE = Path(".snakemake").absolute()
# Results of earlier parameters, which `cache` in the profile restores; data/ and results/ contain links to it.
# With a default storage, such as S3, it is there too.
STORAGE = (
    workflow.storage_settings.default_storage_provider
    and workflow.storage_settings.default_storage_prefix
)
CACHE = os.environ.setdefault(
    "SNAKEMAKE_OUTPUT_CACHE",
    (
        f"{STORAGE.rstrip('/')}/.cache/snakemake"
        if STORAGE
        else str(Path(".cache/snakemake").absolute())
    ),
)


@exits_cleanly
def make_folders():
    """Create the folders of Snakemake's state and of the cache, unless that is in a storage."""
    for folder in [STATE] if STORAGE else [STATE, Path(CACHE)]:
        folder.mkdir(parents=True, exist_ok=True)
    (STATE / "alive").touch()


make_folders()


def find_home(files):
    """Return the folder that holds the workflow's own `files`: a checkout, or Snakemake's copies of remote files.

    If it is elsewhere, it is linked into this folder. Commands are then the same for every location, so that
    moving or upgrading a workflow reruns only what the change of its code requires.
    """
    rules = workflow.current_basedir
    if isinstance(rules, LocalSourceFile):
        home = Path(rules.get_path_or_uri(secret_free=True)).resolve().parents[1]
        here = Path.cwd().resolve()
        if home.is_relative_to(here):
            return home.relative_to(here)
    else:
        copies = [Path(workflow.source_path(f"../../{file}")) for file in files]
        home = copies[0].parent
    link = Path(".snakemake/genredag")
    if not link.exists() or link.resolve() != home:
        new = link.with_name(f"genredag.{os.getpid()}")
        new.symlink_to(home)
        new.replace(link)
    return link


# A job that the system kills can't say why. 137 is the status of a shell whose command got SIGKILL. The text is
# not in the command, which Snakemake prints when any job fails.
os.environ.update(
    GENREDAG_KILLED="genredag: error: this job was killed (SIGKILL); maybe memory ran out."
    " Hint: run fewer jobs at once (snakemake --cores 1), or close other programs"
)
shell.prefix(
    "set -euo pipefail; trap '[ $? != 137 ] || echo \"$GENREDAG_KILLED\" >&2' EXIT; "
)
# Jobs call `python`, which must be the one that runs Snakemake even if its environment is not activated.
os.environ.update(
    PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
)


def forget_dead_locks():
    """Remove the locks of a killed Snakemake; return a handle that shows others that this one is running.

    Each Snakemake in this folder holds a shared lock, which ends with its process. A process that gets an
    exclusive lock is therefore the only one, and the files in `.snakemake/locks` are left over.
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
    """Remove links into a deleted or moved cache, which Snakemake would mistake for a disk failure."""
    for link in (
        file for root in ("data", "results") for file in Path(root).rglob("*")
    ):
        if link.is_symlink() and not link.exists():
            # Files in the cache are named by hashes; other links belong to the user.
            if re.match(r"[0-9a-f]{64}", Path(os.readlink(link)).name):
                link.unlink()


@exits_cleanly
def check_folders_of(jobs):
    """Check that the folders that `jobs` write to are writable, so that errors occur before any job."""
    check_writable(
        {Path(file).parent for job in jobs for file in (*job.output, *job.log)}
    )


if workflow.is_main_process:
    ALIVE = forget_dead_locks()
    forget_dead_links()
