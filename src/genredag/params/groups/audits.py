"""The groups of ``params.yaml`` of targets beside the DAG: leakage audit, published studies, robustness."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from genredag.params.groups.base import Count, Group, Name, Names, Seed

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


def _each_once(strengths: list[float]) -> list[float]:
    for i, strength in enumerate(strengths):
        if strength in strengths[:i]:
            raise ValueError(f"{strength:g} stands twice; expected each strength once")
    return strengths


_STRENGTHS = (Field(min_length=1), AfterValidator(_each_once))
Decibels = Annotated[float, Field(ge=-60, le=120)]


class Deformations(Group):
    """Strengths of each kind of deformation; null leaves a kind out."""

    mp3_kbps: Annotated[list[Count], *_STRENGTHS] | None = Field(
        description="coded as MP3 and decoded: constant bit rates, in kbit/s, that `spectrograms.sr` allows"
    )
    resample_hz: Annotated[list[Annotated[int, Field(ge=1000)]], *_STRENGTHS] | None = Field(
        description="resampled and back: sample rates below `spectrograms.sr`, in Hz"
    )
    gain_db: Annotated[list[Annotated[float, Field(ge=-60, le=60)]], *_STRENGTHS] | None = Field(
        description="amplified, and clipped at full scale: in dB"
    )
    noise_snr_db: Annotated[list[Decibels], *_STRENGTHS] | None = Field(
        description="white noise added: power of the track over that of the noise, in dB"
    )
    high_pass_hz: Annotated[list[Annotated[float, Field(gt=0)]], *_STRENGTHS] | None = Field(
        description="high-pass filtered: cutoffs below half of `spectrograms.sr`, in Hz"
    )

    @model_validator(mode="after")
    def _not_all_left_out(self) -> Self:
        if not any(strengths for _, strengths in self):
            raise ValueError("every kind is null; expected strengths of one at least")
        return self


class Robustness(Group):
    """Whose test tracks `snakemake robustness` deforms, and how."""

    dataset: Names = Field(description="keys of `datasets`, with audio")
    representation: Names = Field(description="keys of `representations`")
    model: Names = Field(description="keys of `models`")
    split: Name = Field(description="a key of `splits`; all folds of a k-fold split")
    seed: Seeds = Field(description="seeds of split and training, pooled")
    deformations: Deformations
