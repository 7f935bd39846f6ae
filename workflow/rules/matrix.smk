"""Helpers of the rules: the checked parameters, a stage's values and code, and the matrix."""

import os
import sys
from functools import cache

from genredag.audits.as_published.studies import OWN_STAGES, load_studies
from genredag.datasets.user_music import (
    check_source,
    check_there,
    files_state,
    source_state,
)
from genredag.errors import GenredagError, ParameterError, exits_cleanly
from genredag.models.compatibility import matrix_pairs, obtain_encoders, obtain_weights
from genredag.models.registry import learner
from genredag.params.groups.splits import fold_suffixes
from genredag.params.stages import EXTRAS, STAGES, stage_values
from genredag.params.user_files import encoder_state, weights_state
from genredag.project.stages import (
    SCRIPTS,
    code_state,
    same_code,
    settle_config,
    take_shards,
)
from genredag.project.validation import load_valid_params
from genredag.runtime.cache import default_cache_dir
from genredag.runtime.closure import source_dir
from snakemake.io import get_flag_value

HOME = find_home(
    ["dvc.yaml", "studies.yaml", *(SCRIPTS / f"{name}.py" for name in STAGES + EXTRAS)]
)
SCRIPTS = HOME / SCRIPTS
# What envs/genredag.post-deploy.sh installs into a conda environment.
if (HOME / "pyproject.toml").is_file():
    os.environ.setdefault("GENREDAG_CHECKOUT", str(HOME.resolve()))
# The user's own studies, or else those of the workflow.
STUDIES_FILE = Path(PARAMS_FILE).with_name("studies.yaml")
if not STUDIES_FILE.is_file():
    STUDIES_FILE = HOME / "studies.yaml"
    if workflow.is_main_process:
        print(
            f"genredag: no studies.yaml beside {PARAMS_FILE}, so {STUDIES_FILE.resolve()} is used",
            file=sys.stderr,
        )

try:
    PARAMS = load_valid_params(PARAMS_FILE, STUDIES_FILE)
    SHARDS = take_shards(config)
    settle_config(config, PARAMS_FILE)
    PAIRS = matrix_pairs(PARAMS)
except GenredagError as error:
    print(f"genredag: error: {error}", file=sys.stderr)
    sys.exit(2)

MATRIX = PARAMS.matrix.model_dump()
if workflow.is_main_process:
    for line in PAIRS.left_out:
        print(f"genredag: {line}", file=sys.stderr)
# A split with folds gets one entry per fold: `-0`, `-1`, ...
MATRIX["split"] = [
    name + fold
    for name in MATRIX["split"]
    for fold in fold_suffixes(PARAMS.splits[name])
]
MATRIX["fold"] = [""]

# Data comes first, then the longest trainings: otherwise the last one would leave all other cores idle.
DATA_FIRST = 3


def longest_first(wildcards):
    """Return the priority of a training job: a network over single slices takes minutes, others seconds."""
    model = learner(wildcards.model)
    return 1 if model.kind == "estimator" or model.over_windows else 2


# The wildcards that select a module of the library: the code of the other modules does not matter.
CHOICES = ("dataset", "representation", "model")


def values(stage):
    """Return a function that gives a rule the values of its groups, as canonical JSON."""
    return lambda wildcards: stage_values(PARAMS, stage, **wildcards)


def fold(wildcards):
    """Return the number of the test fold: 0 if the split has none."""
    return wildcards.fold.removeprefix("-") or "0"


@cache
def fingerprint(stage, **choice):
    """Return the fingerprint of the code of a stage."""
    return code_state(SCRIPTS, source_dir(), stage, **choice)


def code(stage):
    """Return a function that fingerprints the code of a stage for the choices in its wildcards.

    The code is a parameter, not inputs: a checkout, which touches files without changing them, reruns
    nothing, and Snakemake's description of a job stays short.
    """
    return lambda wildcards: fingerprint(
        stage,
        **same_code(
            **{key: wildcards[key] for key in CHOICES if key in wildcards.keys()}
        ),
    )


def study_code(wildcards):
    """Return the fingerprints of the code that a study runs."""
    study = load_studies(STUDIES_FILE)[wildcards.study]
    choice = {"representation": study.representation, "model": study.model}
    return [fingerprint(stage, **choice) for stage in ("run_study", *OWN_STAGES)]


def memory(megabytes, *, per_thread=0, pretrained=0):
    """Return a function that requests a job's memory in MB, multiplied by the number of the attempt.

    Parameters
    ----------
    pretrained
        What is requested instead of `megabytes` if the model has a pretrained backbone.
    """

    def asked(wildcards, threads, attempt):
        has_backbone = pretrained and PARAMS.entry("models", wildcards.model).backbone
        return attempt * (
            (pretrained if has_backbone else megabytes) + per_thread * threads
        )

    return asked


def figure(name, category):
    """Return the path of a figure, with its place in Snakemake's report."""
    return report(
        f"{RUN}/{name}.png",
        caption=f"../report/{name}.rst",
        category=category,
        labels=lambda wildcards: dict(wildcards),
    )


