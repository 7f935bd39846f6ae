"""Hashes of what a model learned from: which tracks, and that they survive in every kind of bundle."""

from __future__ import annotations

import zipfile

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genredag.errors import ModelError
from genredag.prediction.learned import LEARNED_FILE, LearnedTracks, joined, learned_tracks, read_learned

HASHES = st.frozensets(st.text("0123456789abcdef", min_size=16, max_size=16))
LEARNED = st.builds(LearnedTracks, recordings=HASHES, artists=HASHES, n_anonymous=st.integers(0, 10**6))


@pytest.fixture
def manifest():
    rows = [(f"t{i}", f"{i:064x}", artist) for i, artist in enumerate(["A", "B", None, "C"], start=1)]
    # What differs is at the end of these numbers, and hashes differ at their beginning.
    table = pd.DataFrame(rows, columns=["track_id", "sha256", "artist"]).astype("str")
    return table.assign(sha256=table["sha256"].str[::-1])


def test_tracks_of_training_and_validation_are_learned_from(manifest):
    parts = {"t1": "train", "t2": "test", "t3": "validation", "t1~shifted": "train", "t4": None}
    split = pd.DataFrame({"track_id": list(parts) * 2, "part": list(parts.values()) * 2})
    learned = learned_tracks(manifest, split)
    hashes = manifest.set_index("track_id")["sha256"]
    assert {name for name in hashes.index if learned.has_recording(hashes[name])} == {"t1", "t3"}
    names = ("The A", "a feat. B", "B & A", "B", "C", "")
    # The artist of t3 is unknown, and may be any of the others.
    assert [learned.has_artist(name) for name in names] == [True] * 3 + [None] * 3
    all_known = learned_tracks(manifest.assign(artist=manifest["artist"].fillna("D & E")), split)
    assert [all_known.has_artist(name) for name in (*names, "e", "D")] == [True] * 3 + [False] * 3 + [
        True
    ] * 2
    assert not learned.has_recording("")  # of a file that can't be decoded


def test_a_leaky_split_has_learned_from_the_tracks_that_it_tests(manifest):
    split = pd.DataFrame({"track_id": ["t1", "t1"], "part": ["train", "test"]})
    assert learned_tracks(manifest, split).has_recording(manifest["sha256"][0])


@given(LEARNED, st.lists(st.text(max_size=20)))
def test_hashes_are_read_as_they_were_written(tmp_path_factory, learned, names):
    path = tmp_path_factory.mktemp("learned") / "model.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(LEARNED_FILE, learned.json_text())
    assert read_learned(path) == learned
    no_artists = learned.model_copy(update={"artists": frozenset()})
    assert not any(no_artists.has_artist(name) for name in names)


@given(st.lists(LEARNED, min_size=1), st.booleans())
def test_several_models_learned_from_all_of_their_tracks_if_all_say_so(found, one_is_silent):
    together = joined([*found, None] if one_is_silent else found)
    if one_is_silent:
        assert together is None
    else:
        assert all(one.recordings <= together.recordings and one.artists <= together.artists for one in found)
        assert len(together.recordings) <= sum(len(one.recordings) for one in found)
        assert together.n_anonymous == sum(one.n_anonymous for one in found)


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "{}", "[" * 10_000, b"\xff", '{"recordings": 3, "artists": [], "n_anonymous": 0}'),
        '{"recordings": "abc", "artists": [], "n_anonymous": 0}',
        '{"recordings": ["0123456789ABCDEF"], "artists": [], "n_anonymous": 0}',
        '{"recordings": ["0123"], "artists": [], "n_anonymous": 0}',
        '{"recordings": [], "artists": [], "n_anonymous": -1}',
    ],
    ids=repr,
)
def test_other_files_are_refused(tmp_path, content):
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as archive:
        archive.writestr(LEARNED_FILE, content)
    with pytest.raises(ModelError, match=r"model\.zip: can't read learned\.json"):
        read_learned(tmp_path / "model.zip")


def test_a_bundle_without_hashes_says_nothing(svm):
    assert read_learned(svm.path) is None
