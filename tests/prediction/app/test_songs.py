"""The temporary folder of the app."""

from __future__ import annotations

import subprocess
import sys

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect

from genredag.prediction.app.limits import ExpiredError, Limits
from genredag.prediction.app.songs import SongStore, display_name, temporary_folder


def kept(store: SongStore, name: str):
    song = store.new(name)
    song.path.write_bytes(b"song")
    store.keep(song)
    return song


@given(st.text())
def test_a_displayed_name_is_short_and_has_no_folders(name):
    shown = display_name(name)
    assert 0 < len(shown) <= 130
    assert shown.isprintable()
    assert not set("/\\") & set(shown)


def test_a_stored_name_keeps_only_a_known_suffix(tmp_path):
    store = SongStore(tmp_path, Limits())
    assert store.new("a.MP3").path.suffix == ".mp3"
    for name in ["a.html", "a.mp3.exe", "a", ".mp3"]:
        assert store.new(name).path.suffix == ""


def test_the_song_that_was_not_used_for_longest_goes_first(tmp_path):
    store = SongStore(tmp_path, Limits(songs=2))
    first, second = kept(store, "1.wav"), kept(store, "2.wav")
    store.get(first.id)
    third = kept(store, "3.wav")
    assert {path.name for path in tmp_path.iterdir()} == {first.path.name, third.path.name}
    with pytest.raises(ExpiredError, match="no longer has this song"):
        store.get(second.id)


def test_unused_songs_expire_with_their_copies(tmp_path):
    song = kept(store := SongStore(tmp_path, Limits(keep_seconds=0)), "1.wav")
    song.playable.write_bytes(b"copy")
    song.used -= 1
    store.expire()
    assert list(tmp_path.iterdir()) == []
    store = SongStore(tmp_path, Limits())
    kept(store, "1.wav")
    store.expire()
    assert len(list(tmp_path.iterdir())) == 1


def test_the_folder_of_a_killed_app_is_removed_but_not_that_of_a_running_one(tmp_path):
    program = (
        "import os, sys, pathlib; from genredag.prediction.app.songs import temporary_folder\n"
        "with temporary_folder(pathlib.Path(sys.argv[1])) as folder:\n"
        "    (folder / 'song.wav').write_bytes(b'x'); os._exit(9)"
    )
    with temporary_folder(tmp_path) as running:
        subprocess.run([sys.executable, "-c", program, tmp_path], check=False)
        (abandoned,) = set(tmp_path.iterdir()) - {running}
        assert (abandoned / "song.wav").is_file()
        (tmp_path / "genredag-app-mine").mkdir()  # has no lock: not ours
        with temporary_folder(tmp_path) as second:
            assert running.is_dir() and second.is_dir()
            assert not abandoned.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["genredag-app-mine"]


def test_a_broken_upload_leaves_no_file(tmp_path):
    async def chunks():
        yield b"the beginning"
        raise ClientDisconnect

    with temporary_folder(tmp_path) as folder:
        store = SongStore(folder, Limits())
        with pytest.raises(ClientDisconnect):
            anyio.run(store.receive, "song.wav", chunks())
        assert [path for path in folder.rglob("*.wav")] == []
