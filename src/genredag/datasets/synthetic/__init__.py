"""The built-in data set: ten genres named as in GTZAN, generated from a seed.

`genres` defines the style of each genre. `artists` draws artists from a style. `score` composes a track for
an artist from the patterns in `rhythm` and `harmony`. `render` synthesises it with `instruments` and
simulates the recording.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from joblib import Parallel, delayed

from genredag.datasets.synthetic.artists import artist_name
from genredag.datasets.synthetic.genres import GENRES
from genredag.datasets.synthetic.render import render_track
from genredag.params.groups.datasets import Synthetic
from genredag.runtime.files import atomic_path
from genredag.runtime.progress import progress

HOMEPAGE = "this project"
LICENSE = "MIT, like the code that generates it"
CITATION = "% cite genredag: CITATION.cff\n"
VERSION = 1  # of the generator: increase it when any sample changes, so that no cache mixes versions


def list_tracks(params: Synthetic, *, cache_dir: Path, n_jobs: int) -> pd.DataFrame:
    """List the tracks of the data set, rendering those that are not in `cache_dir` yet.

    Returns
    -------
    pd.DataFrame
        One row per track: track_id, genre, artist, path (relative to `cache_dir`), subset and subgenres
        (None).
    """
    cache_dir = Path(cache_dir)
    tracks = tabulate(params)
    missing = tracks[[not (cache_dir / path).is_file() for path in tracks["path"]]]
    jobs = (
        delayed(_render_file)(cache_dir / path, genre, int(Path(path).stem.split(".")[1]), params)
        for genre, path in zip(missing["genre"], missing["path"], strict=True)
    )
    rendered = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(jobs)
    for _ in progress(rendered, "rendering synthetic tracks", total=len(missing)):
        pass
    return tracks


def tabulate(params: Synthetic) -> pd.DataFrame:
    """List the tracks without rendering them."""
    folder = f"synthetic-{_cache_key(params)}"
    rows = [
        (f"{genre}.{index:05d}", genre, artist_name(genre, index // params.tracks_per_artist))
        for genre in GENRES
        for index in range(params.tracks_per_genre)
    ]
    tracks = pd.DataFrame(rows, columns=["track_id", "genre", "artist"])
    tracks["path"] = folder + "/" + tracks["genre"] + "/" + tracks["track_id"] + ".flac"
    tracks["subset"] = tracks["subgenres"] = pd.Series([None] * len(tracks), dtype=object)
    return tracks


def _cache_key(params: Synthetic) -> str:
    values = json.dumps({"version": VERSION, **params.model_dump()}, sort_keys=True)
    return hashlib.sha256(values.encode()).hexdigest()[:16]


def _render_file(path: Path, genre: str, index: int, params: Synthetic) -> None:
    wave = render_track(
        genre,
        index,
        tracks_per_artist=params.tracks_per_artist,
        clip_seconds=params.clip_seconds,
        sr=params.sr,
        seed=params.seed,
    )
    with atomic_path(path) as temporary:
        soundfile.write(temporary, np.round(wave * 32767).astype(np.int16), params.sr, subtype="PCM_16")
