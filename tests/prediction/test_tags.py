"""Genres in files' own tags: what is planned, what is written, what a kill leaves, and the way back."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import re
import shutil
import signal
from pathlib import Path

import mutagen
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from mutagen.id3 import ID3, TCON, TIT2, TPE1, TYER
from rich.console import Console
from typer.testing import CliRunner

from genredag.cli import app
from genredag.errors import DataError, ParameterError
from genredag.prediction import tags
from genredag.prediction.song import SongPrediction, Timeline, Trust
from genredag.prediction.tagged_files import GenreTag, read_genres, write_genres
from genredag.prediction.tags import TagOptions, apply, changes_table, plan_tags, tag_wishes, undo, write_tags

NAMES = ("blues", "hiphop", "jazz", "rock")
SOUNDFILE_SUBTYPES = {
    ".wav": "PCM_16",
    ".aiff": "PCM_16",
    ".flac": "PCM_16",
    ".mp3": "MPEG_LAYER_III",
    ".ogg": "VORBIS",
    ".opus": "OPUS",
}
SUFFIXES = (*SOUNDFILE_SUBTYPES, ".m4a")
SR = 48000


def write_song(path: Path) -> Path:
    rng = np.random.default_rng(0)
    samples = rng.normal(0, 0.1, (SR // 2, 2)).clip(-1, 1).astype(np.float32)
    if path.suffix == ".m4a":
        av = pytest.importorskip("av")
        with av.open(str(path), "w", format="mp4") as container:
            stream = container.add_stream("aac", rate=SR)
            stream.layout = "stereo"
            for start in range(0, len(samples) - 1023, 1024):
                block = np.ascontiguousarray(samples[start : start + 1024].T)
                frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
                frame.sample_rate, frame.pts = SR, start
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    else:
        kind = "OGG" if path.suffix == ".opus" else None
        soundfile.write(path, samples, SR, SOUNDFILE_SUBTYPES[path.suffix], format=kind)
    return path


def decoded(path: Path) -> np.ndarray:
    if path.suffix != ".m4a":
        return soundfile.read(path)[0]
    av = pytest.importorskip("av")
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)


@pytest.fixture(scope="session")
def blank_songs(tmp_path_factory):
    """Return a function that gives a song without tags in a format, made once."""
    folder = tmp_path_factory.mktemp("songs")

    def song(suffix: str) -> Path:
        path = folder / f"song{suffix}"
        return path if path.exists() else write_song(path)

    return song


def prediction(path, **probabilities: float) -> SongPrediction:
    values = np.array([probabilities.get(name, 0.0) for name in NAMES])
    timeline = Timeline(np.zeros(1), np.ones(1), values[np.newaxis].astype(np.float32))
    return SongPrediction(str(path), NAMES, values, timeline, 0.5, None)


def all_tags(path: Path) -> dict[str, list[str]]:
    """Every tag of a file, as text; {} if it has none."""
    found = mutagen.File(path).tags
    if found is None:
        return {}
    pairs = found if isinstance(found, list) else found.items()
    values: dict[str, list[str]] = {}
    for key, value in pairs:
        texts = [str(text) for text in getattr(value, "text", value if isinstance(value, list) else [value])]
        values.setdefault(key, []).extend(texts)
    return values


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_only_the_genre_changes_and_undo_restores_it(tmp_path, blank_songs, suffix):
    path = Path(shutil.copy(blank_songs(suffix), tmp_path))
    before, samples = all_tags(path), decoded(path)
    (change,) = plan_tags([prediction(path, jazz=0.6, blues=0.4)], TagOptions(max_genres=2))
    assert (change.before, change.after, change.skipped) == ((), ("jazz", "blues"), "")
    assert apply([change], tmp_path / "undo.jsonl").written == [path]
    assert read_genres(path).names == ("jazz", "blues")
    np.testing.assert_array_equal(decoded(path), samples)
    assert undo(tmp_path / "undo.jsonl").written == [path]
    assert all_tags(path) == before
    assert (mutagen.File(path).tags is None) == (mutagen.File(blank_songs(suffix)).tags is None)
    np.testing.assert_array_equal(decoded(path), samples)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([path.name, "undo.jsonl"])


texts = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=12)
genre_lists = st.lists(texts, max_size=3)


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=10)
@given(title=texts, genres=genre_lists, predicted=st.permutations(NAMES), share=st.floats(0.4, 1))
def test_undo_reverses_apply(tmp_path_factory, blank_songs, suffix, title, genres, predicted, share):
    path = Path(shutil.copy(blank_songs(suffix), tmp_path_factory.mktemp("tagged")))
    file = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    if isinstance(file.tags, ID3):
        file.tags.add(TIT2(encoding=3, text=title))
    else:
        file.tags["\xa9nam" if suffix == ".m4a" else "title"] = [title]
    file.save()
    write_genres(path, GenreTag(tuple(genres)))
    before, samples = all_tags(path), decoded(path)
    song = prediction(path, **dict(zip(predicted, (share, 1 - share), strict=False)))
    changes = plan_tags([song], TagOptions(max_genres=2))
    undo_file = path.with_name("undo.jsonl")
    result = apply(changes, undo_file)
    assert not result.failed
    if result.written:
        assert read_genres(path).names == changes[0].after
        others = {key: value for key, value in all_tags(path).items() if value != list(changes[0].after)}
        assert others.items() <= before.items()
        np.testing.assert_array_equal(decoded(path), samples)
        assert not undo(undo_file).failed
    assert all_tags(path) == before
    np.testing.assert_array_equal(decoded(path), samples)


@pytest.mark.parametrize(
    ("options", "skipped"),
    [
        (TagOptions(), ["", "", "already has this genre"]),
        (TagOptions(min_confidence=0.65), ["less probable than 0.65", "", "already has this genre"]),
        (TagOptions(only_empty=True), ["", "has a genre", "already has this genre"]),
    ],
)
def test_options_choose_the_songs(tmp_path, blank_songs, options, skipped):
    paths = [Path(shutil.copy(blank_songs(".flac"), tmp_path / f"{i}.flac")) for i in range(3)]
    write_genres(paths[1], GenreTag(("Pop",)))
    write_genres(paths[2], GenreTag(("Hip-Hop",)))
    songs = [prediction(paths[0], jazz=0.6), prediction(paths[1], rock=0.7), prediction(paths[2], hiphop=1)]
    assert [change.skipped for change in plan_tags(songs, options)] == skipped


def test_further_genres_are_nearly_as_probable_and_in_the_set(tmp_path, blank_songs):
    song = prediction(blank_songs(".flac"), jazz=0.4, blues=0.3, rock=0.2, hiphop=0.1)
    assert plan_tags([song], TagOptions(max_genres=4))[0].after == ("jazz", "blues", "rock")
    trusted = SongPrediction(**vars(song) | {"trust": Trust(("jazz", "rock"), 0.9, False, None)})
    assert plan_tags([trusted], TagOptions(max_genres=4))[0].after == ("jazz", "rock")
    assert plan_tags([trusted], TagOptions())[0].after == ("jazz",)


def test_doubtful_predictions_are_marked_and_can_be_left_out(tmp_path, blank_songs, printed):
    """A set of three of four genres is unsure; without a calibration, nothing is known to be doubtful."""
    trusts = [
        Trust(("jazz",), 0.9, False, False),
        Trust(("jazz", "rock", "blues"), 0.9, True, True),
        Trust(("jazz",), 0.9, False, True),
        None,
    ]
    paths = [Path(shutil.copy(blank_songs(".flac"), tmp_path / f"{i}.flac")) for i in range(len(trusts))]
    songs = [
        SongPrediction(**vars(prediction(path, jazz=0.6)) | {"trust": trust})
        for path, trust in zip(paths, trusts, strict=True)
    ]
    doubts = ["", "unsure, unlike the training music", "unlike the training music", ""]
    assert [change.doubts for change in plan_tags(songs, TagOptions())] == doubts
    assert [change.skipped for change in plan_tags(songs, TagOptions())] == [""] * 4
    skipped = [change.skipped for change in plan_tags(songs, TagOptions(only_sure=True))]
    assert skipped == [*doubts[:3], "unknown whether the model is sure"]
    printed[0].print(changes_table(plan_tags(songs, TagOptions())))
    rows = re.findall(r"\b0\.60\b(.*)", printed[1].getvalue())
    assert [row.strip(" │") for row in rows] == doubts


def test_files_that_cannot_be_tagged_are_skipped_with_the_reason(tmp_path, blank_songs):
    text = tmp_path / "renamed.mp3"
    text.write_text("not audio")
    sun = tmp_path / "song.au"
    soundfile.write(sun, np.zeros(100), SR)
    flac = blank_songs(".flac")
    link = tmp_path / "link.flac"
    link.symlink_to(flac)
    sources = [tmp_path / "missing.mp3", text, sun, flac, link, "https://example.org/a.mp3"]
    reasons = [c.skipped for c in plan_tags([prediction(s, jazz=1) for s in sources], TagOptions())]
    assert reasons[0] == "no such file"
    assert reasons[1].startswith("tags can't be read")
    assert reasons[2] == "this kind of file can't be tagged"
    assert reasons[3:] == ["", "listed twice", "not a local file"]


@pytest.mark.parametrize(
    ("values", "where"), [({"min_confidence": 1.5}, "--min-confidence"), ({"max_genres": 0}, "--max-genres")]
)
def test_options_out_of_range_are_refused(values, where):
    with pytest.raises(ParameterError, match=f"{where}: .*expected"):
        TagOptions(**values)


def test_old_id3_keeps_its_version_and_its_frames(tmp_path, blank_songs):
    path = Path(shutil.copy(blank_songs(".mp3"), tmp_path))
    old = ID3()
    for frame in (
        TCON(encoding=0, text="(17)"),
        TYER(encoding=0, text="1969"),
        TPE1(encoding=0, text=["A", "B"]),
    ):
        old.add(frame)
    old.save(path, v2_version=3, v23_sep=None)
    changes = plan_tags([prediction(path, jazz=1)], TagOptions())
    assert changes[0].before == ("Rock",)
    apply(changes, tmp_path / "undo.jsonl")
    found = ID3(path, translate=False)
    assert found.version == (2, 3, 0)
    assert (found["TYER"].text, found["TPE1"].text, found["TCON"].text) == (["1969"], ["A", "B"], ["jazz"])
    undo(tmp_path / "undo.jsonl")
    assert ID3(path, translate=False)["TCON"].text == ["(17)"]


def test_vorbis_comments_keep_their_order_and_spelling(tmp_path, blank_songs):
    path = Path(shutil.copy(blank_songs(".ogg"), tmp_path))
    file = mutagen.File(path)
    file.tags[:] = [("Title", "a"), ("Genre", "Pop"), ("ARTIST", "b")]
    file.save()
    apply(plan_tags([prediction(path, jazz=1)], TagOptions()), tmp_path / "undo.jsonl")
    assert list(mutagen.File(path).tags) == [("Title", "a"), ("Genre", "jazz"), ("ARTIST", "b")]
    undo(tmp_path / "undo.jsonl")
    assert list(mutagen.File(path).tags) == [("Title", "a"), ("Genre", "Pop"), ("ARTIST", "b")]


def test_a_rock_is_not_made_of_a_number_in_vorbis_comments(tmp_path, blank_songs):
    path = Path(shutil.copy(blank_songs(".flac"), tmp_path))
    write_genres(path, GenreTag(("17",)))
    assert read_genres(path).names == ("17",)


def test_a_link_stays_a_link_and_modes_stay(tmp_path, blank_songs):
    path = Path(shutil.copy(blank_songs(".flac"), tmp_path / "song.flac"))
    path.chmod(0o640)
    link = tmp_path / "link.flac"
    link.symlink_to(path)
    apply(plan_tags([prediction(link, jazz=1)], TagOptions()), tmp_path / "undo.jsonl")
    assert link.is_symlink()
    assert read_genres(path).names == ("jazz",)
    assert path.stat().st_mode & 0o777 == 0o640


def test_read_only_and_changed_files_are_left_alone(tmp_path, blank_songs):
    locked, changed, good = (
        Path(shutil.copy(blank_songs(".flac"), tmp_path / f"{name}.flac"))
        for name in ("locked", "changed", "good")
    )
    changes = plan_tags([prediction(p, jazz=1) for p in (locked, changed, good)], TagOptions())
    locked.chmod(0o444)
    write_genres(changed, GenreTag(("Pop",)))
    result = apply(changes, tmp_path / "undo.jsonl")
    assert result.failed == {locked: "read-only", changed: "its genre has changed in the meantime"}
    assert result.written == [good]
    assert len((tmp_path / "undo.jsonl").read_text().splitlines()) == 2


def test_undo_leaves_later_changes_alone_and_can_be_repeated(tmp_path, blank_songs):
    paths = [Path(shutil.copy(blank_songs(".flac"), tmp_path / f"{i}.flac")) for i in range(2)]
    apply(plan_tags([prediction(p, jazz=1) for p in paths], TagOptions()), tmp_path / "undo.jsonl")
    write_genres(paths[0], GenreTag(("Swing",)))
    result = undo(tmp_path / "undo.jsonl")
    assert result.failed == {paths[0]: "its genre was changed by another program"}
    assert result.written == [paths[1]]
    assert undo(tmp_path / "undo.jsonl").unchanged == [paths[1]]
    assert read_genres(paths[0]).names == ("Swing",)


def test_an_undo_file_is_never_overwritten(tmp_path, blank_songs):
    path = Path(shutil.copy(blank_songs(".flac"), tmp_path))
    (tmp_path / "undo.jsonl").write_text("precious")
    with pytest.raises(DataError, match=r"exists already.*Hint: choose another name"):
        apply(plan_tags([prediction(path, jazz=1)], TagOptions()), tmp_path / "undo.jsonl")
    assert read_genres(path).names == ()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "not JSON",
        "[" * 100_000,
        '{"kind": "genredag undo-tags", "version": 2, "run": "000000000000", "created": ""}',
        '{"kind": "genredag undo-tags", "version": 1, "run": "../../../etc", "created": ""}',
        '{"kind": "genredag undo-tags", "version": 1, "run": "000000000000", "created": ""}\n{"path": 1}',
    ],
)
def test_other_files_are_no_undo_files(tmp_path, content):
    file = tmp_path / "undo.jsonl"
    file.write_text(content)
    with pytest.raises(DataError, match="not an undo file; expected a file written by"):
        undo(file)


@pytest.fixture
def printed():
    """A console, and what it printed."""
    console = Console(file=io.StringIO(), width=200)
    return console, console.file


def test_nothing_is_written_without_apply(tmp_path, blank_songs, printed):
    path = Path(shutil.copy(blank_songs(".flac"), tmp_path))
    content = path.read_bytes()
    wishes = tag_wishes(True, False, TagOptions(), tmp_path / "undo.jsonl")
    assert write_tags([prediction(path, jazz=0.75)], wishes, printed[0]) == 0
    text = printed[1].getvalue()
    assert "jazz" in text and "0.75" in text and "add --apply to write" in text
    assert path.read_bytes() == content
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_apply_prints_the_way_back(tmp_path, blank_songs, printed):
    path = Path(shutil.copy(blank_songs(".flac"), tmp_path))
    wishes = tag_wishes(True, True, TagOptions(), tmp_path / "undo.jsonl")
    assert write_tags([prediction(path, jazz=1)], wishes, printed[0]) == 0
    assert read_genres(path).names == ("jazz",)
    assert f"genredag undo-tags {wishes.undo_file}" in printed[1].getvalue()


def test_flags_about_tags_do_nothing_alone(tmp_path):
    assert tag_wishes(False, False, TagOptions(), None) is None
    for wrong in (
        (True, TagOptions(), None),
        (False, TagOptions(0.5), None),
        (False, TagOptions(), tmp_path),
    ):
        with pytest.raises(ParameterError, match=r"Hint: add --write-tags"):
            tag_wishes(False, *wrong)
    (tmp_path / "undo.jsonl").touch()
    with pytest.raises(DataError, match="exists already"):
        tag_wishes(True, True, TagOptions(), tmp_path / "undo.jsonl")


def test_predict_writes_tags(svm, tmp_path):
    song = Path(shutil.copy(svm.files["rock.1"], tmp_path))
    undo_file = tmp_path / "undo.jsonl"
    command = ["predict", str(song), "--model", str(svm.path), "--write-tags", "--undo-file", str(undo_file)]
    planned = CliRunner().invoke(app, command)
    assert planned.exit_code == 0, planned.output
    assert read_genres(song).names == ()
    assert CliRunner().invoke(app, [*command, "--apply", "--min-confidence", "0.5"]).exit_code == 0
    assert read_genres(song).names == ("rock",)
    assert CliRunner().invoke(app, [*command, "--apply"]).exit_code == 2  # the undo file exists


def test_names_that_are_no_text_survive(tmp_path, blank_songs):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.flac"))
    shutil.copy(blank_songs(".flac"), path)
    apply(plan_tags([prediction(path, jazz=1)], TagOptions()), tmp_path / "undo.jsonl")
    assert undo(tmp_path / "undo.jsonl").written == [path]


def _apply_and_die(changes, undo_file, step, nth):
    """Apply `changes`, and be killed at the nth call of a step."""
    calls = 0

    def killing(*args, **kwargs):
        nonlocal calls
        calls += 1
        if calls == nth:
            if step == "write_genres":  # in the middle of writing
                with Path(args[0]).open("r+b") as file:
                    file.write(b"garbage")
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*args, **kwargs)

    owner, name = {
        "copy2": (tags.shutil, "copy2"),
        "write_genres": (tags, "write_genres"),
        "fsync": (tags.os, "fsync"),
        "replace": (Path, "replace"),
    }[step]
    original = getattr(owner, name)
    setattr(owner, name, killing)
    apply(changes, undo_file)


@pytest.mark.parametrize("step", ["copy2", "write_genres", "fsync", "replace"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_kill_damages_no_file(tmp_path, blank_songs, step, nth):
    songs = tmp_path / "songs"
    songs.mkdir()
    paths = [Path(shutil.copy(blank_songs(s), songs)) for s in (".mp3", ".flac", ".ogg")]
    samples = [decoded(path) for path in paths]
    before = [all_tags(path) for path in paths]
    changes = plan_tags([prediction(path, jazz=1) for path in paths], TagOptions())
    undo_file = tmp_path / "undo.jsonl"
    process = multiprocessing.get_context("fork").Process(
        target=_apply_and_die, args=(changes, undo_file, step, nth)
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    for path, expected in zip(paths, samples, strict=True):
        np.testing.assert_array_equal(decoded(path), expected)
        assert read_genres(path).names in {(), ("jazz",)}
    if undo_file.exists():
        assert len([json.loads(line) for line in undo_file.read_text().splitlines()]) == 4
        assert not undo(undo_file).failed
    assert [all_tags(path) for path in paths] == before
    assert sorted(file.name for file in songs.iterdir()) == sorted(path.name for path in paths)


def test_a_song_with_the_oldest_kind_of_tag_only(tmp_path, blank_songs):
    path = Path(shutil.copy(blank_songs(".mp3"), tmp_path))
    oldest = b"TAG" + b"A title".ljust(30, b"\0") + bytes(94) + bytes([17])
    with path.open("ab") as file:
        file.write(oldest)
    samples, before = decoded(path), all_tags(path)
    changes = plan_tags([prediction(path, jazz=1)], TagOptions())
    assert changes[0].before == ("Rock",)
    apply(changes, tmp_path / "undo.jsonl")
    assert path.read_bytes()[-1] == 255  # no number: "Jazz" has one, "jazz" does not
    assert all_tags(path) == before | {"TCON": ["jazz"]}
    undo(tmp_path / "undo.jsonl")
    assert path.read_bytes()[-128:] == oldest
    assert all_tags(path) == before
    np.testing.assert_array_equal(decoded(path), samples)


def test_undo_tags_is_a_command(tmp_path, blank_songs):
    path = Path(shutil.copy(blank_songs(".flac"), tmp_path))
    undo_file = tmp_path / "undo.jsonl"
    apply(plan_tags([prediction(path, jazz=1)], TagOptions()), undo_file)
    done = CliRunner().invoke(app, ["undo-tags", str(undo_file)])
    assert (done.exit_code, done.stdout) == (0, "1 changed.\n")
    assert read_genres(path).names == ()
    write_genres(path, GenreTag(("Swing",)))
    done = CliRunner().invoke(app, ["undo-tags", str(undo_file)])
    assert done.exit_code == 1
    assert "its genre was changed by another program" in done.stderr
