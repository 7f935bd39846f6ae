"""Protocols: how a data set is dealt to training, validation and test, the groups under ``splits``."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from genredag.params.groups.base import Group
from genredag.params.groups.reading import read_group

PARTS = ("train", "validation", "test")
GroupBy = Annotated[Literal["track", "artist"], Field(description="what never stands on two sides")]


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
    """Whole tracks or artists, dealt by ratios that hold in every genre."""

    protocol: Literal["stratified"]
    group_by: GroupBy


class KFold(Group):
    """Each fold tests once, the next one validates then, the others train."""

    protocol: Literal["kfold"]
    k: Annotated[int, Field(ge=3)] = Field(description="folds; a genre needs as many tracks or artists")
    group_by: GroupBy


class Official(Group):
    """The split that the data set lists for its tracks; those that it doesn't list are left out."""

    protocol: Literal["official"]
    test: Literal["test", "validation"] = Field(description="the listed part that tests")
    validation_share: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        description="share of the listed training part that validates; null: the listed validation part does"
    )

    @model_validator(mode="after")
    def _validation_does_not_test(self) -> Self:
        if self.test == "validation" and self.validation_share is None:
            raise ValueError(
                "validation_share = null, but the listed validation part tests; expected a share"
            )
        return self


class LeakySlices(Ratios):
    """Single slices, dealt without regard to their tracks: only to measure what that inflates."""

    protocol: Literal["leaky_slices"]


class NearDuplicates(Group):
    """Which tracks on two sides of a split are told to be alike."""

    correlation: Annotated[float, Field(gt=0, le=1)] = Field(
        description="of how two tracks' spectrograms change: pairs on two sides that reach it are reported"
    )


Split = Annotated[Stratified | KFold | Official | LeakySlices, Field(discriminator="protocol")]
PROTOCOLS = (Stratified, KFold, Official, LeakySlices)

LEAKY = "LEAKY: slices of one track train and test, so that these figures are inflated"


def n_folds(split: Split) -> int:
    """Return how many folds a protocol has: 1 if it has none."""
    return split.k if isinstance(split, KFold) else 1


def fold_suffixes(split: Split) -> list[str]:
    """Return what the folders of a split's folds add to its name: ``-0``, ``-1``, ..., or nothing."""
    return [f"-{fold}" for fold in range(split.k)] if isinstance(split, KFold) else [""]


def keeps_artists_whole(split: Split) -> bool:
    """Tell whether a protocol promises that no artist is on two sides."""
    return isinstance(split, Stratified | KFold) and split.group_by == "artist"


def promise(split: Split) -> str:
    """Say in words what a protocol promises."""
    if isinstance(split, LeakySlices):
        return LEAKY
    if keeps_artists_whole(split):
        return "no artist has tracks on two sides"
    return "no track has slices on two sides, but an artist may have tracks on two sides"


def read_split(path: Path, name: str) -> Split:
    """Read one protocol from the ``params.yaml`` at `path`.

    Raises
    ------
    ParameterError
        There is no such split, or one of its values can't be used.
    """
    return read_group(path, f"splits.{name}", Split)
