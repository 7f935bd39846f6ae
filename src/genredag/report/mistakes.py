"""The most confident mistakes of a model."""

from __future__ import annotations

import numpy as np
import pandas as pd

from genredag.evaluation.predictions import class_names, probabilities_of

N_SHOWN = 10


def surest_mistakes(tracks: pd.DataFrame) -> pd.DataFrame:
    """Return up to `N_SHOWN` misclassified tracks, the most confident first.

    Parameters
    ----------
    tracks
        Predictions of test tracks: track_id, genre, predicted, p_<genre>; a track may occur once per seed.

    Returns
    -------
    pd.DataFrame
        track_id, genre, predicted; confidence (probability of the predicted genre) and truth (probability of
        the actual genre), from the track's most confident mistake; n_wrong out of n_tests.
    """
    column_of = pd.Index(class_names(tracks))
    probabilities, rows = probabilities_of(tracks), np.arange(len(tracks))
    table = tracks[["track_id", "genre", "predicted"]].assign(
        confidence=probabilities[rows, column_of.get_indexer(pd.Index(tracks["predicted"]))],
        truth=probabilities[rows, column_of.get_indexer(pd.Index(tracks["genre"]))],
        wrong=tracks["predicted"] != tracks["genre"],
    )
    times = table.groupby("track_id")["wrong"].agg(n_wrong="sum", n_tests="size").reset_index()
    surest = table[table.pop("wrong")].sort_values(["confidence", "track_id"], ascending=[False, True])
    surest = surest.drop_duplicates("track_id").head(N_SHOWN)
    return surest.merge(times, on="track_id", how="left")
