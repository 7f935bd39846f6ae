"""What every rule asks: the checked parameters, a stage's values, its code, and the matrix."""

import fcntl
import os
import sys
from pathlib import Path

from genredag.errors import GenredagError
from genredag.params import load_params, stage_values
from genredag.stages import declared_code, refuse_overrides, source_state

# Jobs call `python`: the one that runs Snakemake, whether or not its environment is activated.
os.environ["PATH"] = os.pathsep.join(
    [str(Path(sys.executable).parent), os.environ["PATH"]]
)
# Results of earlier parameters, which the profile's `cache` restores.
os.environ.setdefault("SNAKEMAKE_OUTPUT_CACHE", str(Path(".snakemake/cache").resolve()))
Path(os.environ["SNAKEMAKE_OUTPUT_CACHE"]).mkdir(parents=True, exist_ok=True)

try:
    PARAMS = load_params("params.yaml")
    refuse_overrides(config, "params.yaml")
except GenredagError as error:
    print(f"genredag: error: {error}", file=sys.stderr)
    sys.exit(2)

CODE = declared_code("dvc.yaml")
MATRIX = PARAMS.matrix.model_dump()
RUN = "results/{dataset}/{representation}/{model}/{split}/{seed}"
FRAMES = "data/{dataset}/{representation}"


def forget_dead_locks():
    """Remove the locks of a killed Snakemake, and return a handle that tells others that this one lives.

    Each Snakemake in this folder holds a shared lock, which ends with its process: whoever gets an
    exclusive one is alone, and what lies in `.snakemake/locks` is left from the dead.
    """
    Path(".snakemake").mkdir(exist_ok=True)
    handle = Path(".snakemake/alive").open("w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for lock in Path(".snakemake/locks").glob("*.lock"):
            lock.unlink()
    except OSError:
        pass
    fcntl.flock(handle, fcntl.LOCK_SH)
    return handle


if workflow.is_main_process:
    ALIVE = forget_dead_locks()


def values(stage):
    """Make the params function of a rule: the values of its groups, as canonical JSON."""
    return lambda wildcards: stage_values(PARAMS, stage, **wildcards)


def combinations(pattern):
    """Fill `pattern` with every combination of the matrix, each once."""
    return sorted(set(expand(pattern, **MATRIX)))
