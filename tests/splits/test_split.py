import itertools
import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genredag.errors import DataError, ParameterError
from genredag.params.groups.splits import (
    LEAKY,
    PARTS,
    KFold,
    LeakySlices,
    Official,
    Stratified,
    keeps_artists_whole,
    n_folds,
)
from genredag.splits.split import check_split, split_slices

BY_TRACK = Stratified(protocol="stratified", ratios=[0.8, 0.1, 0.1], group_by="track")
BY_ARTIST = Stratified(protocol="stratified", ratios=[0.8, 0.1, 0.1], group_by="artist")
FOLDS = KFold(protocol="kfold", k=5, group_by="track")
ARTIST_FOLDS = KFold(protocol="kfold", k=5, group_by="artist")
OFFICIAL = Official(protocol="official", test="test", validation_share=None)
ON_VALIDATION = Official(protocol="official", test="validation", validation_share=0.2)
LEAKY_SLICES = LeakySlices(protocol="leaky_slices", ratios=[0.8, 0.1, 0.1])
PROTOCOLS = {
    "track": BY_TRACK,
    "artist": BY_ARTIST,
    "folds": FOLDS,
    "artist_folds": ARTIST_FOLDS,
    "official": OFFICIAL,
    "on_validation": ON_VALIDATION,
    "leaky": LEAKY_SLICES,
}
SEEDED = [name for name in PROTOCOLS if name != "official"]
CLEAN = [name for name in PROTOCOLS if name != "leaky"]


def make_manifest(artists_of):
    """Make a manifest from the list of artists, one a track, of each genre; each part lists every genre."""
    rows = [
        {"track_id": f"{genre}.{i:05d}", "genre": genre, "artist": artist, "subset": PARTS[i % 4 % 3]}
        for genre, artists in artists_of.items()
        for i, artist in enumerate(artists)
    ]
    manifest = pd.DataFrame(rows).assign(status="ok")
    return manifest.assign(sha256="hash of " + manifest["track_id"])


def gtzan_like():
    return make_manifest({g: [f"{g} artist {i // 4}" for i in range(40)] for g in ("blues", "disco", "rock")})


def make_slices(manifest, n=2, children=()):
    """Cut `n` slices of each usable track, and of a child of each track in `children`."""
    tracks = manifest.loc[manifest["status"] == "ok", "track_id"]
    table = pd.DataFrame({"track_id": [*tracks, *(f"{parent}~+2" for parent in children)]})
    if len(children):
        table["parent"] = [*[None] * len(tracks), *children]
    return table.loc[table.index.repeat(n)].assign(slice=np.tile(np.arange(n), len(table)))


def split_of(manifest, protocol, seed=0, fold=0, **slices):
    split = split_slices(manifest, make_slices(manifest, **slices), protocol, seed, fold)
    check_split(split, manifest, protocol)
    return split


def parts_of(manifest, protocol, seed=0, fold=0):
    """Split, check, and return the part of each track."""
    split = split_of(manifest, protocol, seed, fold)
    return split.drop_duplicates("track_id").set_index("track_id")["part"]


def counts_of(manifest, protocol, **choice):
    genres = manifest.set_index("track_id")["genre"]
    return pd.crosstab(genres, parts_of(manifest, protocol, **choice))[list(PARTS)]


def test_there_is_one_row_per_slice_in_their_order():
    manifest = gtzan_like()
    slices = make_slices(manifest, n=3).sample(frac=1, random_state=0)
    split = split_slices(manifest, slices, BY_TRACK, 0)
    assert list(split) == ["track_id", "slice", "genre", "artist", "part"]
    pd.testing.assert_frame_equal(split[["track_id", "slice"]], slices.reset_index(drop=True))
    assert split["part"].value_counts().to_dict() == {"train": 288, "validation": 36, "test": 36}


