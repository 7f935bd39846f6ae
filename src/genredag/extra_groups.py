"""The groups of ``params.yaml`` of targets beside the DAG: the leakage audit and the published studies."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from genredag.groups import Count, Group, Name, Names, Seed

Seeds = Annotated[list[Seed], Field(min_length=1)]


class AuditSplits(Group):
    """Splits by what they let cross from training to test; keys of `splits`."""

    slices: Name = Field(description="slices of one track stand on both sides")
    tracks: Name = Field(description="tracks of one artist stand on both sides")
    artists: Name = Field(description="nothing crosses that is known")
    faults: Name = Field(description="the listed parts of a data set whose faults were filtered")


class AuditSvm(Group):
    """The support vector machine on bin statistics."""

    C: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)] = Field(
        description="the candidates to select among"
    )


class AuditCnn(Group):
    """The small CNN; its candidates are its epochs."""

    filters: Annotated[list[Count], Field(min_length=1)] = Field(description="of its blocks")
    learning_rate: Annotated[float, Field(gt=0, le=10)] = Field(description="of Adam, falling as a cosine")
    batch_size: Count = Field(description="slices of a batch")
    epochs: Count = Field(description="the candidates to select among")


class LeakageAudit(Group):
    """What `snakemake leakage_audit` measures."""

    dataset: Names = Field(description="keys of `datasets`")
    representation: Name = Field(description="a key of `representations`")
    split: AuditSplits
    seed: Seeds = Field(description="seeds of split and training, pooled")
    svm: AuditSvm
    cnn: AuditCnn


class AsPublished(Group):
    """Which published studies `snakemake as_published` reproduces, and on what."""

    dataset: Name = Field(description="a key of `datasets`; the studies used gtzan")
    studies: Annotated[list[Name], Field(min_length=1)] = Field(description="keys of studies.yaml")
    seed: Seeds = Field(description="seeds of split and training, pooled")
    corrected_split: Name = Field(description="a key of `splits`, of all corrected runs")
