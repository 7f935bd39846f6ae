"""A map of a data set's tracks: neighbours have similar means and standard deviations of their bins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from genredag.frames.store import Frames

N_LEAST = 3  # fewer tracks always lie on a line
N_TRACKS = 1000  # at most, shared evenly between the genres: the marks of more tracks would overlap


def tracks_to_map(tracks: pd.DataFrame, frames: Frames) -> pd.DataFrame:
    """Choose tracks of a frame store, evenly over the genres.

    Returns
    -------
    pd.DataFrame
        track_id, genre, first_frame, n_frames.
    """
    known = tracks[["track_id", "genre"]].merge(frames.index, on="track_id").sort_values("track_id")
    return known.groupby("genre").head(max(1, N_TRACKS // max(1, known["genre"].nunique())))


def track_features(frames: Frames, rows: pd.DataFrame) -> np.ndarray:
    """Return the mean and standard deviation over time of each bin, shape (n_tracks, 2 * n_bins)."""
    summaries = []
    for first, length in zip(rows["first_frame"], rows["n_frames"], strict=True):
        values = frames.spec.decode(frames.array[first : first + length])
        summaries.append(np.concatenate([values.mean(axis=0), values.std(axis=0)]))
    return np.array(summaries)


def principal_components(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first two principal components (n_tracks, 2), and their shares of the variance.

    Features are standardised, so that all have the same weight.
    """
    from sklearn.decomposition import PCA
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    pipeline = make_pipeline(StandardScaler(), PCA(2, svd_solver="full"))
    with threadpool_limits(1):  # on so small a matrix, threads only wait: seconds on a busy machine
        points = pipeline.fit_transform(features)
    return points, pipeline[-1].explained_variance_ratio_
