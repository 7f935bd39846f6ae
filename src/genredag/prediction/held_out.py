"""Predictions on the slices that a model was not trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from genredag.bundles.predictor import BATCH_SIZE
from genredag.evaluation.predictions import PREFIX
from genredag.runtime.progress import progress

if TYPE_CHECKING:
    from genredag.bundles.predictor import Predictor
    from genredag.frames.split_slices import SplitSlices

HELD_OUT = ("validation", "test")


def predict_split(bundle: Predictor, data: SplitSlices) -> pd.DataFrame:
    """Predict the validation and test slices.

    Returns
    -------
    pd.DataFrame
        track_id, slice, part, genre, artist, predicted, and p_<genre> (float32) for each class.

    Raises
    ------
    ModelError
        The kind of frames or the length of slices differs from what the bundle was trained on.
    """
    bundle.check_frames(data.frames.spec)
    held_out = data.split[data.is_in(*HELD_OUT)].reset_index(drop=True)
    names = bundle.class_names
    slices = data.part(*HELD_OUT, class_names=names)
    chunks = _tracks(held_out) if bundle.is_network else _batches(len(held_out))
    probabilities = np.empty((len(slices), len(names)), np.float32)
    for rows in progress(chunks, f"predicting with {bundle.info['model']}", len(chunks)):
        probabilities[rows] = bundle.predict(slices.take(rows), slices.n_valid[rows])
    predictions = held_out[["track_id", "slice", "part", "genre", "artist"]].copy()
    predictions["predicted"] = np.array(names, dtype=object)[probabilities.argmax(axis=1)]
    columns = pd.DataFrame(probabilities, columns=[PREFIX + name for name in names])
    return pd.concat([predictions, columns], axis=1)


def _tracks(held_out: pd.DataFrame) -> list[np.ndarray]:
    """Return the rows of each track that are in the same part.

    Networks predict them together, as a song: their float32 rounds differently in batches of other sizes.
    """
    tracks = held_out.groupby(["part", "track_id"], sort=False).indices
    return [np.asarray(rows) for rows in tracks.values()]


def _batches(n: int) -> list[np.ndarray]:
    """Return runs of n rows, for estimators: a forest takes as long for a few slices as for a batch."""
    return np.split(np.arange(n), range(BATCH_SIZE, n, BATCH_SIZE))