@pytest.mark.parametrize("protocol", [BY_TRACK, BY_ARTIST], ids=["track", "artist"])
def test_ratios_are_met_in_every_genre(protocol):
    assert counts_of(gtzan_like(), protocol).to_numpy().tolist() == [[32, 4, 4]] * 3


@pytest.mark.parametrize("protocol", [FOLDS, ARTIST_FOLDS], ids=["track", "artist"])
def test_every_track_is_tested_and_validated_once_over_the_folds(protocol):
    folds = pd.DataFrame([parts_of(gtzan_like(), protocol, fold=fold) for fold in range(5)])
    assert folds.apply(sorted).T.drop_duplicates().to_numpy().tolist() == [
        ["test", "train", "train", "train", "validation"]
    ]
    for fold in range(5):
        assert (folds.iloc[fold] == "validation").equals(folds.iloc[(fold + 1) % 5] == "test")
        assert counts_of(gtzan_like(), protocol, fold=fold).to_numpy().tolist() == [[24, 8, 8]] * 3


@pytest.mark.parametrize(
    ("protocol", "fold", "message"),
    [
        (BY_TRACK, 3, "there is no fold 3; expected 0: its protocol has no folds"),
        (FOLDS, 5, "there is no fold 5; expected 0 to 4"),
        (FOLDS, -1, "there is no fold -1; expected 0 to 4"),
    ],
)
def test_an_unknown_fold_is_refused(protocol, fold, message):
    with pytest.raises(ParameterError, match=message):
        parts_of(gtzan_like(), protocol, fold=fold)


def test_official_takes_the_listed_split():
    manifest = gtzan_like()
    listed = manifest.set_index("track_id")["subset"]
    pd.testing.assert_series_equal(parts_of(manifest, OFFICIAL), listed, check_names=False, check_dtype=False)


def test_official_leaves_out_unlisted_tracks(caplog):
    manifest = gtzan_like()
    manifest.loc[::5, "subset"] = None
    with caplog.at_level(logging.INFO):
        parts = parts_of(manifest, OFFICIAL)
    assert parts[manifest.loc[::5, "track_id"]].isna().all()
    assert parts.isna().sum() == 24
    assert "24 tracks are in no part and are left out" in caplog.text


def test_official_on_the_listed_validation_part_keeps_the_test_part_apart():
    manifest = gtzan_like()
    listed = manifest.set_index("track_id")["subset"]
    parts = parts_of(manifest, ON_VALIDATION)
    assert (parts[listed == "validation"] == "test").all()
    assert parts[listed == "test"].isna().all()
    dealt = manifest.assign(part=parts.to_numpy())[lambda m: m["subset"] == "train"]
    assert set(dealt["part"]) == {"train", "validation"}
    assert all(len(parts) == 1 for parts in sides_by(dealt, "artist").values())
    assert (dealt["part"] == "validation").mean() == pytest.approx(0.2, abs=0.05)


def test_without_artists_official_carves_validation_by_track():
    manifest = make_manifest({"a": [None] * 40, "b": [None] * 40})
    assert counts_of(manifest, ON_VALIDATION).to_numpy().tolist() == [[16, 4, 10]] * 2


@pytest.mark.parametrize("lacking", PARTS)
def test_official_needs_a_listed_split(lacking):
    manifest = gtzan_like()
    manifest = manifest[manifest["subset"] != lacking]
    with pytest.raises(DataError, match=f"manifest: the data set lists no track for {lacking}. Hint"):
        parts_of(manifest, OFFICIAL)


def test_gtzans_fault_filtered_split_in_numbers(shared_dir):
    manifest = gtzan_manifest(shared_dir)
    assert parts_of(manifest, OFFICIAL).value_counts().to_dict() == {
        "train": 443,
        "validation": 197,
        "test": 290,
    }
    readable = manifest[manifest["track_id"] != "jazz.00054"]
    assert (parts_of(readable, OFFICIAL) == "train").sum() == 442
    held = readable[readable["subset"].isin(["train", "validation"])]
    ours = Official(protocol="official", test="validation", validation_share=0.1)
    counts = parts_of(held, ours).value_counts()
    assert counts["test"] == 197
    assert counts["validation"] == pytest.approx(44, abs=12)


