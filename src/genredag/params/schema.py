"""The pydantic model of ``params.yaml``: every value, its type, unit and bounds.

All values are in ``params.yaml``: no field has a default (two of a user's own encoders do), unknown keys are
rejected, and strings are not converted to numbers. `genredag.params.checks` checks that values are consistent
with each other.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, JsonValue

from genredag.errors import ParameterError
from genredag.params.groups.audits import (
    AsPublished,
    ExternalSongs,
    LabelIssues,
    LeakageAudit,
    LearningCurves,
    Robustness,
)
from genredag.params.groups.base import Group, Name, Names, Seed, Seeds
from genredag.params.groups.datasets import Datasets, Download
from genredag.params.groups.evaluation import Evaluate, Report
from genredag.params.groups.exports import FeatureTables, Pictures
from genredag.params.groups.models import Option, Recipe, Train
from genredag.params.groups.reading import similar
from genredag.params.groups.slices import Slices
from genredag.params.groups.spectrograms import Rendering, Representations
from genredag.params.groups.splits import NearDuplicates, Split

# No maps: `dvc exp run -S` would set a key of a copied map in every model that copies the map.
Shared = dict[Name, dict[str, Option | list[JsonValue]]]


class Matrix(Group):
    """Lists of names and seeds; Snakemake builds every combination."""

    dataset: Names = Field(description="keys of `datasets`")
    representation: Names = Field(description="keys of `representations`")
    model: Names = Field(description="keys of `models`")
    split: Names = Field(description="keys of `splits`")
    seed: Seeds = Field(description="seeds of the split and of training")


class Params(Group):
    """All of ``params.yaml``."""

    dataset: Name = Field(description="data set of the one experiment that DVC runs")
    representation: Name = Field(description="representation of that experiment")
    model: Name = Field(description="model of that experiment")
    split: Name = Field(description="split of that experiment")
    fold: Annotated[int, Field(ge=0)] = Field(description="test fold of that split; 0 without folds")
    seed: Seed = Field(description="seed of the split and of training")
    matrix: Matrix
    download: Download
    datasets: Datasets
    spectrograms: Rendering
    representations: Representations
    slices: Slices
    splits: Annotated[dict[Name, Split], Field(min_length=1)]
    near_duplicates: NearDuplicates
    train: Train
    shared: Shared = Field(description="values that recipes copy with `<<`; scalars and lists only")
    models: Annotated[dict[Name, Annotated[Recipe, Field(discriminator="kind")]], Field(min_length=1)]
    evaluate: Evaluate
    report: Report
    leakage_audit: LeakageAudit
    as_published: AsPublished
    robustness: Robustness
    external_songs: ExternalSongs
    label_issues: LabelIssues
    learning_curves: LearningCurves
    feature_tables: FeatureTables
    pictures: Pictures

    def entry(self, collection: str, name: str) -> Any:
        """Return the entry `name` of a collection such as ``"models"``.

        Raises
        ------
        ParameterError
            There is no such entry.
        """
        entries = getattr(self, collection)
        if isinstance(entries, Representations):
            entries = entries.given
        names = list(entries) if isinstance(entries, dict) else list(type(entries).model_fields)
        if name not in names:
            raise ParameterError(f"{name!r} is unknown", where=collection, hint=similar(name, names))
        return entries[name] if isinstance(entries, dict) else getattr(entries, name)
