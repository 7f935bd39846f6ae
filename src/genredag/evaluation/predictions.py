"""Tables of slice predictions, and how the slices of a track are combined."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from genredag.errors import DataError

Decision = Literal["mean", "vote", "log_sum"]
PREFIX = "p_"


def class_names(predictions: pd.DataFrame) -> list[str]:
    """Return the classes of `predictions`, in column order.

    Raises
    ------
    DataError
        There are no probability columns.
    """
    names = [name.removeprefix(PREFIX) for name in predictions.columns if name.startswith(PREFIX)]
    if not names:
        raise DataError("no columns p_<genre>", where="predictions", hint="rerun the evaluate stage")
    return names


def probabilities_of(predictions: pd.DataFrame) -> np.ndarray:
    """Return the probabilities in `predictions`, float64 (n_rows, n_classes)."""
    return predictions[[PREFIX + name for name in class_names(predictions)]].to_numpy(np.float64)


def track_predictions(predictions: pd.DataFrame, decision: Decision) -> pd.DataFrame:
    """Combine the slices of each track into one prediction.

    Parameters
    ----------
    decision
        ``"mean"``: mean of the probabilities. ``"vote"``: share of the slices' votes; the larger mean wins
        ties. ``"log_sum"``: normalised product of the probabilities.

    Returns
    -------
    pd.DataFrame
        track_id, part, genre, artist, predicted, p_<genre>; one row per track (in a leaky split: per track
        and part), sorted by track_id and part.
    """
    names = class_names(predictions)
    tracks = predictions.groupby(["track_id", "part"])
    track_of, n_tracks = tracks.ngroup().to_numpy(), tracks.ngroups
    sizes = np.bincount(track_of, minlength=n_tracks)[:, np.newaxis]
    values = probabilities_of(predictions)

    def total(rows: np.ndarray) -> np.ndarray:
        sums = np.zeros((n_tracks, len(names)))
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
    decided = tracks[["genre", "artist"]].first().reset_index()
    decided["predicted"] = np.array(names, dtype=object)[score.argmax(axis=1)]
    return pd.concat([decided, pd.DataFrame(shares, columns=[PREFIX + name for name in names])], axis=1)
