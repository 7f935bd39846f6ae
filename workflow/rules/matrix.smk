"""What the rules ask: the checked parameters, a stage's values, its code, and the matrix."""

import sys

from genredag.errors import GenredagError
from genredag.params import load_params, stage_values
from genredag.stages import declared_code, refuse_overrides, source_state

try:
    PARAMS = load_params("params.yaml")
    refuse_overrides(config, "params.yaml")
except GenredagError as error:
    print(f"genredag: error: {error}", file=sys.stderr)
    sys.exit(2)

CODE = declared_code("dvc.yaml")
MATRIX = PARAMS.matrix.model_dump()


def values(stage):
    """Make the function that gives a rule the values of its groups, as canonical JSON."""
    return lambda wildcards: stage_values(PARAMS, stage, **wildcards)


def combinations(pattern):
    """Fill `pattern` with every combination of the matrix, each once."""
    return sorted(set(expand(pattern, **MATRIX)))