def written(output):
    """Return the path of a rule's output as the rule states it.

    With a default storage, Snakemake gives the path of a local copy instead, which it would store again.
    """
    (output,) = [output] if isinstance(output, str) else output
    stored = get_flag_value(output, "storage_object")
    if stored is None:
        return str(output)
    return stored.query.removeprefix(STORAGE or "").lstrip("/")


def combinations(output):
    """Fill the path of an output with every compatible combination of the matrix, without repetitions."""
    return sorted(
        {
            path
            for representation, model in PAIRS.built
            for path in expand(
                written(output),
                **MATRIX | {"representation": representation, "model": model},
            )
        }
    )


def shards(**outputs):
    """Return a function that names the outputs of all shards, to be joined; it names none if there is one shard."""

    def of_all(wildcards):
        numbers = range(1, SHARDS + 1) if SHARDS > 1 else ()
        return {
            name: list(
                dict.fromkeys(
                    path
                    for number in numbers
                    for path in expand(
                        written(output), **wildcards, shard=number, n_shards=SHARDS
                    )
                )
            )
            for name, output in outputs.items()
        }

    return of_all


def joined(flags):
    """Return the flags of a command that joins shards: none if there is one shard."""
    return flags if SHARDS > 1 else ""


def named(paths, folder):
    """Return ``name=path`` for every path, where the name is that of a folder above the file.

    Parameters
    ----------
    folder
        How far above: 1 is the folder of the file itself.
    """
    return [f"{Path(path).parts[-1 - folder]}={path}" for path in paths]


def audit_combinations(output, key):
    """Return a function that fills an output's path with the compatible combinations of a group, on request.

    Parameters
    ----------
    key
        ``"robustness"``, ``"external_songs"``, ``"label_issues"`` or ``"learning_curves"``.
    """

    def filled(wildcards):
        group = getattr(PARAMS, key)
        if key == "external_songs" and group.path is None:
            missing = ParameterError(
                "external_songs.path: no songs",
                where=PARAMS_FILE,
                expected="a folder <genre>/**/*.mp3",
                hint="genredag set external_songs.path=my_songs",
            )
            print(f"genredag: error: {missing}", file=sys.stderr)
            sys.exit(2)
        pairs = matrix_pairs(PARAMS, key)
        if workflow.is_main_process:
            for line in pairs.left_out:
                print(f"genredag: {key}: {line}", file=sys.stderr)
        choice = {"dataset": group.dataset, "split": group.split, "seed": group.seed}
        choice["fold"] = fold_suffixes(PARAMS.splits[group.split])
        if key == "learning_curves":
            choice["share"] = group.shares
        paths = [
            path
            for representation, model in pairs.built
            for path in expand(
                written(output), representation=representation, model=model, **choice
            )
        ]
        return list(dict.fromkeys(paths))

    return filled


def of_split(group, representation):
    """Return the frames, slices and split of a group that names one data set, a split without folds and a seed.

    The rules that make them come first.
    """
    outputs = {
        "frames": rules.spectrograms.output.frames,
        "frame_index": rules.spectrograms.output.index,
        "frame_spec": rules.spectrograms.output.spec,
        "slices": rules.slices.output.slices,
        "slice_spec": rules.slices.output.spec,
        "split": rules.split.output.split,
    }
    choice = {"dataset": group.dataset, "split": group.split, "seed": group.seed}
    choice |= {"representation": representation, "fold": ""}
    return {
        name: written(output).format_map(choice) for name, output in outputs.items()
    }


@exits_cleanly
def check_shards_of(jobs):
    """Refuse to make data again only because `--config shards` has changed, which changes no result."""
    joins = [job for job in jobs if job.rule.name in ("download", "spectrograms")]
    for job in joins:
        reason = workflow.dag.reason(job)
        other = reason.params_changed or reason.forced or reason.missing_output
        if reason.input_changed and not other:
            files = " ".join(written(join.output[0]) for join in joins)
            raise ParameterError(
                f"shards={SHARDS}, but {written(job.output[0])} was made with another number",
                where="--config",
                expected="the same number",
                hint=f"snakemake --touch {files} --config shards={SHARDS} keeps the files; to make them"
                f" again, snakemake --forcerun download --config shards={SHARDS}",
            )


@exits_cleanly
def check_music_of(jobs):
    """Check that the user's own files that `jobs` read exist, so that errors occur before any job."""
    for job in jobs:
        match job.rule.name:
            case "download" | "list_tracks":
                dataset = job.wildcards.dataset
                check_source(PARAMS.entry("datasets", dataset), dataset)
            case "external_songs":
                check_there({"external_songs.path": PARAMS.external_songs.path})
            case "label_issues":
                check_there({"label_issues.faults": PARAMS.label_issues.faults})


@exits_cleanly
def obtain_weights_of(jobs):
    """Download the published weights that `jobs` need, so that errors occur before any job."""
    jobs = list(jobs)
    trained = (
        job for job in jobs if job.rule.name in ("embed", "train", "train_share")
    )
    models = sorted({job.wildcards.model for job in trained})
    obtain_weights(PARAMS, models, default_cache_dir())
    rendered = (
        job for job in jobs if job.rule.name in ("spectrograms", "render_shard")
    )
    representations = sorted({job.wildcards.representation for job in rendered})
    obtain_encoders(PARAMS, representations, default_cache_dir())
