"""Draw a share of the training tracks of a split."""

from __future__ import annotations

import numpy as np
import pandas as pd

from genredag.evaluation.intervals import cluster_names


def with_share(split: pd.DataFrame, share: float, seed: int) -> pd.DataFrame:
    """Return a split in which only a share of the training tracks is left; the others are in no part.

    Augmented tracks stay with their original. Validation and test stay as they are.

    Parameters
    ----------
    split
        ``split.parquet``, which is not leaky.
    share
        In 0..1; see `drawn`.
    """
    original, trains = _originals(split), split["part"] == "train"
    tracks = split[trains & (original == split["track_id"])].drop_duplicates("track_id")
    tracks = tracks.sort_values("track_id", ignore_index=True)
    tracks["group"] = cluster_names(tracks)
    kept = tracks.loc[drawn(tracks, share, seed), "track_id"]
    return split.assign(part=split["part"].mask(trains & ~original.isin(kept)))


def count_training(split: pd.DataFrame) -> int:
    """Return the number of training tracks, without augmented ones."""
    return int(_originals(split)[split["part"] == "train"].nunique())


def drawn(tracks: pd.DataFrame, share: float, seed: int) -> np.ndarray:
    """Return which tracks to train on: `share` of each genre, artist by artist; the last one may be cut.

    A smaller share is part of a larger one with the same seed. Every genre keeps at least one track.

    Parameters
    ----------
    tracks
        genre and group (the artist, or the track if it is unknown), (n_tracks,).
    """
    rng, chosen = np.random.default_rng(seed), np.zeros(len(tracks), bool)
    group = tracks["group"].to_numpy(str)
    for _, rows in sorted(tracks.groupby("genre").indices.items()):
        place = {artist: i for i, artist in enumerate(rng.permutation(np.unique(group[rows])))}
        order = np.argsort([place[artist] for artist in group[rows]], kind="stable")
        chosen[rows[order[: max(1, round(share * len(rows)))]]] = True
    return chosen


def _originals(split: pd.DataFrame) -> pd.Series:
    return split["parent"].fillna(split["track_id"]) if "parent" in split else split["track_id"]
