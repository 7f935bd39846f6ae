"""The groups ``evaluate`` and ``report``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from genredag.params.groups.base import Group, Name, Seconds


class Evaluate(Group):
    """How predictions are evaluated."""

    track_decision: Literal["mean", "vote", "log_sum"] = Field(
        description="how the predictions of slices are combined for their track"
    )


class Report(Group):
    """What the report shows."""

    example_seconds: Seconds = Field(description="length of the example spectrograms, in seconds")
    n_resamples: Annotated[int, Field(ge=100)] = Field(
        description="bootstrap resamples for intervals and tests"
    )
    title: str = Field(description="heading of the report")
    audio: list[Name] = Field(
        description="data sets whose misclassified tracks are embedded in the report as clips"
    )
    clip_seconds: Seconds = Field(description="length of these clips, in seconds")
    audits: list[
        Literal[
            "leakage_audit",
            "as_published",
            "robustness",
            "external_songs",
            "label_issues",
            "learning_curves",
        ]
    ] = Field(description="audits that Snakemake runs first and the report shows")
