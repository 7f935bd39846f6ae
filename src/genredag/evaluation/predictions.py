"""Predictions: what a model says of slices, and what the slices of a track say together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from genredag.batches import CHUNK, slice_set
from genredag.errors import DataError
from genredag.progress import progress

if TYPE_CHECKING:
    from genredag.bundle import Bundle
    from genredag.frames import Frames

Decision = Literal["mean", "vote", "log_sum"]
PREFIX = "p_"


def predict_split(bundle: Bundle, frames: Frames, slices: pd.DataFrame, split: pd.DataFrame) -> pd.DataFrame:
    """Predict the validation and test slices.

    Parameters
    ----------
    slices, split
        ``slices.parquet`` and ``split.parquet``, rows in the same order.

    Returns
    -------
    pd.DataFrame
        track_id, slice, part, genre, predicted, and p_<genre> (float32) for each class.

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
    predictions = held_out[["track_id", "slice", "part", "genre"]].copy()
    predictions["predicted"] = np.array(names, dtype=object)[probabilities.argmax(axis=1)]
    columns = pd.DataFrame(probabilities, columns=[PREFIX + name for name in names])
    return pd.concat([predictions, columns], axis=1)


def class_names(predictions: pd.DataFrame) -> list[str]:
    """Return the classes of `predictions`, in the order of their columns.

    Raises
    ------
    DataError
        There are no columns of probabilities.
    """
    names = [name.removeprefix(PREFIX) for name in predictions.columns if name.startswith(PREFIX)]
    if not names:
        raise DataError("no columns p_<genre>", where="predictions", hint="rerun the evaluate stage")
    return names


def probabilities_of(predictions: pd.DataFrame) -> np.ndarray:
    """Return the probabilities in `predictions`, float64 (n_rows, n_classes)."""
    return predictions[[PREFIX + name for name in class_names(predictions)]].to_numpy(np.float64)


def track_predictions(predictions: pd.DataFrame, decision: Decision) -> pd.DataFrame:
    """Let the slices of each track decide for it.

    Parameters
    ----------
    decision
        ``"mean"`` of the probabilities; ``"vote"``: share of slices won, a tie going to the larger mean;
        ``"log_sum"``: normalised product of the probabilities.

    Returns
    -------
    pd.DataFrame
        track_id, part, genre, predicted, p_<genre>; one row a track, sorted by track_id.
    """
    names = class_names(predictions)
    track_ids, track_of = np.unique(predictions["track_id"].to_numpy(str), return_inverse=True)
    sizes = np.bincount(track_of, minlength=len(track_ids))[:, np.newaxis]
    values = probabilities_of(predictions)

    def total(rows: np.ndarray) -> np.ndarray:
        sums = np.zeros((len(track_ids), len(names)))
        np.add.at(sums, track_of, rows)
        return sums

    mean = shares = total(values) / sizes
    score = mean
    if decision == "vote":
        votes = total(np.eye(len(names))[values.argmax(axis=1)])
        shares, score = votes / sizes, votes + mean / 2
    elif decision == "log_sum":
        score = total(np.log(np.maximum(values, np.finfo(np.float32).tiny)))
        powers = np.exp(score - score.max(axis=1, keepdims=True))
        shares = powers / powers.sum(axis=1, keepdims=True)
    tracks = predictions.groupby("track_id", as_index=False)[["part", "genre"]].first()
    tracks["predicted"] = np.array(names, dtype=object)[score.argmax(axis=1)]
    return pd.concat([tracks, pd.DataFrame(shares, columns=[PREFIX + name for name in names])], axis=1)
