"""A balanced mix of GTZAN and FMA: GTZAN's tracks first, the rest of each genre drawn from FMA."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from genredag.datasets import fma as fma_module
from genredag.datasets import gtzan as gtzan_module
from genredag.errors import DataError
from genredag.params.groups.datasets import Download, GenreSources, GtzanFma
from genredag.tracks.artists import artist_key
from genredag.tracks.manifest import LISTED

logger = logging.getLogger(__name__)

HOMEPAGE = f"{gtzan_module.HOMEPAGE} and {fma_module.HOMEPAGE}"
LICENSE = f"GTZAN: {gtzan_module.LICENSE}; FMA: {fma_module.LICENSE}"
CITATION = gtzan_module.CITATION + fma_module.CITATION


def list_tracks(params: GtzanFma, *, download: Download, cache_dir: Path) -> pd.DataFrame:
    """Get both data sets and mix them.

    Raises
    ------
    DataError
        One of them can't be obtained, or a genre has too few tracks.
    """
    gtzan_tracks = gtzan_module.list_tracks(params.gtzan, download=download, cache_dir=cache_dir)
    fma_tracks = fma_module.list_tracks(
        params.fma, subset=params.size, download=download, cache_dir=cache_dir
    )
    return mix(params, gtzan_tracks, fma_tracks)


def mix(params: GtzanFma, gtzan: pd.DataFrame, fma: pd.DataFrame) -> pd.DataFrame:
    """Draw `tracks_per_genre` tracks of each genre, GTZAN's before FMA's.

    An FMA track can match several genres, because Metal, for example, is a sub-genre of Rock in FMA. The
    track goes to the genre with the fewest matching tracks. An artist found in both data sets is spelled as
    in GTZAN, so that splits by artist keep all their tracks together. The official splits of the two data
    sets disagree on artists and are dropped.

    Parameters
    ----------
    gtzan, fma
        Tracks with the columns `LISTED`.

    Raises
    ------
    DataError
        A genre has too few tracks.
    """
    fits = _fma_genres(params.genres, fma)
    from_gtzan, from_fma, short = [], [], []
    for index, (genre, sources) in enumerate(params.genres.items()):
        rng = np.random.default_rng([params.seed, index])
        own = _draw(gtzan[gtzan["genre"].isin(sources.gtzan)], params.tracks_per_genre, rng)
        rest = _draw(fma[fits == genre], params.tracks_per_genre - len(own), rng)
        from_gtzan.append(own.assign(genre=genre))
        from_fma.append(rest.assign(genre=genre))
        if len(own) + len(rest) < params.tracks_per_genre:
            short.append((len(own) + len(rest), genre))
    if short:
        raise DataError(
            f"too few tracks: {', '.join(f'{genre} {count}' for count, genre in short)}",
            where="datasets.gtzan_fma",
            expected=f"{params.tracks_per_genre} of each genre",
            hint=f"set tracks_per_genre to {min(short)[0]}, draw from a larger FMA, or map more genres",
        )
    tracks = pd.concat([*from_gtzan, *from_fma], ignore_index=True)
    return tracks.assign(artist=_one_spelling(tracks["artist"]), subset=None)[LISTED]


def _fma_genres(genres: dict[str, GenreSources], fma: pd.DataFrame) -> pd.Series:
    """Return the genre that each FMA track goes to, None for tracks that match no genre."""
    names = [
        {genre, *(subgenres or "").split("; ")}
        for genre, subgenres in zip(fma["genre"], fma["subgenres"], strict=True)
    ]
    fitting = {
        genre: [bool(found & set(sources.fma)) for found in names] for genre, sources in genres.items()
    }
    result = pd.Series(None, index=fma.index, dtype=object)
    for genre in sorted(fitting, key=lambda name: sum(fitting[name]), reverse=True):
        result[fitting[genre]] = genre
    return result


def _draw(tracks: pd.DataFrame, count: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw up to `count` rows; the result does not depend on the order of rows."""
    tracks = tracks.sort_values("track_id")
    return tracks.iloc[np.sort(rng.permutation(len(tracks))[:count])]


def _one_spelling(artists: pd.Series) -> pd.Series:
    """Spell each artist as in their first track."""
    keys = artists.map(artist_key, na_action="ignore")
    return artists.groupby(keys).transform("first")
