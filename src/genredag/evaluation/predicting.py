"""Let a model predict the slices that it was not trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from genredag.batches import CHUNK, slice_set
from genredag.evaluation.predictions import PREFIX
from genredag.progress import progress

if TYPE_CHECKING:
    from genredag.bundle import Bundle
    from genredag.frames import Frames


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
    rows = split["part"].isin(["validation", "test"]).to_numpy()
    held_out = split[rows].reset_index(drop=True)
    names = bundle.class_names
    data = slice_set(frames, slices[rows], bundle.info["slices"]["n_frames"], held_out["genre"], names)
    total = -(-len(data) // CHUNK)
    chunks = progress(data.chunks(), f"predicting with {bundle.info['model']}", total)
    probabilities = np.concatenate([bundle.predict(chunk) for chunk in chunks])
    predictions = held_out[["track_id", "slice", "part", "genre", "artist"]].copy()
    predictions["predicted"] = np.array(names, dtype=object)[probabilities.argmax(axis=1)]
    columns = pd.DataFrame(probabilities, columns=[PREFIX + name for name in names])
    return pd.concat([predictions, columns], axis=1)
