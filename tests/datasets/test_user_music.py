"""Fingerprints of the user's own music: what changes them, and what does not."""

from __future__ import annotations

import os
import shutil
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from genredag.datasets.user_music import check_source, check_there, files_state, source_state
from genredag.errors import DataError, ParameterError
from genredag.params.loading import parse_params


@pytest.fixture
def music(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of music, a CSV that names a file elsewhere, and an archive, in the home directory."""
    home = tmp_path / "home"
    for name in ("music/rock/a.wav", "music/jazz/b.wav", "elsewhere/c.wav", "gtzan.tar.gz"):
        file = home / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"one")
    (home / "songs.csv").write_text("path,genre\nelsewhere/c.wav,rock\n", encoding="utf-8")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    return home


def replace(name: str) -> Callable[[Path], object]:
    """Return a function that replaces a file by another one of the same size."""

    def change(home: Path) -> None:
        (home / name).write_bytes(b"two")
        later = time.time_ns() + 10**9
        os.utime(home / name, ns=(later, later))

    return change


CHANGES = {
    "a file is added to a folder": ("music", lambda home: (home / "music/rock/new.wav").touch()),
    "a file in a folder is removed": ("music", lambda home: (home / "music/rock/a.wav").unlink()),
    "a file in a folder is renamed": (
        "music",
        lambda home: (home / "music/rock/a.wav").rename(home / "music/rock/z.wav"),
    ),
    "a file is replaced by one of the same size": ("music", replace("music/jazz/b.wav")),
    "a line is added to a CSV": (
        "songs.csv",
        lambda home: (home / "songs.csv").open("a", encoding="utf-8").write("music/jazz/b.wav,jazz\n"),
    ),
    "a file that a CSV names is replaced": ("songs.csv", replace("elsewhere/c.wav")),
    "a file that a CSV names is gone": ("songs.csv", lambda home: (home / "elsewhere/c.wav").unlink()),
    "an archive is replaced": ("gtzan.tar.gz", replace("gtzan.tar.gz")),
}


@pytest.mark.parametrize("prefix", ["", "~/", "{home}/"], ids=["relative", "home", "absolute"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_gives_another_fingerprint(music: Path, change: str, prefix: str) -> None:
    source, edit = CHANGES[change]
    paths = [prefix.format(home=music) + source]
    before = files_state(paths)
    assert before == files_state(paths) != ""
    edit(music)
    assert files_state(paths) != before


def test_whatever_users_have_in_a_folder(music: Path) -> None:
    (music / "music/rock/gone.wav").symlink_to("/nonexistent")
    (music / "music/rock/circle").symlink_to("..")
    (music / "music/rock" / os.fsdecode(b"caf\xe9.wav")).touch()
    (music / "music/blues").symlink_to(music / "elsewhere")
    before = files_state(["music"])
    assert before == files_state(["music"])
    (music / "elsewhere/d.wav").touch()
    assert files_state(["music"]) != before


def test_names_in_a_csv_may_be_composed_otherwise_than_on_disk(music: Path) -> None:
    name = unicodedata.normalize("NFD", "caf\u00e9.wav")
    (music / name).write_bytes(b"one")
    (music / "songs.csv").write_text("\ufeffpath, genre\ncaf\u00e9.wav, rock\n", encoding="utf-8")
    before = files_state(["songs.csv"])
    replace(name)(music)
    assert files_state(["songs.csv"]) != before


@pytest.mark.parametrize("content", [b"path\n\xff", b"", b"a\n1\n", b'path\n"'])
def test_a_csv_that_cannot_be_read_has_its_own_state(music: Path, content: bytes) -> None:
    (music / "songs.csv").write_bytes(content)
    assert files_state(["songs.csv"]) != ""


def test_a_data_set_of_your_own_and_one_without_files(tree: dict, music: Path) -> None:
    assert source_state(parse_params(tree).datasets.synthetic) == ""
    assert source_state(parse_params(tree).datasets.folder) == ""
    tree["datasets"]["folder"]["path"] = "music"
    tree["datasets"]["gtzan_fma"]["fma"]["path"] = "gtzan.tar.gz"
    tree["datasets"]["spectrograms"]["files"] = ["gtzan.tar.gz"]
    for name in ("folder", "gtzan_fma", "spectrograms"):
        assert source_state(getattr(parse_params(tree).datasets, name)) != ""


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("folder", ["path"]),
        ("gtzan", ["path"]),
        ("fma_small", ["metadata_path"]),
        ("gtzan_fma", ["fma", "metadata_path"]),
        ("spectrograms", ["files"]),
        ("spectrograms", ["tracks"]),
    ],
)
def test_a_file_that_is_not_there_is_refused_by_its_key(
    tree: dict, music: Path, name: str, keys: list[str]
) -> None:
    group = tree["datasets"][name]
    tree["datasets"]["spectrograms"]["files"] = ["music"]
    for key in keys[:-1]:
        group = group[key]

    def checked(path: str) -> None:
        group[keys[-1]] = ["music", path] if keys == ["files"] else path
        check_source(parse_params(tree).entry("datasets", name), name)

    checked("~/songs.csv")
    where = f"datasets.{name}.{'.'.join(keys)}" + ("[1]" if keys == ["files"] else "")
    with pytest.raises(DataError) as caught:
        checked("songs.tsv")
    assert str(caught.value) == f"{where}: {music / 'songs.tsv'}: no such file or folder"


def test_a_link_to_itself_is_not_there(tree: dict, music: Path) -> None:
    (music / "circle").symlink_to("circle")
    tree["datasets"]["folder"]["path"] = "circle"
    with pytest.raises(DataError, match=r"datasets\.folder\.path: .*circle: no such file or folder"):
        check_source(parse_params(tree).datasets.folder, "folder")


def test_only_files_that_are_named_must_be_there(tree: dict, music: Path) -> None:
    for name in ("synthetic", "gtzan", "gtzan_fma"):
        check_source(parse_params(tree).entry("datasets", name), name)
    check_there({"external_songs.path": None, "label_issues.faults": "songs.csv"})


@pytest.mark.parametrize(("name", "key"), [("folder", "path"), ("spectrograms", "files")])
def test_music_of_your_own_must_be_given(tree: dict, name: str, key: str) -> None:
    with pytest.raises(ParameterError, match=rf"^datasets\.{name}\.{key}: no (folder|files)"):
        check_source(parse_params(tree).entry("datasets", name), name)


def test_no_path_has_a_nul_character() -> None:
    with pytest.raises(ParameterError, match=r"'my\\x00music': a path with a NUL character"):
        files_state(["my\0music"])


def test_relative_paths_are_of_the_project_in_a_copy_that_dvc_makes(
    music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files_state(["music"])
    copy = music / ".dvc/tmp/exps/standalone/tmpabc"
    shutil.copytree(music / "elsewhere", copy / "music")
    monkeypatch.chdir(copy)
    assert files_state(["music"]) == before
