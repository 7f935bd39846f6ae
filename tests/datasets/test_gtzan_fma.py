from __future__ import annotations

import pandas as pd
import pytest

from genredag.datasets.gtzan_fma import mix
from genredag.errors import DataError
from genredag.params.groups.datasets import GtzanFma
from genredag.tracks.artists import artist_key
from genredag.tracks.manifest import LISTED

GENRES = {
    "rock": {"gtzan": ["rock"], "fma": ["Rock"]},
    "metal": {"gtzan": ["metal"], "fma": ["Metal"]},
    "reggae": {"gtzan": ["reggae"], "fma": ["Reggae - Dub", "Reggae - Dancehall"]},
}


def group(tracks_per_genre: int = 10, seed: int = 1, **genres: dict) -> GtzanFma:
    values = {
        "tracks_per_genre": tracks_per_genre,
        "seed": seed,
        "gtzan": {"path": None, "mirrors": []},
        "size": "medium",
        "fma": {"path": None, "mirrors": [], "metadata_path": None, "metadata_mirrors": []},
        "genres": genres or GENRES,
    }
    return GtzanFma.model_validate(values)


def gtzan(n: int = 4) -> pd.DataFrame:
    rows = [
        (f"{genre}.{index:05d}", genre, "The Wailers" if genre == "reggae" else None, "", "train", None)
        for genre in ("metal", "reggae", "rock", "pop")
        for index in range(n)
    ]
    return pd.DataFrame(rows, columns=LISTED)


def fma(n: int = 12) -> pd.DataFrame:
    kinds = [("Rock", "Rock"), ("Rock", "Rock; Metal"), ("International", "International; Reggae - Dub")]
    kinds += [
        ("International", "International; Reggae - Dancehall"),
        ("Rock", "Rock; Punk"),
        ("Folk", "Folk"),
    ]
    rows = [
        (
            f"fma.{1000 * kind + index:06d}",
            genre,
            f"Wailers {index}" if index else "Wailers",
            "",
            "test",
            subgenres,
        )
        for kind, (genre, subgenres) in enumerate(kinds)
        for index in range(n)
    ]
    return pd.DataFrame(rows, columns=LISTED)


def test_genres_are_balanced_and_gtzan_tracks_come_first():
    tracks = mix(group(), gtzan(), fma())
    assert tracks["genre"].value_counts().to_dict() == {"rock": 10, "metal": 10, "reggae": 10}
    ours = tracks[~tracks["track_id"].str.startswith("fma.")]
    assert ours["genre"].value_counts().to_dict() == {"rock": 4, "metal": 4, "reggae": 4}
    assert tracks["track_id"].is_unique
    assert tracks["subset"].isna().all()


def test_a_track_that_fits_several_genres_goes_to_the_rarest():
    tracks = mix(group(), gtzan(), fma())
    drawn = tracks[tracks["track_id"].str.startswith("fma.")]
    assert set(drawn.loc[drawn["genre"] == "metal", "subgenres"]) == {"Rock; Metal"}
    assert set(drawn.loc[drawn["genre"] == "rock", "subgenres"]) == {"Rock", "Rock; Punk"}
    assert drawn.loc[drawn["genre"] == "reggae", "subgenres"].str.contains("Reggae").all()


def test_the_sample_depends_on_the_seed_not_on_the_order():
    first = mix(group(), gtzan(), fma())
    shuffled = mix(group(), gtzan().sample(frac=1, random_state=0), fma().sample(frac=1, random_state=0))
    other = mix(group(seed=2), gtzan(), fma())
    pd.testing.assert_frame_equal(first, shuffled)
    assert set(first["track_id"]) != set(other["track_id"])


def test_few_tracks_are_sampled_from_gtzan_only():
    tracks = mix(group(2), gtzan(), fma())
    assert len(tracks) == 6
    assert not tracks["track_id"].str.startswith("fma.").any()


def test_an_artist_in_both_data_sets_is_one_artist():
    tracks = mix(group(16), gtzan(), fma())
    names = tracks.loc[tracks["artist"].map(artist_key, na_action="ignore") == "wailers", "artist"]
    assert len(names) > 4  # GTZAN's four, and FMA's of that name
    assert set(names) == {"The Wailers"}
    assert tracks.loc[tracks["track_id"].str.startswith("metal."), "artist"].isna().all()


def test_every_artist_has_a_single_spelling():
    tracks = mix(group(16), gtzan(), fma()).dropna(subset="artist")
    keys = tracks["artist"].map(artist_key)
    assert keys.nunique() < len(tracks)
    assert tracks.groupby(keys)["artist"].nunique().max() == 1


def test_too_few_tracks_are_reported_with_the_largest_balanced_number():
    with pytest.raises(
        DataError,
        match=r"too few tracks: rock 28, metal 16, reggae 28; expected 30 of .*tracks_per_genre to 16,",
    ):
        mix(group(30), gtzan(), fma())
