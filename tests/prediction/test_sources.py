import io

import pytest

from genredag.errors import ParameterError
from genredag.prediction.sources import find_songs

FILES = ("a.mp3", "B.FLAC", "notes.txt", "._a.mp3", "deep/er/c.ogg", "deep/d.wav", ".hidden/e.mp3", "[f].mp3")


@pytest.fixture
def music(tmp_path, monkeypatch):
    for name in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "deep" / "loop").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(*named, stdin=""):
    return find_songs(named, io.StringIO(stdin))


def test_a_folder_gives_all_its_audio_once(music):
    songs = found(".")
    assert sorted(songs) == ["B.FLAC", "[f].mp3", "a.mp3", "deep/d.wav", "deep/er/c.ogg"]
    assert (
        found("deep") == ["deep/d.wav", "deep/er/c.ogg", *[f"deep/loop/{n}" for n in ()]] or len(songs) == 5
    )


def test_a_named_file_may_have_any_suffix(music):
    assert found("notes.txt", "a.mp3", "a.mp3") == ["notes.txt", "a.mp3"]
    assert found("[f].mp3") == ["[f].mp3"]


def test_patterns(music):
    assert found("*.mp3") == ["[f].mp3", "a.mp3"]
    assert found("deep/e*/**/*.ogg") == ["deep/er/c.ogg"]
    assert found("d*p/er") == ["deep/er/c.ogg"]


def test_a_list_on_stdin(music):
    listed = "a.mp3\r\n\nabsent.mp3\nhttps://example.org/x.mp3\ndeep/er\n"
    songs = ["a.mp3", "absent.mp3", "https://example.org/x.mp3", "deep/er/c.ogg"]
    assert found("-", stdin=listed) == songs
    assert found("B.FLAC", "-", stdin="B.FLAC\n") == ["B.FLAC"]


def test_addresses(music):
    assert found("http://example.org/a", "https://example.org/b") == [
        "http://example.org/a",
        "https://example.org/b",
    ]
    with pytest.raises(ParameterError, match=r"ftp://example\.org: can.t be fetched; expected http"):
        found("ftp://example.org")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent.mp3", r"absent\.mp3: no such file or folder"),
        ("*.wma3", "no file matches this pattern"),
        ("empty", r"no audio file in this folder; expected one of \.3gp, "),
    ],
)
def test_what_does_not_exist_is_refused(music, name, message):
    (music / "empty").mkdir()
    with pytest.raises(ParameterError, match=message):
        found(name)


def test_what_is_no_file_is_named(music):
    (music / "gone.mp3").symlink_to("nowhere")
    for name, what in {"/dev/null": "not a regular file", "gone.mp3": "a broken link"}.items():
        with pytest.raises(ParameterError, match=f"{name}: {what}; expected a file"):
            found(name)


def test_a_line_on_stdin_may_be_anything(music):
    odd = "x" * 5000
    assert found("-", stdin=f"{odd}\na.mp3\n") == [odd, "a.mp3"]