class TestLeakySlices:
    def test_is_marked(self, caplog, tmp_path):
        split = split_of(gtzan_like(), LEAKY_SLICES)
        assert split.attrs == {"warning": LEAKY}
        assert LEAKY.startswith("LEAKY: ")
        assert LEAKY in caplog.text
        split.to_parquet(tmp_path / "split.parquet")
        assert pd.read_parquet(tmp_path / "split.parquet").attrs == {"warning": LEAKY}

    def test_other_splits_are_not_marked(self, caplog):
        assert split_of(gtzan_like(), BY_TRACK).attrs == {}
        assert caplog.text == ""

    def test_slices_are_stratified_and_tracks_are_divided(self):
        split = split_of(gtzan_like(), LEAKY_SLICES, n=5)
        counts = pd.crosstab(split["genre"], split["part"])[list(PARTS)]
        assert counts.to_numpy().tolist() == [[160, 20, 20]] * 3
        assert np.mean([len(parts) > 1 for parts in sides_by(split, "track_id").values()]) > 0.5

    def test_children_train(self):
        manifest = gtzan_like()
        split = split_of(manifest, LEAKY_SLICES, n=9, children=manifest["track_id"][:7])
        assert set(split.loc[split["parent"].notna(), "part"]) == {"train"}


@pytest.mark.parametrize("name", PROTOCOLS)
def test_order_of_rows_and_of_slices_does_not_matter(name):
    manifest = gtzan_like()
    shuffled = manifest.sample(frac=1, random_state=1)
    one, other = (
        split_of(table, PROTOCOLS[name]).sort_values(["track_id", "slice"], ignore_index=True)
        for table in (manifest, shuffled)
    )
    pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize("name", SEEDED)
def test_seeds_differ_and_repeat(name):
    manifest = gtzan_like()
    parts = [split_of(manifest, PROTOCOLS[name], seed)["part"] for seed in (0, 1, 0)]
    assert not parts[0].equals(parts[1])
    assert parts[0].equals(parts[2])


@pytest.mark.parametrize("name", PROTOCOLS)
def test_quarantined_tracks_take_no_part(name):
    manifest = gtzan_like()
    manifest.loc[::5, "status"] = "quarantined"
    usable = manifest[manifest["status"] == "ok"]
    pd.testing.assert_frame_equal(split_of(manifest, PROTOCOLS[name]), split_of(usable, PROTOCOLS[name]))


@pytest.mark.parametrize("name", CLEAN)
def test_tracks_without_slices_do_not_move_the_others(name):
    manifest = gtzan_like()
    slices = make_slices(manifest)
    whole = split_slices(manifest, slices, PROTOCOLS[name], 0)
    some = split_slices(manifest, slices[10:], PROTOCOLS[name], 0)
    pd.testing.assert_frame_equal(whole[10:].reset_index(drop=True), some)


@pytest.mark.parametrize("name", CLEAN)
def test_children_follow_a_training_parent_and_are_left_out_otherwise(name):
    manifest = gtzan_like()
    split = split_of(manifest, PROTOCOLS[name], children=manifest["track_id"])
    children = split[split["parent"].notna()].set_index("track_id")
    parents = split[split["parent"].isna()].drop_duplicates("track_id").set_index("track_id")["part"]
    trains = children["parent"].map(parents) == "train"
    assert (children.loc[trains, "part"] == "train").all()
    assert children.loc[~trains, "part"].isna().all()
    assert trains.any() and not trains.all()
    without = split_of(manifest, PROTOCOLS[name])
    pd.testing.assert_series_equal(split.loc[split["parent"].isna(), "part"], without["part"])


