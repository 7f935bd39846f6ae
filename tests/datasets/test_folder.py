from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genredag.datasets.folder import NOT_UNICODE, list_tracks, read_table, with_ids
from genredag.errors import DataError, ParameterError
from genredag.params.groups.datasets import Folder


def tracks_of(path: Path) -> pd.DataFrame:
    return list_tracks(Folder(path=str(path))).tracks


def left_out_of(path: Path) -> dict[tuple[str, str], int]:
    table = list_tracks(Folder(path=str(path))).left_out
    return dict(zip(zip(table["suffix"], table["reason"], strict=True), table["n_files"], strict=True))


def test_a_song_is_not_taken_for_a_table(tmp_path):
    (tmp_path / "song.flac").write_bytes(b"fLaC\x8c")
    with pytest.raises(DataError, match=r"song\.flac: an audio file; expected the folder <genre>"):
        list_tracks(Folder(path=str(tmp_path / "song.flac")))


def test_each_folder_is_a_genre_at_any_depth(tmp_path, tone):
    for name in ("rock/a.wav", "Free Jazz/c.ogg", "x.wav"):
        tone(tmp_path / name)
    (tmp_path / "rock" / "live" / "2020").mkdir(parents=True)
    for name in ("rock/live/2020/b.FLAC", "rock/cover.jpg", "rock/._a.wav"):
        (tmp_path / name).touch()
    tracks = tracks_of(tmp_path)
    assert tracks["track_id"].tolist() == ["Free Jazz/c", "rock/a", "rock/live/2020/b"]
    assert tracks["genre"].tolist() == ["Free Jazz", "rock", "rock"]
    assert tracks["path"].tolist()[0] == str(tmp_path / "Free Jazz" / "c.ogg")
    assert tracks["artist"].isna().all()


def test_files_with_the_same_stem_keep_their_suffixes(tmp_path, tone):
    for name in ("rock/a.wav", "rock/a.flac", "rock/b.wav"):
        tone(tmp_path / name)
    assert tracks_of(tmp_path)["track_id"].tolist() == [
        "rock/a.flac",
        "rock/a.wav",
        "rock/b",
    ]


@pytest.mark.parametrize("names", [[], ["cover.jpg"], ["rock/cover.jpg"], ["a.wav"]])
def test_a_folder_without_music_is_refused(tmp_path, names):
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(DataError, match="no audio files; expected <genre>/"):
        list_tracks(Folder(path=str(tmp_path)))


def test_a_path_is_required_and_must_exist(tmp_path):
    with pytest.raises(ParameterError, match=r"^datasets\.folder\.path: no folder"):
        list_tracks(Folder(path=None))
    with pytest.raises(DataError, match="no such file or folder"):
        list_tracks(Folder(path=str(tmp_path / "none.csv")))


def test_a_table_of_files(tmp_path):
    table = tmp_path / "songs.csv"
    table.write_text(
        f"\ufeffgenre,path,artist,year\nrock,a/1.mp3,Queen,1\njazz,{tmp_path}/b.mp3,,2\njazz,/m/c.wav,NA,\n"
    )
    tracks = tracks_of(table)
    assert tracks["track_id"].tolist() == ["a/1", "b", "/m/c"]
    assert tracks["path"].tolist() == [str(tmp_path / "a/1.mp3"), str(tmp_path / "b.mp3"), "/m/c.wav"]
    assert tracks["genre"].tolist() == ["rock", "jazz", "jazz"]
    assert tracks["artist"].isna().tolist() == [False, True, False]
    assert tracks["artist"][2] == "NA"


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "no column 'path'"),
        (
            b"file,genre\na.wav,rock\n",
            r"no column 'path'; expected a CSV in UTF-8 with the columns path,genre\[,artist\]",
        ),
        (b"path;genre\na.wav;rock\n", "no column 'path'"),
        (b"path,genre\na.wav,rock\nb.wav, \n", "line 3: no genre"),
        (b"path,genre\na.wav,rock\na.wav,jazz\n", "line 3: .*a.wav is listed twice"),
        (b"path,genre\na.wav,ro\xff\xfeck\n", "unreadable: .*utf-8"),
        (b'path,genre\n"a.wav,rock\n', "unreadable: "),
        (b"path,genre\na.wav,rock\na, b.wav,jazz\n", "line 3: 3 values; expected 2"),
        (b"path,genre,artist,artist\na.wav,rock,A,B\n", "the column 'artist' is there twice"),
    ],
)
def test_an_invalid_table_is_refused(tmp_path, content, match):
    (tmp_path / "songs.csv").write_bytes(content)
    with pytest.raises(DataError, match=match) as caught:
        list_tracks(Folder(path=str(tmp_path / "songs.csv")))
    assert "\n" not in str(caught.value)


