"""The groups of the audits: leakage, studies, robustness, external songs, labels, learning curves."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from genredag.params.groups.base import Count, EachOnce, Group, Name, Names, Seeds


class AuditSplits(Group):
    """Keys of `splits`, by what they allow in both training and test."""

    slices: Name = Field(description="slices of one track may be in both training and test")
    tracks: Name = Field(description="tracks of one artist may be in both training and test")
    artists: Name = Field(description="no known overlap of training and test")
    faults: Name = Field(description="the data set's own listed split, with faulty tracks filtered out")


class AuditSvm(Group):
    """The support vector machine on bin statistics."""

    C: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)] = Field(
        description="candidates for model selection"
    )


class AuditCnn(Group):
    """The small CNN; every epoch is a candidate for selection."""

    filters: Annotated[list[Count], Field(min_length=1)] = Field(description="filters of each block")
    learning_rate: Annotated[float, Field(gt=0, le=10)] = Field(
        description="initial rate of Adam, with cosine decay"
    )
    batch_size: Count = Field(description="slices per batch")
    epochs: Count = Field(description="epochs, each a candidate for model selection")


class LeakageAudit(Group):
    """What `snakemake leakage_audit` measures."""

    dataset: Names = Field(description="keys of `datasets`")
    representation: Name = Field(description="a key of `representations`")
    split: AuditSplits
    seed: Seeds = Field(description="seeds of the split and of training, pooled")
    svm: AuditSvm
    cnn: AuditCnn


class AsPublished(Group):
    """Which published studies `snakemake as_published` reproduces, and on which data."""

    dataset: Name = Field(description="a key of `datasets`; the studies used gtzan")
    studies: Names = Field(description="keys of studies.yaml")
    seed: Seeds = Field(description="seeds of the split and of training, pooled")
    corrected_split: Name = Field(description="a key of `splits`, for all corrected runs")


_STRENGTHS = (Field(min_length=1), EachOnce)
Decibels = Annotated[float, Field(ge=-60, le=120)]


class Deformations(Group):
    """Strengths of each kind of deformation; null skips a kind."""

    mp3_kbps: Annotated[list[Count], *_STRENGTHS] | None = Field(
        description="encoded as MP3 and decoded: constant bit rates that `spectrograms.sr` allows, in kbit/s"
    )
    resample_hz: Annotated[list[Annotated[int, Field(ge=1000)]], *_STRENGTHS] | None = Field(
        description="resampled and converted back: sample rates below `spectrograms.sr`, in Hz"
    )
    gain_db: Annotated[list[Annotated[float, Field(ge=-60, le=60)]], *_STRENGTHS] | None = Field(
        description="amplified and clipped at full scale: gains in dB"
    )
    noise_snr_db: Annotated[list[Decibels], *_STRENGTHS] | None = Field(
        description="with added white noise: signal-to-noise ratios (of power), in dB"
    )
    high_pass_hz: Annotated[list[Annotated[float, Field(gt=0)]], *_STRENGTHS] | None = Field(
        description="high-pass filtered: cutoff frequencies below half of `spectrograms.sr`, in Hz"
    )

    @model_validator(mode="after")
    def _not_all_left_out(self) -> Self:
        if not any(strengths for _, strengths in self):
            raise ValueError("every kind is null; expected strengths for at least one")
        return self


class Robustness(Group):
    """Which test tracks `snakemake robustness` deforms, and how."""

    dataset: Names = Field(description="keys of `datasets` that have audio")
    representation: Names = Field(description="keys of `representations`")
    model: Names = Field(description="keys of `models`")
    split: Name = Field(description="a key of `splits`; all folds of a k-fold split")
    seed: Seeds = Field(description="seeds of the split and of training, pooled")
    deformations: Deformations


class ExternalSongs(Group):
    """Which songs `snakemake external_songs` predicts, and by which models."""

    path: str | None = Field(
        description="a folder ``<genre>/**/*.mp3``, with unlabelled files next to the genres, or a CSV"
    )
    dataset: Names = Field(description="keys of `datasets` that the models were trained on, with audio")
    representation: Names = Field(description="keys of `representations`")
    model: Names = Field(description="keys of `models`")
    split: Name = Field(description="a key of `splits`; all folds of a k-fold split")
    seed: Seeds = Field(description="seeds of the split and of training, each a model of its own")


class LabelIssues(Group):
    """Whose out-of-fold predictions `snakemake label_issues` compares with the labels."""

    dataset: Names = Field(description="keys of `datasets`")
    representation: Names = Field(description="keys of `representations`")
    model: Names = Field(description="keys of `models`, whose probabilities are averaged")
    split: Name = Field(description="a key of `splits` with folds, so that each track is tested")
    seed: Seeds = Field(description="seeds of the split and of training, averaged")
    faults: str | None = Field(
        description="a CSV file of tracks whose labels are known to be wrong (column track_id), or null"
    )


class LearningCurves(Group):
    """Which models `snakemake learning_curves` trains on growing shares of the training tracks."""

    dataset: Names = Field(description="keys of `datasets`")
    representation: Names = Field(description="keys of `representations`")
    model: Names = Field(description="keys of `models`; the others are compared with the first")
    split: Name = Field(description="a key of `splits` that keeps tracks whole; all folds of a k-fold split")
    seed: Seeds = Field(description="seeds of the split, of training and of the shares, pooled")
    shares: Annotated[list[Annotated[float, Field(ge=0.001, le=1)]], Field(min_length=2), EachOnce] = Field(
        description="shares of the training tracks of each genre; the smaller are parts of the larger"
    )