def test_an_artist_of_two_genres_stays_in_one_part():
    artists = [f"artist {i // 3}" for i in range(30)]
    parts = parts_of(make_manifest({"blues": artists, "rock": artists}), BY_ARTIST)
    assert (
        parts["blues.00000":"blues.00029"].to_numpy() == parts["rock.00000":"rock.00029"].to_numpy()
    ).all()


def test_tracks_of_unknown_artist_are_groups_of_their_own():
    manifest = make_manifest({"blues": [None] * 20, "rock": ["a", "b", "c"] * 10})
    assert counts_of(manifest, BY_ARTIST).loc["blues"].tolist() == [16, 2, 2]


@pytest.mark.parametrize(
    ("artists_of", "protocol", "message"),
    [
        ({"a": ["x"] * 9, "b": ["x"] * 2}, BY_TRACK, "genre b has too few tracks: 2; expected at least 3"),
        ({"a": ["x"] * 9, "b": ["x"] * 3}, FOLDS, "genre b has too few tracks: 3; expected at least 5"),
        (
            {"a": list("xyz") * 3, "b": list("uv") * 9},
            BY_ARTIST,
            "genre b has too few artists: 2; expected at least 3",
        ),
        ({"a": [None] * 9}, BY_ARTIST, "no artist is known. Hint: use a split with group_by: track"),
        (
            {"a": list("xyz"), "b": list("xyw"), "c": list("xzw"), "d": list("yzw")},
            BY_ARTIST,
            "genre [a-d] shares too many artists",
        ),
    ],
    ids=["few tracks", "few for folds", "few artists", "no artist", "entangled"],
)
def test_impossible_splits_are_refused(artists_of, protocol, message):
    with pytest.raises(DataError, match=message):
        parts_of(make_manifest(artists_of), protocol)


def gtzan_manifest(shared_dir):
    tracks = pd.read_csv(shared_dir / "gtzan" / "tracks.csv")
    tracks["artist"] = tracks["artist"].astype(object).where(tracks["artist"].notna(), None)
    tracks["subset"] = tracks["fault_filtered_split"].replace("valid", "validation")
    columns = ["track_id", "genre", "artist", "subset"]
    return tracks[columns].assign(status="ok", sha256=tracks["au_sha256"])


def test_gtzan_by_artist_is_close_to_the_ratios(shared_dir):
    manifest = gtzan_manifest(shared_dir)
    for seed in range(5):
        shares = counts_of(manifest, BY_ARTIST, seed=seed).to_numpy() / 100
        assert np.abs(shares - BY_ARTIST.ratios).max() <= 0.05


def test_gtzan_by_artist_in_five_folds(shared_dir):
    five = KFold(protocol="kfold", k=5, group_by="artist")
    manifest = gtzan_manifest(shared_dir)
    for seed, fold in itertools.product(range(2), range(5)):
        shares = counts_of(manifest, five, seed=seed, fold=fold).to_numpy() / 100
        assert (shares >= 0.01).all()


