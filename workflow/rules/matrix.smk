"""What the rules ask: the checked parameters, a stage's values, its code, and the matrix."""

import sys

from genredag.errors import GenredagError
from genredag.params import load_params, stage_values
from genredag.stages import code_state, refuse_overrides, source_state, weights_state

try:
    PARAMS = load_params("params.yaml")
    refuse_overrides(config, "params.yaml")
except GenredagError as error:
    print(f"genredag: error: {error}", file=sys.stderr)
    sys.exit(2)

MATRIX = PARAMS.matrix.model_dump()


def values(stage):
    """Make the function that gives a rule the values of its groups, as canonical JSON."""
    return lambda wildcards: stage_values(PARAMS, stage, **wildcards)


def code(stage):
    """Return a fingerprint of the code that dvc.yaml declares for a stage.

    A parameter rather than inputs: a checkout, which touches files without changing them, reruns nothing,
    and what Snakemake prints of a job stays short.
    """
    return code_state("dvc.yaml", stage)


def combinations(pattern):
    """Fill `pattern` with every combination of the matrix, each once."""
    return sorted(set(expand(pattern, **MATRIX)))
