"""The group ``slices``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from genredag.params.groups.base import Group, Seconds, Share


class Slices(Group):
    """How tracks are cut."""

    seconds: Seconds = Field(description="length of a slice, in seconds")
    overlap: Share = Field(description="share of a slice that the next one repeats")
    short_tracks: Literal["pad", "quarantine"] = Field(description="fate of tracks shorter than a slice")
