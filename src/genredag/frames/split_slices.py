"""The slices of a data set, the frames that they are cut from, and their split."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from genredag.frames.batches import SliceSet, slice_set, summarise, with_features
from genredag.frames.slices import SliceSummary
from genredag.frames.store import Frames, open_frames

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class SliceSpec:
    """How tracks were cut: the values in ``slices.json`` that apply to every slice.

    Attributes
    ----------
    seconds
        Length of a slice.
    overlap
        Share of a slice that the next one overlaps.
    n_frames
        Length of a slice, in frames.
    """

    seconds: float
    overlap: float
    n_frames: int

    @classmethod
    def of(cls, summary: SliceSummary) -> SliceSpec:
        """Return the spec from a summary of slices, as returned by `genredag.frames.slices.cut`."""
        return cls(summary["seconds"], summary["overlap"], summary["n_frames"])


@dataclass(frozen=True)
class SlicedFrames:
    """A frame store and the slices cut from it.

    Attributes
    ----------
    slices
        ``slices.parquet``: track_id, slice, first_frame, n_valid and parent; one row per slice.
    """

    frames: Frames
    slices: pd.DataFrame
    spec: SliceSpec

    def with_split(self, split: pd.DataFrame) -> SplitSlices:
        """Return the slices with their split."""
        return SplitSlices(self.frames, self.slices, self.spec, split)


@dataclass(frozen=True)
class SplitSlices(SlicedFrames):
    """A frame store, the slices cut from it, and the part of each slice.

    Attributes
    ----------
    split
        ``split.parquet``: track_id, slice, genre, artist and part; rows in the order of `slices`.
    """

    split: pd.DataFrame

    @property
    def class_names(self) -> list[str]:
        """Genres of the slices that are in a part, sorted."""
        return sorted(self.split.loc[self.split["part"].notna(), "genre"].unique())

    def is_in(self, *parts: str) -> np.ndarray:
        """Return whether each slice is in one of `parts`, bool (n_slices,)."""
        return self.split["part"].isin(parts).to_numpy()

    def part(self, *parts: str, class_names: Sequence[str] | None = None) -> SliceSet:
        """Return the slices of one or more parts, labelled by index in `class_names`."""
        rows = self.is_in(*parts)
        genres, names = self.split.loc[rows, "genre"], class_names or self.class_names
        return slice_set(self.frames, self.slices[rows], self.spec.n_frames, genres, names)

    def features(self, name: str, part: str) -> SliceSet:
        """Return the features `name` of the slices of a part, as slices of one frame.

        They are computed once and kept as long as this object, whose `split` must not change.
        """
        if (name, part) not in self._features:
            slices = self.part(part)
            rows = np.arange(len(slices))
            self._features[name, part] = with_features(slices, summarise(slices, name), rows)
        return self._features[name, part]

    @cached_property
    def _features(self) -> dict[tuple[str, str], SliceSet]:
        return {}


def open_sliced_frames(frames_path: Path, slices_path: Path) -> SlicedFrames:
    """Open a frame store and its slices.

    Parameters
    ----------
    frames_path
        ``frames.npy``; its index and spec are in the same folder.
    slices_path
        ``slices.parquet``; ``slices.json`` is in the same folder.

    Raises
    ------
    DataError
        The files of the frame store are inconsistent.
    """
    import pandas as pd

    summary = json.loads(slices_path.with_suffix(".json").read_text(encoding="utf-8"))
    return SlicedFrames(open_frames(frames_path.parent), pd.read_parquet(slices_path), SliceSpec.of(summary))


def open_split_slices(frames_path: Path, slices_path: Path, split_path: Path) -> SplitSlices:
    """Open a frame store, its slices (see `open_sliced_frames`) and their ``split.parquet``."""
    import pandas as pd

    return open_sliced_frames(frames_path, slices_path).with_split(pd.read_parquet(split_path))