def test_other_columns_are_ignored_whatever_they_are_called(tmp_path):
    """A spreadsheet with empty columns ends each line with commas."""
    (tmp_path / "t.csv").write_text("genre,,path,year,,year\nrock,,a.wav,1999,,2000\n")
    table = read_table(tmp_path / "t.csv", required=["path", "genre"], optional=["artist"])
    assert table[["path", "genre"]].to_dict("records") == [{"path": "a.wav", "genre": "rock"}]
    assert list(table.columns) == ["path", "genre", "artist"] and table["artist"].isna().all()


def test_optional_columns_are_always_there(tmp_path):
    (tmp_path / "t.csv").write_text("track_id,genre\na,rock\n")
    table = read_table(tmp_path / "t.csv", required=["track_id", "genre"], optional=["artist", "split"])
    assert list(table.columns) == ["track_id", "genre", "artist", "split"]
    assert table[["artist", "split"]].isna().all(axis=None)


@given(st.sets(st.text("as./", min_size=1, max_size=4), min_size=1, max_size=12))
def test_ids_never_collide(names):
    paths = sorted(
        {Path(f"/m/{name}{suffix}") for name in names for suffix in ("", ".wav", ".mp3", ".mp3.wav")}
    )
    ids = with_ids(pd.DataFrame({"path": paths}), Path("/m"))["track_id"]
    assert ids.is_unique


def test_a_name_with_two_suffixes_is_not_that_of_another(tmp_path, tone):
    for name in ("rock/s.wav", "rock/s.mp3.wav"):
        tone(tmp_path / name)
    (tmp_path / "rock" / "s.mp3").touch()
    assert sorted(tracks_of(tmp_path)["track_id"]) == ["rock/s.mp3", "rock/s.mp3.wav", "rock/s.wav"]


def test_what_is_left_out_is_counted(tmp_path, tone):
    tone(tmp_path / "rock/a.wav")
    names = {
        "rock/cover.jpg": (".jpg", "not audio by its suffix"),
        "rock/live/back.JPG": (".jpg", "not audio by its suffix"),
        "rock/README": ("no suffix", "not audio by its suffix"),
        "rock/01. no suffix at all": ("no suffix", "not audio by its suffix"),
        "rock/._a.wav": (".wav", "metadata of macOS (._*)"),
        "rock/.hidden.wav": (".wav", "hidden"),
        ".Trash-1000/rock/b.wav": (".wav", "in a system folder"),
        "rock/__MACOSX/b.wav": (".wav", "in a system folder"),
        "__MACOSX/rock/._b.wav": (".wav", "in a system folder"),
        "loose.mp3": (".mp3", "outside the folders of genres"),
    }
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    expected: dict[tuple[str, str], int] = {}
    for kind in names.values():
        expected[kind] = expected.get(kind, 0) + 1
    assert left_out_of(tmp_path) == expected
    examples = list_tracks(Folder(path=str(tmp_path))).left_out.set_index("suffix")["example"]
    assert examples[".jpg"] == "rock/cover.jpg"
    assert tracks_of(tmp_path)["track_id"].tolist() == ["rock/a"]


