"""The group ``slices``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from genredag.params.groups.base import Group, Seconds, Share


class Slices(Group):
    """How tracks are cut into slices."""

    seconds: Seconds = Field(description="length of a slice, in seconds", le=3600)
    overlap: Share = Field(description="share of a slice that overlaps the next one")
    short_tracks: Literal["pad", "quarantine"] = Field(
        description="what happens to tracks shorter than a slice"
    )
