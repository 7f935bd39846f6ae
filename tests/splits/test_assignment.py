"""Assignment to parts: sizes in closed form, and artists where the order of decisions matters.

The protocols' tests cover the rest.
"""

import numpy as np
import pandas as pd
import pytest

from genredag.splits.assignment import assign_by_artist, sizes

RATIOS = [0.8, 0.1, 0.1]


@pytest.mark.parametrize(
    ("n", "ratios", "expected"),
    [
        (100, [0.8, 0.1, 0.1], [80, 10, 10]),
        (99, [0.8, 0.1, 0.1], [79, 10, 10]),
        (10, [0.7, 0.15, 0.15], [7, 2, 1]),
        (3, [0.8, 0.1, 0.1], [1, 1, 1]),
        (3, [0.34, 0.33, 0.33], [1, 1, 1]),
        (5, [0.98, 0.01, 0.01], [3, 1, 1]),
        (1000, [0.7, 0.2, 0.1], [700, 200, 100]),
    ],
)
def test_sizes_in_closed_form(n, ratios, expected):
    assert sizes(n, ratios) == expected


def genres_by_part(artists_of, seed):
    """Assign artists of a track each, and return the number of tracks (genre, part)."""
    rows = [(genre, artist) for genre, artists in artists_of.items() for artist in artists]
    tracks = pd.DataFrame(rows, columns=["genre", "artist"])
    tracks["track_id"] = [f"{number:03d}" for number in tracks.index]
    part = assign_by_artist(tracks, RATIOS, np.random.default_rng(seed))
    return pd.crosstab(tracks["genre"], part).reindex(columns=range(3), fill_value=0).to_numpy()


@pytest.mark.parametrize("seed", range(20))
def test_every_part_gets_every_genre_though_a_rare_genre_shares_its_artists(seed):
    """Were the genres taken in order, x and y could both be tested, and c lack an artist elsewhere."""
    artists_of = {"a": ["x", *"defg"], "b": ["y", *"hijk"], "c": ["x", "y", "z"]}
    assert genres_by_part(artists_of, seed).min() > 0


@pytest.mark.parametrize("seed", range(5))
def test_artists_of_any_size_leave_each_genre_close_to_the_ratios(seed):
    rng = np.random.default_rng(seed)
    artists_of = {
        genre: [f"{genre} {artist}" for artist in range(25) for _ in range(rng.integers(1, 8))]
        for genre in ("a", "b")
    }
    counts = genres_by_part(artists_of, seed)
    assert counts / counts.sum(axis=1, keepdims=True) == pytest.approx(np.array([RATIOS] * 2), abs=0.03)
