"""What the rules ask: the checked parameters, a stage's values, its code, and the matrix."""

import sys

from genredag.as_published.studies import check_studies
from genredag.cache import default_cache_dir
from genredag.errors import GenredagError, exits_cleanly
from genredag.pairing import matrix_pairs, obtain_weights
from genredag.params import load_params, stage_values
from genredag.protocols import fold_suffixes
from genredag.stages import (
    STAGES,
    code_state,
    extra_code_state,
    refuse_overrides,
    source_state,
    weights_state,
)

try:
    PARAMS = load_params("params.yaml")
    refuse_overrides(config, "params.yaml")
    PAIRS = matrix_pairs(PARAMS)
    check_studies(PARAMS, "studies.yaml")
except GenredagError as error:
    print(f"genredag: error: {error}", file=sys.stderr)
    sys.exit(2)

MATRIX = PARAMS.matrix.model_dump()
if workflow.is_main_process:
    for line in PAIRS.left_out:
        print(f"genredag: {line}", file=sys.stderr)
# `-0`, `-1`, ... for the folds of a split that has some.
MATRIX["split"] = [
    name + fold
    for name in MATRIX["split"]
    for fold in fold_suffixes(PARAMS.splits[name])
]


def values(stage):
    """Make the function that gives a rule the values of its groups, as canonical JSON."""
    return lambda wildcards: stage_values(PARAMS, stage, **wildcards)


def fold(wildcards):
    """Return which fold tests: 0 where a split has none."""
    return wildcards.fold.removeprefix("-") or "0"


def code(stage):
    """Return a fingerprint of the code that dvc.yaml declares for a stage.

    A parameter rather than inputs: a checkout, which touches files without changing them, reruns nothing,
    and what Snakemake prints of a job stays short.
    """
    return code_state("dvc.yaml", stage)


def extra_code(name):
    """Make the function that fingerprints the code of a rule beside the DAG, asked only if it is built."""
    return lambda wildcards: extra_code_state(Path.cwd(), name)


def combinations(pattern):
    """Fill `pattern` with every combination of the matrix whose model can take its representation, each once."""
    return sorted(
        {
            path
            for representation, model in PAIRS.built
            for path in expand(
                pattern, **MATRIX | {"representation": representation, "model": model}
            )
        }
    )


def robustness_combinations(pattern):
    """Make the function that fills `pattern` with what `robustness` names and fits, asked only if it is built."""

    def filled(wildcards):
        group = PARAMS.robustness
        pairs = matrix_pairs(PARAMS, "robustness")
        if workflow.is_main_process:
            for line in pairs.left_out:
                print(f"genredag: robustness: {line}", file=sys.stderr)
        choice = {"dataset": group.dataset, "split": group.split, "seed": group.seed}
        choice["fold"] = fold_suffixes(PARAMS.splits[group.split])
        paths = [
            path
            for representation, model in pairs.built
            for path in expand(
                pattern, representation=representation, model=model, **choice
            )
        ]
        return list(dict.fromkeys(paths))

    return filled


@exits_cleanly
def obtain_weights_of(jobs):
    """Download the published weights of the networks that `jobs` train, so that none of them starts in vain."""
    trained = (job for job in jobs if job.rule.name in ("embed", "train"))
    models = sorted({job.wildcards.model for job in trained})
    obtain_weights(PARAMS, models, default_cache_dir())
