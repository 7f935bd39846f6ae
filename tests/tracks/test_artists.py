"""Artists: spellings and collaborations are grouped, and no split by artist separates them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genredag.datasets.gtzan import read_facts
from genredag.errors import DataError
from genredag.evaluation.intervals import cluster_names
from genredag.params.groups.splits import Stratified
from genredag.splits.assignment import assign_by_artist
from genredag.splits.split import check_split, split_slices
from genredag.tracks.artists import artist_groups, artist_key

BY_ARTIST = Stratified(protocol="stratified", ratios=[0.8, 0.1, 0.1], group_by="artist")
# What the facts of GTZAN hold: two bands in two spellings, and its collaborations with artists of its own.
ONE_GROUP = [
    {"Rage Against the Machine", "Rage Against The Machine"},
    {"Earth, Wind & Fire", "Earth Wind and Fire"},
    {"Bob Marley", "Lauryn Hill", "Lauryn Hill and Bob Marley"},
    {"Peter Tosh", "Peter Tosh and Mick Jagger"},
    {"Donna Summer", "Barbra Streisand and Donna Summer"},
    {
        *("Celine Dion", "Mariah Carey", "Shania Twain"),
        "Aretha Franklin, Celine Dion, Mariah Carey, Shania Twain & Gloria Estefan",
    },
]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2 Pac", "2Pac"),
        ("The Beatles", "Beatles"),
        ("Beatles, The", "The Beatles"),
        ("Sinéad O'Connor", "Sinead OConnor"),
        ("Kool & The Gang", "Kool and the Gang"),
        ("Eve feat. Gwen Stefani", "EVE"),
        ("Bjo\u0308rk", "Björk"),
    ],
)
def test_spellings_of_one_artist(one, other):
    assert artist_key(one) == artist_key(other)


@pytest.mark.parametrize(("one", "other"), [("Queen", "Queens"), ("!!!", "???"), ("Feat", "Ft")])
def test_other_artists_stay_apart(one, other):
    assert artist_key(one) != artist_key(other)


@given(st.text(min_size=1))
def test_a_key_is_its_own_key(name):
    assert artist_key(artist_key(name)) == artist_key(name)


def groups_of(*names):
    groups = artist_groups(pd.Series(names, dtype="str"))
    return [set(members) for _, members in pd.Series(names).groupby(groups)]


def test_a_collaboration_joins_the_artists_that_are_there():
    assert groups_of("X and Y", "Y", "X", "Z") == [{"X and Y", "X", "Y"}, {"Z"}]
    assert groups_of("X feat. Y", "The Y", "Z & x") == [{"X feat. Y", "The Y", "Z & x"}]
    assert groups_of("Earth, Wind & Fire", "Earth Wind and Fire", "Air") == [
        {"Air"},
        {"Earth, Wind & Fire", "Earth Wind and Fire"},
    ]
    assert groups_of("AC/DC", "AC") == [{"AC"}, {"AC/DC"}]


def test_a_group_is_named_by_a_spelling_and_unknown_artists_stay_unknown():
    found = artist_groups(pd.Series(["Y", None, "X and Y"], dtype="str"))
    assert found.tolist()[::2] == ["X and Y", "X and Y"] and found.isna().tolist() == [False, True, False]
    assert artist_groups(pd.Series([None, None], dtype="str")).isna().all()


@given(st.lists(st.sampled_from(["X", "x", "The X", "Y", "X and Y", "Y feat. Z", "Z", "W"])), st.randoms())
def test_the_order_of_rows_does_not_matter(names, order):
    shuffled = order.sample(names, len(names))
    one, other = (
        dict(zip(some, artist_groups(pd.Series(some, dtype="str")), strict=True))
        for some in (names, shuffled)
    )
    assert one == other


def test_gtzan_has_two_artists_of_two_spellings_and_four_collaborations():
    artists = read_facts()["artist"].dropna()
    groups = artists.groupby(artist_groups(artists)).agg(set)
    assert sorted(map(sorted, groups[groups.map(len) > 1])) == sorted(map(sorted, ONE_GROUP))


@pytest.fixture(scope="module")
def gtzan():
    """Give the manifest of GTZAN's 1,000 tracks."""
    tracks = read_facts().reset_index()[["track_id", "genre", "artist", "subset"]]
    return tracks.assign(status="ok", sha256=tracks["track_id"]).sort_values("track_id", ignore_index=True)


@pytest.mark.parametrize("seed", range(20))
def test_no_spelling_and_no_collaboration_of_gtzan_crosses(gtzan, seed):
    part = assign_by_artist(gtzan, [0.8, 0.1, 0.1], np.random.default_rng(seed))
    keys = gtzan["artist"].map(artist_key, na_action="ignore")
    assert pd.Series(part).groupby(keys).nunique().max() == 1
    for names in ONE_GROUP:
        assert len(set(part[gtzan["artist"].isin(names)])) == 1


@pytest.mark.parametrize("names", [("The Wailers", "wailers"), ("Bob Marley", "Lauryn Hill & Bob Marley")])
def test_the_check_catches_them(gtzan, names):
    slices = gtzan[["track_id"]].assign(slice=0)
    split = split_slices(gtzan, slices, BY_ARTIST, seed=0)
    check_split(split, gtzan, BY_ARTIST)
    for name, part in zip(names, ("train", "test"), strict=True):
        first = split.index[(split["part"] == part) & (split["genre"] == "rock")][0]
        split.loc[first, "artist"] = name
    with pytest.raises(DataError, match="the same artist in two parts"):
        check_split(split, gtzan, BY_ARTIST)


def test_collaborators_are_resampled_together():
    table = pd.DataFrame({"track_id": list("abcd"), "artist": ["X", "The X", "X and Y", None]})
    assert len(set(cluster_names(table))) == 2
