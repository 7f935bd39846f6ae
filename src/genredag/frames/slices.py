"""Slices: overlapping pieces of equal length of every track, stored as references into its frames."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from genredag.errors import ParameterError, UnsuitableDataError
from genredag.params.groups.slices import Slices

if TYPE_CHECKING:
    import pandas as pd

# In steps: 27 s are 30 steps of 3 * (1 - 0.7) s, but not in floating point.
TOLERANCE = 1e-6


class SliceSummary(TypedDict):
    """Contents of ``slices.json``; `quarantined` gives track_id and reason of each track without slices."""

    seconds: float
    overlap: float
    n_frames: int
    n_slices: int
    n_tracks: int
    quarantined: list[dict[str, str]]


def slice_length(seconds: float, frames_per_second: float) -> int:
    """Return the number of centred frames that `seconds` span: 130 for 3 s at 22,050 / 512."""
    return math.floor(seconds * frames_per_second + TOLERANCE) + 1


def count_slices(duration: float, seconds: float, overlap: float) -> int:
    """Return how many whole slices fit into `duration` seconds: 19 of 3 s in 30 s with 50 % overlap."""
    step = seconds * (1 - overlap)
    return max(math.floor((duration - seconds) / step + TOLERANCE) + 1, 0)


def slice_places(
    number: np.ndarray,
    track_frames: np.ndarray | int,
    frames_per_second: float,
    seconds: float,
    overlap: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where slices of tracks begin and how much of a track they hold.

    Parameters
    ----------
    number
        The number of each slice in its track, from 0.
    track_frames
        The number of frames of each slice's track.

    Returns
    -------
    start
        In seconds.
    offset
        The first frame, counted from that of the track.
    n_valid
        The number of frames that belong to the track; the rest is padding.
    """
    start = number * seconds * (1 - overlap)
    offset = np.floor(start * frames_per_second + TOLERANCE).astype(np.int64)
    n_valid = np.minimum(slice_length(seconds, frames_per_second), track_frames - offset)
    return start, offset, n_valid.astype(np.int32)


def cut(index: pd.DataFrame, frames_per_second: float, params: Slices) -> tuple[pd.DataFrame, SliceSummary]:
    """Cut every track of a frame store into slices.

    Slice k begins at ``k * seconds * (1 - overlap)`` seconds. Slices lie within their track. If the track is
    shorter than a slice, or the last frame is missing, `n_valid` is smaller than the slice.

    Parameters
    ----------
    index
        track_id, first_frame, n_frames, duration (seconds) and parent of each track.

    Returns
    -------
    tuple
        The table (track_id, slice, start in seconds, first_frame, n_valid, parent) and the summary that
        ``slices.json`` holds.

    Raises
    ------
    ParameterError
        Slices would begin less than one frame apart.
    UnsuitableDataError
        All tracks are shorter than a slice.
    """
    n_frames = slice_length(params.seconds, frames_per_second)
    counts = _counts(index, frames_per_second, params)
    table = _table(index, counts, frames_per_second, params)
    short = index[counts == 0]
    reason = f"shorter than a slice of {params.seconds:g} s"
    return table, {
        "seconds": params.seconds,
        "overlap": params.overlap,
        "n_frames": n_frames,
        "n_slices": len(table),
        "n_tracks": len(index) - len(short),
        "quarantined": [{"track_id": track_id, "reason": reason} for track_id in short["track_id"]],
    }


def _counts(index: pd.DataFrame, frames_per_second: float, params: Slices) -> np.ndarray:
    """Return the number of slices of each track, after checking that slices can be cut."""
    step = params.seconds * (1 - params.overlap) * frames_per_second
    if step < 1:
        what = f"{params.overlap:g}: slices begin {step:.2g} frames apart"
        raise ParameterError(what, where="slices.overlap", expected="at least one frame")
    counts = np.array([count_slices(d, params.seconds, params.overlap) for d in index["duration"]], dtype=int)
    if params.short_tracks == "pad":
        counts = np.maximum(counts, 1)
    if not counts.any():
        hint = "shorten slices.seconds, or set slices.short_tracks to pad"
        raise UnsuitableDataError(
            f"all {len(index)} tracks are shorter than {params.seconds:g} s", where="slices", hint=hint
        )
    return counts


def _table(index: pd.DataFrame, counts: np.ndarray, frames_per_second: float, params: Slices) -> pd.DataFrame:
    import pandas as pd

    tracks = index.loc[index.index.repeat(counts)]
    number = np.concatenate([np.arange(count) for count in counts])
    start, offset, n_valid = slice_places(
        number, tracks["n_frames"].to_numpy(), frames_per_second, params.seconds, params.overlap
    )
    return pd.DataFrame(
        {
            "track_id": tracks["track_id"].to_numpy(),
            "slice": number.astype(np.int32),
            "start": start,
            "first_frame": tracks["first_frame"].to_numpy() + offset,
            "n_valid": n_valid,
            "parent": tracks["parent"].array,
        }
    )
