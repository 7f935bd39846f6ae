"""The stages of the pipeline and the groups of ``params.yaml`` that each of them uses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

if TYPE_CHECKING:
    from genredag.params.schema import Params

STAGES = ("download", "spectrograms", "slices", "split", "embed", "train", "evaluate", "report")
# What Snakemake runs if tracks are in shards, and targets that it builds on request; DVC has no such stages.
EXTRAS = (
    *("list_tracks", "decode_shard", "render_shard"),
    *("audit_split", "leakage_audit", "run_study", "as_published"),
    *("predict_deformed", "robustness", "external_songs"),
    *("label_issues", "train_share", "learning_curves", "feature_tables", "pictures"),
)

# The groups of params.yaml that each stage uses; `{dataset}` etc. are replaced by the experiment's choice.
STAGE_GROUPS: dict[str, tuple[str, ...]] = {
    "download": ("download", "datasets.{dataset}"),
    "spectrograms": ("spectrograms", "representations.{representation}"),
    "slices": ("slices",),
    "split": ("splits.{split}", "near_duplicates"),
    "embed": ("train", "models.{model}.backbone"),
    "train": ("train", "models.{model}"),
    "evaluate": ("evaluate", "splits.{split}", "report.n_resamples"),
    "report": ("report",),
}
# The same for those that only Snakemake runs.
EXTRA_GROUPS: dict[str, tuple[str, ...]] = {
    "list_tracks": STAGE_GROUPS["download"],
    "decode_shard": STAGE_GROUPS["download"],
    "render_shard": STAGE_GROUPS["spectrograms"],
    "audit_split": ("splits.{split}", "leakage_audit.svm", "leakage_audit.cnn"),
    "leakage_audit": ("leakage_audit", "report.n_resamples"),
    "run_study": (),
    "as_published": ("as_published", "report.n_resamples", "evaluate"),
    "predict_deformed": ("robustness.deformations",),
    "robustness": ("robustness", "report.n_resamples", "evaluate"),
    "external_songs": ("external_songs",),
    "label_issues": ("label_issues",),
    "train_share": ("train", "models.{model}", "evaluate"),
    "learning_curves": ("learning_curves", "report.n_resamples"),
    "feature_tables": ("feature_tables",),
    "pictures": ("pictures",),
}


def stage_values(params: Params, stage: str, **choice: object) -> str:
    """Return the values that `stage` uses and its `choice`, as canonical JSON.

    Equal values give equal strings. The choice is included because Snakemake's cache identifies a result by
    its parameters, not by its path: without it, two seeds would share one split.
    """
    values: dict[str, Any] = {key: str(name) for key, name in choice.items()}
    for group in (STAGE_GROUPS | EXTRA_GROUPS)[stage]:
        key = group.format(**choice)
        value: Any = params
        for part in key.split("."):
            value = value[part] if isinstance(value, dict) else getattr(value, part)
        values[key] = value
    return json.dumps(to_jsonable_python(values), sort_keys=True)
