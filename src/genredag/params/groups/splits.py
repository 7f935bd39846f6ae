"""Split protocols into training, validation and test: the groups under ``splits``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from genredag.params.groups.base import Group
from genredag.params.groups.reading import read_group

PARTS = ("train", "validation", "test")
GroupBy = Annotated[Literal["track", "artist"], Field(description="unit that is never divided between parts")]


class Ratios(Group):
    """Shares of the three parts."""

    ratios: Annotated[list[Annotated[float, Field(gt=0, lt=1)]], Field(min_length=3, max_length=3)] = Field(
        description="shares of train, validation and test"
    )

    @model_validator(mode="after")
    def _ratios_sum_to_one(self) -> Self:
        if not math.isclose(sum(self.ratios), 1.0, abs_tol=1e-6):
            raise ValueError(f"ratios = {self.ratios} sum to {sum(self.ratios):g}; expected a sum of 1")
        return self


class Stratified(Ratios):
    """Whole tracks or artists, split by the same ratios in every genre."""

    protocol: Literal["stratified"]
    group_by: GroupBy


class KFold(Group):
    """Each fold is the test set once, with the next fold for validation and the others for training."""

    protocol: Literal["kfold"]
    k: Annotated[int, Field(ge=3)] = Field(
        description="number of folds; a genre needs at least as many tracks or artists"
    )
    group_by: GroupBy


class Official(Group):
    """The split that the data set itself lists; tracks that it doesn't list are left out."""

    protocol: Literal["official"]
    test: Literal["test", "validation"] = Field(description="the listed part used as the test set")
    validation_share: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        description="share of the listed training part used for validation; null: the listed validation part"
    )

    @model_validator(mode="after")
    def _validation_does_not_test(self) -> Self:
        if self.test == "validation" and self.validation_share is None:
            raise ValueError(
                "validation_share = null, but the listed validation part is the test set; expected a share"
            )
        return self


class LeakySlices(Ratios):
    """Single slices, split without regard to their tracks: only to measure how much that inflates."""

    protocol: Literal["leaky_slices"]


class NearDuplicates(Group):
    """Which pairs of tracks in different parts of a split are reported as near-duplicates."""

    correlation: Annotated[float, Field(gt=0, le=1)] = Field(
        description="lowest correlation of spectral change between tracks in different parts that is reported"
    )


Split = Annotated[Stratified | KFold | Official | LeakySlices, Field(discriminator="protocol")]
PROTOCOLS = (Stratified, KFold, Official, LeakySlices)

LEAKY = "LEAKY: slices of one track train and test, so that these figures are inflated"


def n_folds(split: Split) -> int:
    """Return how many folds a protocol has: 1 if it has none."""
    return split.k if isinstance(split, KFold) else 1


def fold_suffixes(split: Split) -> list[str]:
    """Return the suffixes of the folders of a split's folds: ``-0``, ``-1``, ..., or only ""."""
    return [f"-{fold}" for fold in range(split.k)] if isinstance(split, KFold) else [""]


def keeps_artists_whole(split: Split) -> bool:
    """Return whether a protocol guarantees that no artist is in more than one part."""
    return isinstance(split, Stratified | KFold) and split.group_by == "artist"


def promise(split: Split) -> str:
    """Return in words what a protocol guarantees."""
    if isinstance(split, LeakySlices):
        return LEAKY
    if keeps_artists_whole(split):
        return "no artist has tracks in more than one part"
    return "no track has slices in more than one part, but an artist may have tracks in several"


def read_split(path: Path, name: str) -> Split:
    """Read one protocol from the ``params.yaml`` at `path`.

    Raises
    ------
    ParameterError
        There is no such split, or one of its values can't be used.
    """
    return read_group(path, f"splits.{name}", Split)
