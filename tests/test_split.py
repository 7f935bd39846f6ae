import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genredag.errors import DataError
from genredag.params import Split
from genredag.split import PARTS, check_split, sizes, split_slices

BY_TRACK = Split(ratios=[0.8, 0.1, 0.1], group_by="track")
BY_ARTIST = Split(ratios=[0.8, 0.1, 0.1], group_by="artist")


def make_manifest(artists_of):
    """Make a manifest from the list of artists, one a track, of each genre."""
    rows = [
        {"track_id": f"{genre}.{i:05d}", "genre": genre, "artist": artist}
        for genre, artists in artists_of.items()
        for i, artist in enumerate(artists)
    ]
    manifest = pd.DataFrame(rows).assign(status="ok")
    return manifest.assign(sha256="hash of " + manifest["track_id"])


def make_slices(manifest, n=2):
    tracks = manifest.loc[manifest["status"] == "ok", "track_id"]
    return pd.DataFrame({"track_id": tracks.repeat(n), "slice": np.tile(np.arange(n), len(tracks))})


def parts_of(manifest, protocol, seed=0):
    """Split, check, and return the part of each track."""
    split = split_slices(manifest, make_slices(manifest), protocol, seed)
    check_split(split, manifest, protocol.group_by)
    return split.drop_duplicates("track_id").set_index("track_id")["part"]


def gtzan_like():
    return make_manifest({g: [f"{g} artist {i // 4}" for i in range(40)] for g in ("blues", "disco", "rock")})


@pytest.mark.parametrize(
    ("n", "ratios", "expected"),
    [
        (100, [0.8, 0.1, 0.1], [80, 10, 10]),
        (99, [0.8, 0.1, 0.1], [79, 10, 10]),
        (10, [0.7, 0.15, 0.15], [7, 2, 1]),
        (3, [0.8, 0.1, 0.1], [1, 1, 1]),
        (5, [0.98, 0.01, 0.01], [3, 1, 1]),
        (1000, [0.7, 0.2, 0.1], [700, 200, 100]),
    ],
)
def test_sizes_in_closed_form(n, ratios, expected):
    assert sizes(n, ratios) == expected


def test_a_row_a_slice_in_the_order_of_the_slices():
    manifest = gtzan_like()
    slices = make_slices(manifest, n=3).sample(frac=1, random_state=0)
    split = split_slices(manifest, slices, BY_TRACK, 0)
    assert list(split) == ["track_id", "slice", "genre", "artist", "part"]
    pd.testing.assert_frame_equal(split[["track_id", "slice"]], slices.reset_index(drop=True))
    assert split["part"].value_counts().to_dict() == {"train": 288, "validation": 36, "test": 36}


@pytest.mark.parametrize("protocol", [BY_TRACK, BY_ARTIST], ids=["track", "artist"])
def test_ratios_are_met_in_every_genre(protocol):
    manifest = gtzan_like()
    counts = pd.crosstab(manifest.set_index("track_id")["genre"], parts_of(manifest, protocol))
    assert counts[list(PARTS)].to_numpy().tolist() == [[32, 4, 4]] * 3


@pytest.mark.parametrize("protocol", [BY_TRACK, BY_ARTIST], ids=["track", "artist"])
def test_order_of_rows_and_of_slices_does_not_matter(protocol):
    manifest = gtzan_like()
    shuffled = manifest.sample(frac=1, random_state=1)
    pd.testing.assert_series_equal(
        parts_of(manifest, protocol).sort_index(), parts_of(shuffled, protocol).sort_index()
    )


@pytest.mark.parametrize("protocol", [BY_TRACK, BY_ARTIST], ids=["track", "artist"])
def test_seeds_differ_and_repeat(protocol):
    manifest = gtzan_like()
    parts = [parts_of(manifest, protocol, seed) for seed in (0, 1, 0)]
    assert not parts[0].equals(parts[1])
    assert parts[0].equals(parts[2])


def test_quarantined_tracks_take_no_part():
    manifest = gtzan_like()
    manifest.loc[::5, "status"] = "quarantined"
    usable = manifest[manifest["status"] == "ok"]
    pd.testing.assert_series_equal(parts_of(manifest, BY_TRACK), parts_of(usable, BY_TRACK))


def test_tracks_without_slices_do_not_move_the_others():
    manifest = gtzan_like()
    slices = make_slices(manifest)
    all_ = split_slices(manifest, slices, BY_TRACK, 0)
    some = split_slices(manifest, slices[10:], BY_TRACK, 0)
    pd.testing.assert_frame_equal(all_[10:].reset_index(drop=True), some)


def test_an_artist_of_two_genres_stays_on_one_side():
    artists = [f"artist {i // 3}" for i in range(30)]
    parts = parts_of(make_manifest({"blues": artists, "rock": artists}), BY_ARTIST)
    assert (
        parts["blues.00000":"blues.00029"].to_numpy() == parts["rock.00000":"rock.00029"].to_numpy()
    ).all()


def test_tracks_of_unknown_artist_are_groups_of_their_own():
    manifest = make_manifest({"blues": [None] * 20, "rock": ["a", "b", "c"] * 10})
    counts = pd.crosstab(manifest.set_index("track_id")["genre"], parts_of(manifest, BY_ARTIST))
    assert counts.loc["blues", list(PARTS)].tolist() == [16, 2, 2]


