from __future__ import annotations

import pytest

from genredag.datasets.folder import list_tracks, read_table
from genredag.errors import DataError, ParameterError
from genredag.params.groups.datasets import Folder


def test_each_folder_is_a_genre_at_any_depth(tmp_path, tone):
    for name in ("rock/a.wav", "Free Jazz/c.ogg", "x.wav"):
        tone(tmp_path / name)
    (tmp_path / "rock" / "live" / "2020").mkdir(parents=True)
    for name in ("rock/live/2020/b.FLAC", "rock/cover.jpg", "rock/._a.wav"):
        (tmp_path / name).touch()
    tracks = list_tracks(Folder(path=str(tmp_path)))
    assert tracks["track_id"].tolist() == ["Free Jazz/c", "rock/a", "rock/live/2020/b"]
    assert tracks["genre"].tolist() == ["Free Jazz", "rock", "rock"]
    assert tracks["path"].tolist()[0] == str(tmp_path / "Free Jazz" / "c.ogg")
    assert tracks["artist"].isna().all()


def test_files_with_the_same_stem_keep_their_suffixes(tmp_path, tone):
    for name in ("rock/a.wav", "rock/a.flac", "rock/b.wav"):
        tone(tmp_path / name)
    assert list_tracks(Folder(path=str(tmp_path)))["track_id"].tolist() == [
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
    tracks = list_tracks(Folder(path=str(table)))
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
    ],
)
def test_an_invalid_table_is_refused(tmp_path, content, match):
    (tmp_path / "songs.csv").write_bytes(content)
    with pytest.raises(DataError, match=match) as caught:
        list_tracks(Folder(path=str(tmp_path / "songs.csv")))
    assert "\n" not in str(caught.value)


def test_optional_columns_are_always_there(tmp_path):
    (tmp_path / "t.csv").write_text("track_id,genre\na,rock\n")
    table = read_table(tmp_path / "t.csv", required=["track_id", "genre"], optional=["artist", "split"])
    assert list(table.columns) == ["track_id", "genre", "artist", "split"]
    assert table[["artist", "split"]].isna().all(axis=None)
