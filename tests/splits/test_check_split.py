"""Splits with one deliberate leak: each is detected, and the error names it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genredag.errors import DataError
from genredag.params.groups.splits import PARTS, KFold, LeakySlices, Official, Stratified
from genredag.splits.split import check_split, split_slices

BY_TRACK = Stratified(protocol="stratified", ratios=[0.8, 0.1, 0.1], group_by="track")
BY_ARTIST = Stratified(protocol="stratified", ratios=[0.8, 0.1, 0.1], group_by="artist")
CLEAN = [
    BY_TRACK,
    BY_ARTIST,
    KFold(protocol="kfold", k=5, group_by="track"),
    KFold(protocol="kfold", k=5, group_by="artist"),
    Official(protocol="official", test="test", validation_share=None),
    Official(protocol="official", test="validation", validation_share=0.2),
]
LEAKY_SLICES = LeakySlices(protocol="leaky_slices", ratios=[0.8, 0.1, 0.1])


def name_of(protocol):
    return "_".join(str(value) for value in protocol.model_dump().values() if not isinstance(value, list))


every_protocol = pytest.mark.parametrize("protocol", [*CLEAN, LEAKY_SLICES], ids=name_of)
clean_protocols = pytest.mark.parametrize("protocol", CLEAN, ids=name_of)
artist_protocols = pytest.mark.parametrize("protocol", [CLEAN[1], CLEAN[3]], ids=name_of)


def make_manifest():
    """Three genres of 40 tracks by ten artists each."""
    rows = [
        (f"{genre}.{i:05d}", genre, f"{genre} artist {i // 4}", PARTS[i % 4 % 3])
        for genre in ("blues", "disco", "rock")
        for i in range(40)
    ]
    manifest = pd.DataFrame(rows, columns=["track_id", "genre", "artist", "subset"])
    return manifest.assign(status="ok", sha256="hash of " + manifest["track_id"])


def make_split(manifest, protocol, children=False, seed=0):
    tracks = manifest["track_id"]
    table = pd.DataFrame({"track_id": tracks, "parent": None})
    if children:
        table = pd.concat([table, pd.DataFrame({"track_id": tracks + "~+2", "parent": tracks})])
    slices = table.loc[np.repeat(np.arange(len(table)), 2)] if not children else pd.concat([table, table])
    slices = slices.sort_values("track_id", ignore_index=True)
    slices["slice"] = slices.groupby("track_id").cumcount()
    return split_slices(manifest, slices if children else slices.drop(columns="parent"), protocol, seed)


def a_track(split, part, n=0):
    return split.loc[(split["part"] == part) & ~split["track_id"].str.contains("~"), "track_id"].unique()[n]


@every_protocol
@pytest.mark.parametrize("children", [False, True])
def test_a_sound_split_passes(protocol, children):
    manifest = make_manifest()
    check_split(make_split(manifest, protocol, children), manifest, protocol)


@every_protocol
def test_a_slice_in_two_parts_is_refused(protocol):
    manifest = make_manifest()
    split = make_split(manifest, protocol)
    row = split[split["part"] == "train"].iloc[[4]]
    split = pd.concat([split, row.assign(part="test")])
    number, name = row["slice"].iloc[0], row["track_id"].iloc[0]
    with pytest.raises(DataError, match=f"the same slice twice: {number} of {name} in test and in train"):
        check_split(split, manifest, protocol)


@clean_protocols
def test_a_track_in_two_parts_is_refused(protocol):
    manifest = make_manifest()
    split = make_split(manifest, protocol)
    name = a_track(split, "train")
    split.loc[split.index[split["track_id"] == name][0], "part"] = "test"
    with pytest.raises(DataError, match=f"the same track in two parts: {name} in test and {name} in train"):
        check_split(split, manifest, protocol)


@clean_protocols
def test_duplicates_in_two_parts_are_refused(protocol):
    manifest = make_manifest()
    split = make_split(manifest, protocol)
    one, other = a_track(split, "train"), a_track(split, "validation")
    manifest.loc[manifest["track_id"].isin([one, other]), "sha256"] = "same"
    with pytest.raises(DataError, match=f"same audio in two parts: {one} in train and {other} in validation"):
        check_split(split, manifest, protocol)


@artist_protocols
@pytest.mark.parametrize("spelling", ["Bob Marley", "BOB MARLEY"])
def test_an_artist_in_two_parts_is_refused(protocol, spelling):
    manifest = make_manifest()
    split = make_split(manifest, protocol)
    one, other = a_track(split, "train"), a_track(split, "test")
    split.loc[split["track_id"].isin([one, other]), "artist"] = "Bob Marley"
    split.loc[split["track_id"] == other, "artist"] = spelling
    with pytest.raises(DataError, match=f"the same artist in two parts: {other} in test and {one} in train"):
        check_split(split, manifest, protocol)


@clean_protocols
@pytest.mark.parametrize("part", ["validation", "test"])
def test_an_augmented_track_away_from_its_parent_is_refused(protocol, part):
    manifest = make_manifest()
    split = make_split(manifest, protocol, children=True)
    parent = a_track(split, part)
    split.loc[split["track_id"] == f"{parent}~+2", "part"] = "train"
    message = rf"augmented {parent}~\+2 in train, its parent {parent} in {part}"
    with pytest.raises(DataError, match=message):
        check_split(split, manifest, protocol)


@clean_protocols
def test_an_augmented_track_is_not_tested_and_needs_its_parent(protocol):
    manifest = make_manifest()
    split = make_split(manifest, protocol, children=True)
    parent = a_track(split, "test")
    tested = split.assign(part=split["part"].mask(split["track_id"] == f"{parent}~+2", "test"))
    with pytest.raises(DataError, match=rf"augmented {parent}~\+2 in test, its parent {parent} in test"):
        check_split(tested, manifest, protocol)
    parent = a_track(split, "train")
    with pytest.raises(DataError, match=rf"{parent}~\+2 in train, its parent {parent} in no part"):
        check_split(split[split["track_id"] != parent], manifest, protocol)


@every_protocol
@pytest.mark.parametrize("part", PARTS)
def test_a_part_without_a_genre_is_refused(protocol, part):
    manifest = make_manifest()
    split = make_split(manifest, protocol)
    lacking = split[(split["genre"] != "disco") | (split["part"] != part)]
    with pytest.raises(DataError, match=f"genre disco is missing in {part}"):
        check_split(lacking, manifest, protocol)


@every_protocol
@pytest.mark.parametrize("part", PARTS)
def test_a_split_without_a_part_is_refused(protocol, part):
    manifest = make_manifest()
    split = make_split(manifest, protocol)
    with pytest.raises(DataError, match=f"genre blues is missing in {part}"):
        check_split(split[split["part"] != part], manifest, protocol)


@every_protocol
def test_a_track_outside_the_manifest_is_refused(protocol):
    manifest = make_manifest()
    slices = pd.DataFrame({"track_id": manifest["track_id"].repeat(2)}).assign(slice=[0, 1] * len(manifest))
    split = split_slices(manifest[1:], slices, protocol, 0)
    with pytest.raises(DataError, match=r"blues\.00000 is in no part. Hint: the slices belong to another"):
        check_split(split, manifest, protocol)


def test_a_single_slice_in_no_part_is_refused():
    manifest = make_manifest()
    split = make_split(manifest, BY_TRACK).reset_index(drop=True)
    split.loc[0, ["part", "genre"]] = None
    with pytest.raises(DataError, match=f"track {split['track_id'][0]} is in no part"):
        check_split(split, manifest, BY_TRACK)


def test_only_official_splits_leave_tracks_out():
    manifest = make_manifest()
    split = make_split(manifest, BY_TRACK)
    name = a_track(split, "train")
    split.loc[split["track_id"] == name, "part"] = None
    with pytest.raises(DataError, match=f"track {name} is in no part"):
        check_split(split, manifest, BY_TRACK)
    check_split(split, manifest, CLEAN[4])


def test_an_artist_may_cross_if_the_protocol_allows_it():
    manifest = make_manifest()
    split = make_split(manifest, BY_TRACK)
    check_split(split, manifest, BY_TRACK)
    with pytest.raises(DataError, match=r"same artist in two parts: blues\.\d+ in"):
        check_split(split, manifest, BY_ARTIST)


def test_unknown_artists_are_not_one_artist():
    manifest = make_manifest().assign(artist=None)
    check_split(make_split(manifest, BY_TRACK), manifest, BY_ARTIST)


@pytest.mark.slow
@settings(max_examples=1500, deadline=None)
@given(data=st.data(), protocol=st.sampled_from(CLEAN), seed=st.integers(0, 999))
def test_whatever_crosses_is_caught(data, protocol, seed):
    """One slice of any track moved to any other side, or left out of none: caught by the track's name."""
    manifest = make_manifest()
    split = make_split(manifest, protocol, seed=seed)
    row = data.draw(st.sampled_from(split.index[split["part"].notna()].tolist()))
    split.loc[row, "part"] = data.draw(st.sampled_from([p for p in PARTS if p != split.loc[row, "part"]]))
    with pytest.raises(DataError, match=rf"the same track in two parts: {split.loc[row, 'track_id']} in"):
        check_split(split, manifest, protocol)
