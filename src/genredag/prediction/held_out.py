"""Let a model predict the slices that it was not trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from genredag.evaluation.predictions import PREFIX
from genredag.frames.batches import CHUNK, slice_set
from genredag.runtime.progress import progress

if TYPE_CHECKING:
    from genredag.bundles.bundle import Bundle
    from genredag.frames.store import Frames


def predict_split(bundle: Bundle, frames: Frames, slices: pd.DataFrame, split: pd.DataFrame) -> pd.DataFrame:
    """Predict the validation and test slices.

    Parameters
    ----------
    slices, split
        ``slices.parquet`` and ``split.parquet``, rows in the same order.

    Returns
    -------
    pd.DataFrame
        track_id, slice, part, genre, artist, predicted, and p_<genre> (float32) for each class.

    Raises
    ------
    ModelError
        The frames are of another kind than the bundle was trained on.
    """
    bundle.check_frames(frames.spec)
    is_held_out = split["part"].isin(["validation", "test"]).to_numpy()
    held_out = split[is_held_out].reset_index(drop=True)
    names = bundle.class_names
    data = slice_set(frames, slices[is_held_out], bundle.info["slices"]["n_frames"], held_out["genre"], names)
    chunks = _chunks(held_out, bundle.over_windows)
    probabilities = np.empty((len(data), len(names)), np.float32)
    for rows in progress(chunks, f"predicting with {bundle.info['model']}", len(chunks)):
        probabilities[rows] = bundle.predict(data.take(rows), data.n_valid[rows])
    predictions = held_out[["track_id", "slice", "part", "genre", "artist"]].copy()
    predictions["predicted"] = np.array(names, dtype=object)[probabilities.argmax(axis=1)]
    columns = pd.DataFrame(probabilities, columns=[PREFIX + name for name in names])
    return pd.concat([predictions, columns], axis=1)


def _chunks(held_out: pd.DataFrame, over_windows: bool) -> list[np.ndarray]:
    """Return the rows to predict at once: a few hundred, or those of a track that are in the same part."""
    n = len(held_out)
    if not over_windows:
        return np.split(np.arange(n), range(CHUNK, n, CHUNK))
    tracks = held_out.groupby(["part", "track_id"], sort=False).indices
    return [np.asarray(rows) for rows in tracks.values()]
