"""Handcrafted features of whole tracks as tables with named columns."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from genredag.frames.features import FEATURE_SETS, KHZ, check_columns, features
from genredag.frames.split_slices import SplitSlices
from genredag.frames.store import Frames

FACTS = ("track_id", "genre", "artist", "part")


def feature_table(data: SplitSlices, name: str) -> pd.DataFrame:
    """Return the features of each track in a part of the split, from all frames of the track.

    A model sees the same values if slices are as long as the tracks (`slices.seconds`). Shifted copies of
    tracks are left out.

    Parameters
    ----------
    name
        A key of `FEATURE_SETS`.

    Returns
    -------
    pd.DataFrame
        `FACTS` and a float32 column for each of `feature_names`; one row per track, sorted by track_id.

    Raises
    ------
    ModelError
        The frames lack a column that the features need.
    """
    check_columns(data.frames.spec.bins, name)
    tracks = tracks_of(data.split)
    rows = [features(values, data.frames.spec.bins, name) for values in _whole_tracks(data.frames, tracks)]
    table = pd.DataFrame(np.concatenate(rows), columns=feature_names(name))
    return pd.concat([tracks, table], axis=1)


def feature_names(name: str) -> list[str]:
    """Return the names of the columns of a feature set: a series and its statistic, as in ``mfcc_1_mean``.

    The seven bands of spectral contrast are pooled into one series, ``contrast``. Frequencies are in Hz.
    """
    return [
        f"{_series_name(columns)}_{statistic}"
        for series, statistics in FEATURE_SETS[name]
        for columns in series
        for statistic in statistics
    ]


def tracks_of(split: pd.DataFrame) -> pd.DataFrame:
    """Return `FACTS` of the tracks in a part of ``split.parquet``, sorted by track_id; no shifted copies."""
    own = split[split["part"].notna()]
    if "parent" in own:
        own = own[own["parent"].isna()]
    return own.drop_duplicates("track_id").sort_values("track_id", ignore_index=True)[list(FACTS)]


def _series_name(columns: tuple[str, ...]) -> str:
    if len(columns) > 1:
        return columns[0].rsplit("_", 1)[0]
    return columns[0].removesuffix(KHZ) + "_hz" if columns[0].endswith(KHZ) else columns[0]


def _whole_tracks(frames: Frames, tracks: pd.DataFrame) -> Iterator[np.ndarray]:
    """Yield the values of all frames of each track, (1, n_frames, n_bins)."""
    index = frames.index.set_index("track_id").loc[tracks["track_id"]]
    for first, length in zip(index["first_frame"], index["n_frames"], strict=True):
        yield frames.gather(np.array([first]), length, np.array([length]))