def test_links_are_followed_but_not_in_circles(tmp_path, tone):
    tone(tmp_path / "elsewhere/live/b.wav")
    tone(tmp_path / "music/rock/a.wav")
    (tmp_path / "music/rock/more").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "music/jazz").symlink_to(tmp_path / "elsewhere/live")
    (tmp_path / "music/rock/circle").symlink_to(tmp_path / "music")
    (tmp_path / "elsewhere/up").symlink_to("..")
    (tmp_path / "music/rock/gone.wav").symlink_to("/nonexistent")
    (tmp_path / "music/rock/self").symlink_to("self")
    (tmp_path / "music/rock/.#lock.wav").symlink_to("user@host")
    os.mkfifo(tmp_path / "music/rock/pipe.wav")
    ids = set(tracks_of(tmp_path / "music")["track_id"])
    assert {"rock/a", "rock/more/live/b", "jazz/b"} <= ids
    assert (
        left_out_of(tmp_path / "music").items()
        >= {
            (".wav", "a link that leads nowhere"): 1,
            ("no suffix", "a link that leads nowhere"): 1,
            (".wav", "hidden"): 1,
            (".wav", "neither a file nor a folder"): 1,
        }.items()
    )
    assert ("no suffix", "a link to a folder that contains it") in left_out_of(tmp_path / "music")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("jazz/a.xyz", r"1 x \.xyz: not audio by its suffix"),
        ("jazz/.a.wav", r"1 x \.wav: hidden"),
        ("jazz/", "the folder is empty"),
    ],
)
def test_a_genre_that_vanishes_is_an_error(tmp_path, tone, name, why):
    tone(tmp_path / "rock/a.wav")
    (tmp_path / "jazz").mkdir()
    if not name.endswith("/"):
        (tmp_path / name).touch()
    with pytest.raises(DataError, match=rf"genre jazz has no audio files \({why}\).*Hint: .*to \.jazz"):
        tracks_of(tmp_path)


def test_a_genre_on_a_disk_that_is_not_there_is_an_error(tmp_path, tone):
    tone(tmp_path / "rock/a.wav")
    (tmp_path / "jazz").symlink_to("/media/nonexistent/jazz")
    with pytest.raises(DataError, match=r"genre jazz has no audio files \(1 x no suffix: a link"):
        tracks_of(tmp_path)


def test_a_name_that_is_not_utf8_is_quarantined_under_a_printable_name(tmp_path, tone):
    tone(tmp_path / "rock/a.wav")
    tone(tmp_path / "rock/b.wav").rename(tmp_path / "rock" / os.fsdecode(b"caf\xe9.wav"))
    tracks = tracks_of(tmp_path).set_index("track_id")
    assert tracks["problem"].to_dict() == {"rock/a": "", r"rock/caf\xe9": NOT_UNICODE}
    assert all(text.encode() for text in tracks["path"])


@pytest.mark.parametrize("stored", ["NFC", "NFD"])
@pytest.mark.parametrize("listed", ["NFC", "NFD"])
def test_accents_are_matched_however_they_are_written(tmp_path, tone, stored, listed):
    path, genre = "Música/canción.wav", "Música"
    tone(tmp_path / unicodedata.normalize(stored, path))
    row = f"{unicodedata.normalize(listed, path)},{unicodedata.normalize(listed, genre)}"
    (tmp_path / "songs.csv").write_text(f"path,genre\n{row}\n", encoding="utf-8")
    tracks = tracks_of(tmp_path / "songs.csv")
    assert Path(tracks["path"][0]).is_file()
    assert tracks["genre"][0] == unicodedata.normalize("NFC", genre)


def test_two_spellings_of_one_file_are_listed_twice(tmp_path, tone):
    tone(tmp_path / "canción.wav")
    names = [unicodedata.normalize(form, "canción.wav") for form in ("NFC", "NFD")]
    (tmp_path / "songs.csv").write_text("path,genre\n" + "".join(f"{name},rock\n" for name in names))
    with pytest.raises(DataError, match=r"line 3: .* is listed twice"):
        tracks_of(tmp_path / "songs.csv")


def test_a_path_with_backslashes_gets_a_hint(tmp_path, tone):
    tone(tmp_path / "rock/a.wav")
    rows = "rock\\a.wav,rock\nrock/a.wav,rock\n.,jazz\n" + "x" * 300 + ".wav,jazz\n"
    (tmp_path / "songs.csv").write_text("path,genre\n" + rows)
    problems = tracks_of(tmp_path / "songs.csv")["problem"].tolist()
    assert problems == ["missing: write / instead of \\ in its path", "", "", ""]
