"""The groups of the optional targets that write data for other projects: feature tables and pictures."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from genredag.params.groups.base import Group, Name, Seed, Size
from genredag.params.groups.models import HandcraftedFeatures


class FeatureTables(Group):
    """Which features `snakemake feature_tables` writes, of which data set."""

    features: Annotated[list[HandcraftedFeatures], Field(min_length=1)] = Field(
        description="sets of handcrafted features, a table each"
    )
    dataset: Name = Field(description="a key of `datasets`")
    split: Name = Field(description="a key of `splits`, without folds and not leaky")
    seed: Seed = Field(description="seed of the split")


class Pictures(Group):
    """Which spectrograms `snakemake pictures` writes as PNG files, and how they look."""

    dataset: Name = Field(description="a key of `datasets`")
    representation: Name = Field(description="a key of `representations` that is a spectrogram")
    split: Name = Field(description="a key of `splits`, without folds and not leaky")
    seed: Seed = Field(description="seed of the split")
    per: Literal["slice", "track"] = Field(description="one picture per slice, or one per whole track")
    size: Size | None = Field(description="[height, width] in pixels; null: one pixel per bin and frame")
    colour_map: Literal["grey", "viridis"] = Field(description="grey: one channel of 8 bits; viridis: three")