@st.composite
def manifests(draw):
    """Draw a manifest that every protocol can split: genres, artists of some genres, unknown artists,
    quarantined tracks, a listed split; and the tracks of which there are children.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    share_known = draw(st.floats(0, 1))
    artists_of = {}
    for genre in range(draw(st.integers(2, 4))):
        own = [[f"{genre}/{artist}"] * rng.integers(1, 6) for artist in range(rng.integers(1, 9))]
        guests = ["everywhere"] * rng.integers(0, 4)  # an artist of all genres
        artists = [a if rng.random() < share_known else None for a in [*itertools.chain(*own), *guests]]
        # Enough for a fold each, and for each listed part and its validation share.
        artists_of[f"g{genre}"] = [*(f"{genre}/solo {i}" for i in range(9)), *artists]
    manifest = make_manifest(artists_of)
    extra = manifest["track_id"].str[-5:].astype(int) >= 9
    manifest.loc[extra & (rng.random(len(manifest)) < 0.2), "status"] = "quarantined"
    manifest.loc[extra & (rng.random(len(manifest)) < 0.2), "subset"] = None
    usable = manifest.loc[manifest["status"] == "ok", "track_id"]
    children = usable[rng.random(len(usable)) < draw(st.sampled_from([0, 0.5]))]
    return manifest.sample(frac=1, random_state=rng.integers(2**32)), children


def sides_by(split, key):
    """Map each value of `key` to the set of parts that contain it."""
    sides = {}
    for value, part in zip(split[key], split["part"], strict=True):
        if isinstance(value, str) and isinstance(part, str):
            sides.setdefault(value, set()).add(part)
    return sides


many = settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.slow
@pytest.mark.parametrize("name", PROTOCOLS)
@many
@given(drawn=manifests(), seed=st.integers(0, 2**32 - 1), data=st.data())
def test_promises_hold_on_random_manifests(name, drawn, seed, data):
    """Thousands of manifests; promises are checked with plain sets, not only with `check_split`."""
    (manifest, children), protocol = drawn, PROTOCOLS[name]
    fold = data.draw(st.integers(0, n_folds(protocol) - 1))
    split = split_of(manifest, protocol, seed, fold, children=children)
    assert set(split["track_id"]) >= set(manifest.loc[manifest["status"] == "ok", "track_id"])
    for genre, parts in sides_by(split, "genre").items():
        assert parts == set(PARTS), genre
    if name != "leaky":
        assert all(len(parts) == 1 for parts in sides_by(split, "track_id").values())
        if "parent" in split:
            of_track = {track: next(iter(parts)) for track, parts in sides_by(split, "track_id").items()}
            for child, parent in split[["track_id", "parent"]].dropna().itertuples(index=False):
                trains = of_track.get(parent) == "train"
                assert of_track.get(child) == ("train" if trains else None)
    if keeps_artists_whole(protocol):
        assert all(len(parts) == 1 for parts in sides_by(split, "artist").values())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["folds", "artist_folds"])
@settings(many, max_examples=150)
@given(drawn=manifests(), seed=st.integers(0, 2**32 - 1))
def test_folds_test_every_track_once_on_random_manifests(name, drawn, seed):
    manifest, _ = drawn
    folds = [split_of(manifest, PROTOCOLS[name], seed, fold, n=1) for fold in range(5)]
    tested = pd.concat(split[split["part"] == "test"] for split in folds)
    assert sorted(tested["track_id"]) == sorted(manifest.loc[manifest["status"] == "ok", "track_id"])


@pytest.mark.slow
@settings(many, max_examples=1000)
@given(
    n_tracks=st.lists(st.integers(3, 120), min_size=2, max_size=5),
    ratios=st.tuples(st.integers(1, 20), st.integers(1, 20), st.integers(1, 20)),
    seed=st.integers(0, 2**32 - 1),
)
def test_ratios_hold_by_track(n_tracks, ratios, seed):
    manifest = make_manifest({f"g{i}": [None] * n for i, n in enumerate(n_tracks)})
    shares = [r / sum(ratios) for r in ratios]
    counts = counts_of(manifest, BY_TRACK.model_copy(update={"ratios": shares}), seed=seed)
    exact = np.outer(n_tracks, shares)
    assert (np.abs(counts.to_numpy() - exact) < np.where(exact.min(axis=1) < 1, 2, 1)[:, None]).all()


@pytest.mark.slow
@many
@given(drawn=manifests(), seed=st.integers(0, 2**32 - 1))
def test_ratios_nearly_hold_by_artist(drawn, seed):
    manifest, _ = drawn
    manifest = manifest[manifest["status"] == "ok"]
    counts = counts_of(manifest, BY_ARTIST, seed=seed).to_numpy()
    largest = manifest.groupby(["genre", "artist"]).size().groupby("genre").max().to_numpy()
    excess = np.abs(counts - np.outer(counts.sum(axis=1), BY_ARTIST.ratios)).max(axis=1)
    assert (excess <= 2 * largest + 2).all()
