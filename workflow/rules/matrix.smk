"""What every rule asks: the checked parameters, a stage's values, its code, and the matrix."""

import os
import sys
from pathlib import Path

from genredag.errors import GenredagError
from genredag.params import load_params, stage_values
from genredag.stages import declared_code, refuse_overrides

# Jobs call `python`: the one that runs Snakemake, whether or not its environment is activated.
os.environ["PATH"] = os.pathsep.join(
    [str(Path(sys.executable).parent), os.environ["PATH"]]
)

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


def values(stage):
    """Make the params function of a rule: the values of its groups, as canonical JSON."""
    return lambda wildcards: stage_values(PARAMS, stage, **wildcards)


def combinations(pattern):
    """Fill `pattern` with every combination of the matrix, each once."""
    return sorted(set(expand(pattern, **MATRIX)))