@pytest.mark.parametrize(
    ("artists_of", "protocol", "message"),
    [
        ({"a": ["x"] * 9, "b": ["x"] * 2}, BY_TRACK, "genre b has too few tracks: 2; expected at least 3"),
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
    ids=["few tracks", "few artists", "no artist", "entangled"],
)
def test_what_can_not_be_split_is_refused(artists_of, protocol, message):
    with pytest.raises(DataError, match=message):
        parts_of(make_manifest(artists_of), protocol)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    n_tracks=st.lists(st.integers(3, 120), min_size=2, max_size=5),
    ratios=st.tuples(st.integers(1, 20), st.integers(1, 20), st.integers(1, 20)),
    seed=st.integers(0, 2**32 - 1),
)
def test_by_track_holds_its_promises(n_tracks, ratios, seed):
    manifest = make_manifest({f"g{i}": [None] * n for i, n in enumerate(n_tracks)})
    protocol = Split(ratios=[r / sum(ratios) for r in ratios], group_by="track")
    counts = pd.crosstab(manifest.set_index("track_id")["genre"], parts_of(manifest, protocol, seed))
    assert (counts.sum(axis=1) == n_tracks).all()
    assert (counts >= 1).all(axis=None)
    exact = np.outer(n_tracks, protocol.ratios)
    assert (
        np.abs(counts[list(PARTS)].to_numpy() - exact) < np.where(exact.min(axis=1) < 1, 2, 1)[:, None]
    ).all()


@pytest.mark.slow
@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    data=st.data(), n_genres=st.integers(2, 5), share_known=st.floats(0.3, 1), seed=st.integers(0, 2**32 - 1)
)
def test_by_artist_holds_its_promises(data, n_genres, share_known, seed):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    artists_of = {}
    for genre in range(n_genres):
        own = [[f"{genre}/{artist}"] * rng.integers(1, 9) for artist in range(rng.integers(3, 25))]
        guests = ["everywhere"] * rng.integers(0, 4)  # an artist of all genres
        artists_of[f"g{genre}"] = [
            a if rng.random() < share_known else None for a in [*itertools.chain(*own), *guests]
        ]
        artists_of[f"g{genre}"] += [f"{genre}/x", f"{genre}/y", f"{genre}/z"]
    manifest = make_manifest(artists_of)
    parts = parts_of(manifest, BY_ARTIST, seed)  # `check_split` proves that nothing crosses and nothing lacks
    counts = pd.crosstab(manifest.set_index("track_id")["genre"], parts)[list(PARTS)].to_numpy()
    largest = manifest.groupby(["genre", "artist"]).size().groupby("genre").max().to_numpy()
    excess = np.abs(counts - np.outer(counts.sum(axis=1), BY_ARTIST.ratios)).max(axis=1)
    assert (excess <= 2 * largest + 2).all()


class TestCheckSplit:
    @pytest.fixture
    def manifest(self):
        return gtzan_like()

    @pytest.fixture
    def split(self, manifest):
        return split_slices(manifest, make_slices(manifest), BY_ARTIST, 0)

    def test_passes_a_sound_split(self, manifest, split):
        check_split(split, manifest, "artist")

    def test_names_a_track_on_two_sides(self, manifest, split):
        train = split.index[split["part"] == "train"][0]
        split.loc[train, "part"] = "test"
        name = split.loc[train, "track_id"]
        with pytest.raises(DataError, match=rf"same track on two sides: {name} in test and {name} in train"):
            check_split(split, manifest, "track")

    def test_names_a_copy_on_two_sides(self, manifest, split):
        parts = split.drop_duplicates("track_id").set_index("track_id")["part"]
        one, other = parts.index[parts == "train"][0], parts.index[parts == "test"][0]
        manifest.loc[manifest["track_id"].isin([one, other]), "sha256"] = "same"
        with pytest.raises(DataError, match=f"same audio on two sides: {other} in test and {one} in train"):
            check_split(split, manifest, "track")

    def test_names_an_artist_on_two_sides_where_promised(self, manifest):
        split = split_slices(manifest, make_slices(manifest), BY_TRACK, 0)
        check_split(split, manifest, "track")
        with pytest.raises(DataError, match=r"same artist on two sides: blues\.\d+ in"):
            check_split(split, manifest, "artist")

    @pytest.mark.parametrize("part", PARTS)
    def test_names_a_genre_that_a_part_lacks(self, manifest, split, part):
        lacking = split[(split["genre"] != "disco") | (split["part"] != part)]
        with pytest.raises(DataError, match=f"genre disco is missing in {part}"):
            check_split(lacking, manifest, "artist")

    def test_names_a_track_that_the_manifest_lacks(self, manifest):
        split = split_slices(manifest[1:], make_slices(manifest), BY_TRACK, 0)
        with pytest.raises(
            DataError, match=r"track blues\.00000 is in no part. Hint: the slices are of another"
        ):
            check_split(split, manifest, "track")

    def test_does_not_take_unknown_artists_for_one(self):
        manifest = make_manifest({"a": [None, None, None, "x"], "b": [None, None, None, "y"]})
        check_split(split_slices(manifest, make_slices(manifest), BY_ARTIST, 0), manifest, "artist")


def test_gtzan_by_artist_is_close_to_the_ratios(shared_dir):
    tracks = pd.read_csv(shared_dir / "gtzan" / "tracks.csv")
    tracks["artist"] = tracks["artist"].astype(object).where(tracks["artist"].notna(), None)
    manifest = tracks[["track_id", "genre", "artist"]].assign(status="ok", sha256=tracks["au_sha256"])
    for seed in range(5):
        counts = pd.crosstab(manifest.set_index("track_id")["genre"], parts_of(manifest, BY_ARTIST, seed))
        assert np.abs(counts[list(PARTS)].to_numpy() / 100 - BY_ARTIST.ratios).max() <= 0.05
