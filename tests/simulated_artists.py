"""Artists of unequal size, as in test sets of real collections."""

import numpy as np


def sizes_of(n_tracks, by_artist, rng):
    """Return the number of test tracks per artist: one, or varying with a mean of three."""
    if not by_artist:
        return np.ones(n_tracks, int)
    sizes = np.minimum(rng.geometric(0.35, n_tracks), 12)
    sizes = sizes[np.cumsum(sizes) <= n_tracks]
    return np.append(sizes, n_tracks - sizes.sum()) if sizes.sum() < n_tracks else sizes
