"""The embedded data set as a whole: determinism, the cache, and its tables."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import soundfile

from genredag.datasets import synthetic
from genredag.datasets.synthetic.artists import ROLES, artist_name, draw_artist
from genredag.datasets.synthetic.genres import GENRES, NO_INSTRUMENT, STYLES
from genredag.datasets.synthetic.harmony import SCALES, parse_chord
from genredag.datasets.synthetic.instruments import INSTRUMENTS, KITS
from genredag.datasets.synthetic.render import render_track
from genredag.datasets.synthetic.rhythm import BASS_LINES, GROOVES, STEPS, STRUMS
from genredag.params.groups.datasets import Synthetic

GTZAN = ["blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"]
SMALL = Synthetic(tracks_per_genre=2, tracks_per_artist=2, clip_seconds=1.0, sr=8000, seed=7)


def track(genre: str, index: int, **changes: float) -> np.ndarray:
    arguments = {"tracks_per_artist": 2, "clip_seconds": 1.5, "sr": 11025, "seed": 7}
    return render_track(genre, index, **(arguments | changes))


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    cache_dir = tmp_path_factory.mktemp("cache")
    return cache_dir, synthetic.list_tracks(SMALL, cache_dir=cache_dir, n_jobs=2)


def test_genres_are_those_of_gtzan():
    assert list(GENRES) == GTZAN


def test_one_and_two_workers_write_the_same_files(rendered, tmp_path):
    cache_dir, tracks = rendered
    again = synthetic.list_tracks(SMALL, cache_dir=tmp_path, n_jobs=1)
    assert again.equals(tracks)
    for path in tracks["path"]:
        assert (tmp_path / path).read_bytes() == (cache_dir / path).read_bytes()


def test_table_lists_every_track(rendered):
    cache_dir, tracks = rendered
    assert list(tracks.columns) == ["track_id", "genre", "artist", "path", "subset", "subgenres"]
    assert tracks["track_id"].is_unique and tracks["track_id"].iloc[3] == "classical.00001"
    assert (tracks["genre"].value_counts() == 2).all()
    assert tracks["subset"].isna().all() and tracks["subgenres"].isna().all()
    assert sorted(cache_dir.rglob("*.flac")) == sorted(cache_dir / path for path in tracks["path"])


def test_files_are_16_bit_flac_of_the_right_length(rendered):
    cache_dir, tracks = rendered
    for path in tracks["path"]:
        info = soundfile.info(cache_dir / path)
        assert (info.format, info.subtype, info.samplerate, info.channels, info.frames) == (
            "FLAC", "PCM_16", 8000, 1, 8000
        )  # fmt: skip


def test_complete_set_is_reused(rendered, monkeypatch):
    cache_dir, tracks = rendered
    monkeypatch.setattr(synthetic, "render_track", lambda *_, **__: pytest.fail("rendered again"))
    assert synthetic.list_tracks(SMALL, cache_dir=cache_dir, n_jobs=1).equals(tracks)


def test_only_a_missing_file_is_rendered_again(tmp_path):
    tracks = synthetic.list_tracks(SMALL, cache_dir=tmp_path, n_jobs=1)
    lost, kept = tmp_path / tracks["path"].iloc[5], tmp_path / tracks["path"].iloc[6]
    before, marker = lost.read_bytes(), b"not rendered again"
    lost.unlink()
    kept.write_bytes(marker)
    synthetic.list_tracks(SMALL, cache_dir=tmp_path, n_jobs=1)
    assert lost.read_bytes() == before
    assert kept.read_bytes() == marker


@pytest.mark.parametrize(
    "change",
    [{"seed": 8}, {"sr": 16000}, {"clip_seconds": 2.0}, {"tracks_per_artist": 1}, {"tracks_per_genre": 3}],
)
def test_other_parameters_have_their_own_folder(change):
    other = SMALL.model_copy(update=change)
    assert set(synthetic.tabulate(other)["path"]).isdisjoint(synthetic.tabulate(SMALL)["path"])


def test_other_version_has_its_own_folder(monkeypatch):
    before = synthetic.tabulate(SMALL)["path"]
    monkeypatch.setattr(synthetic, "VERSION", synthetic.VERSION + 1)
    assert set(synthetic.tabulate(SMALL)["path"]).isdisjoint(before)


def test_larger_set_begins_with_the_same_tracks(rendered, tmp_path):
    cache_dir, tracks = rendered
    single = SMALL.model_copy(update={"tracks_per_genre": 3})
    larger = synthetic.tabulate(single)
    shared = larger[larger["track_id"].isin(tracks["track_id"])].reset_index(drop=True)
    assert shared[["track_id", "genre", "artist"]].equals(tracks[["track_id", "genre", "artist"]])
    synthetic._render_file(tmp_path / "a.flac", "jazz", 1, single)
    path = tracks.loc[tracks["track_id"] == "jazz.00001", "path"].item()
    assert (tmp_path / "a.flac").read_bytes() == (cache_dir / path).read_bytes()


@pytest.mark.parametrize("genre", GTZAN)
def test_tracks_are_finite_audible_and_within_full_scale(genre):
    wave = track(genre, 0)
    assert wave.shape == (round(1.5 * 11025),) and wave.dtype == np.float32
    assert np.isfinite(wave).all()
    assert 0.4 < np.abs(wave).max() <= 1.0
    assert np.sqrt(np.mean(wave**2)) > 0.01


def test_seed_genre_and_index_each_change_the_track():
    waves = [track("rock", 0), track("rock", 1), track("metal", 0), track("rock", 0, seed=8)]
    for i, first in enumerate(waves):
        for second in waves[i + 1 :]:
            assert np.corrcoef(first, second)[0, 1] < 0.9


def test_unknown_genre_is_refused():
    with pytest.raises(ValueError, match=r"not in tuple"):
        track("polka", 0)


def test_artists_have_several_tracks_of_one_genre():
    tracks = synthetic.tabulate(SMALL.model_copy(update={"tracks_per_genre": 7, "tracks_per_artist": 3}))
    assert (tracks.groupby("artist")["genre"].nunique() == 1).all()
    assert sorted(tracks.loc[tracks["genre"] == "pop", "artist"].value_counts()) == [1, 3, 3]


def test_names_never_repeat():
    names = [artist_name(genre, index) for genre in GENRES for index in range(200)]
    assert len(set(names)) == len(names)


def test_default_set_can_be_split_by_artist(tree):
    values = tree["datasets"]["synthetic"]
    assert values["tracks_per_genre"] // values["tracks_per_artist"] >= 10


@pytest.mark.parametrize("genre", GTZAN)
def test_styles_name_what_exists(genre):
    style = STYLES[genre]
    assert set(style.neighbours) <= set(GENRES) - {genre} and style.neighbours
    assert set(style.grooves) <= set(GROOVES) and set(style.kits) <= set(KITS)
    assert set(style.bass_lines) <= set(BASS_LINES) and set(style.scales) <= set(SCALES)
    assert set(style.strums) | set(style.pad_figures) <= set(STRUMS)
    for role in ROLES:
        assert set(getattr(style, role)) <= {*INSTRUMENTS, NO_INSTRUMENT}
    for progression in style.progressions:
        assert all(parse_chord(symbol) for symbol in progression.split())


@pytest.mark.parametrize("genre", GTZAN)
def test_ranges_of_styles_ascend(genre):
    for field in dataclasses.fields(STYLES[genre]):
        value = getattr(STYLES[genre], field.name)
        if field.type == "Range":
            assert value[0] <= value[1], field.name


def test_patterns_fill_one_bar():
    patterns = [p for groove in GROOVES.values() for p in groove.values()]
    assert {len(p) for p in [*patterns, *STRUMS.values(), *BASS_LINES.values()]} == {STEPS}
    assert set("".join([*patterns, *STRUMS.values()])) == set("Xxo.")
    assert set("".join(BASS_LINES.values())) <= set("135678.")
    assert {drum for groove in GROOVES.values() for drum in groove} <= set(KITS["acoustic"])


def test_artists_stay_near_their_genre():
    tempi = {
        genre: [draw_artist(genre, np.random.default_rng(n)).tempo_bpm for n in range(60)]
        for genre in ("reggae", "disco", "classical")
    }
    assert np.median(tempi["reggae"]) < 100 < np.median(tempi["disco"]) < 135
    drummed = [
        bool(set(draw_artist("classical", np.random.default_rng(n)).grooves) - {"none", "timpani"})
        for n in range(60)
    ]
    assert np.mean(drummed) < 0.2
