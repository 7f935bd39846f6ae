"""Tables of slice predictions, and how the slices of a track are combined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from genredag.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

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
    import pandas as pd

    names = class_names(predictions)
    tracks = predictions.groupby(["track_id", "part"])
    shares, score = combined(probabilities_of(predictions), tracks.ngroup().to_numpy(), decision)
    decided = tracks[["genre", "artist"]].first().reset_index()
    decided["predicted"] = np.array(names, dtype=object)[score.argmax(axis=1)]
    return pd.concat([decided, pd.DataFrame(shares, columns=[PREFIX + name for name in names])], axis=1)


def combined(values: np.ndarray, track_of: np.ndarray, decision: Decision) -> tuple[np.ndarray, np.ndarray]:
    """Combine the probabilities of slices, (n_slices, n_classes), into those of their tracks.

    Parameters
    ----------
    track_of
        The track of each slice, numbered from 0.
    decision
        See `track_predictions`.

    Returns
    -------
    shares
        A share for each class, which add up to 1, (n_tracks, n_classes).
    score
        The largest decides, (n_tracks, n_classes).
    """
    sizes = np.bincount(track_of)[:, np.newaxis]

    def total(rows: np.ndarray) -> np.ndarray:
        sums = np.zeros((len(sizes), values.shape[1]))
        np.add.at(sums, track_of, rows)
        return sums

    mean = shares = total(values) / sizes
    score = mean
    if decision == "vote":
        votes = total(np.eye(values.shape[1])[values.argmax(axis=1)])
        shares, score = votes / sizes, votes + mean / 2
    elif decision == "log_sum":
        score = total(np.log(np.maximum(values, np.finfo(np.float32).tiny)))
        powers = np.exp(score - score.max(axis=1, keepdims=True))
        shares = powers / powers.sum(axis=1, keepdims=True)
    return shares, score
