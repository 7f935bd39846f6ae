"""`genredag.evaluate`: genres matched by name, what is left out, scores and intervals."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

import genredag
from genredag.errors import DataError, ParameterError
from genredag.prediction.classifier import load
from genredag.prediction.external import ExternalTest
from genredag.prediction.genre_names import match_genres, plain_name
from genredag.prediction.learned import learned_tracks
from genredag.prediction.model_file import write_model
from genredag.prediction.trust import Calibration
from genredag.tracks.audio import probe

CLASSES = ("blues", "hiphop", "r&b")


@pytest.mark.parametrize(
    ("label", "genre"),
    [
        ("blues", "blues"),
        ("Blues", "blues"),
        ("Hip-Hop", "hiphop"),
        ("R & B", "r&b"),
        ("rock", None),
        ("!", None),
    ],
)
def test_genres_are_matched_by_their_letters(label, genre):
    assert match_genres([label], CLASSES) == {label: genre}


def test_an_exact_name_wins():
    assert match_genres(["hip-hop"], ("hiphop", "hip-hop")) == {"hip-hop": "hip-hop"}


def test_given_names_win():
    assert match_genres(["rap", "blues"], CLASSES, {"rap": "hiphop"}) == {"rap": "hiphop", "blues": "blues"}


@pytest.mark.parametrize(
    ("given_names", "message"),
    [
        ({"rap": "hiphop"}, "--map: no genre 'rap'; expected one of blues, pop"),
        ({"pop": "rock"}, "--map: no genre 'rock' in the model; expected one of blues, hiphop, r&b"),
    ],
)
def test_names_that_do_not_occur_are_refused(given_names, message):
    with pytest.raises(ParameterError, match=message):
        match_genres(["blues", "pop"], CLASSES, given_names)


@given(st.text())
def test_plain_names_stay_plain(genre):
    assert plain_name(plain_name(genre)) == plain_name(genre)


@pytest.fixture
def folder(svm, tmp_path):
    """Eight songs of the model's genres in folders that are called otherwise, and three other files."""
    root = tmp_path / "music"
    for genre, label in (("blues", "Blues"), ("rock", "rock_songs")):
        (root / label).mkdir(parents=True)
        for i in range(4):
            shutil.copy(svm.files[f"{genre}.{i}"], root / label)
    (root / "polka").mkdir()
    shutil.copy(svm.files["rock.5"], root / "polka" / "rosamunde.wav")
    soundfile.write(root / "Blues" / "silent.wav", np.zeros(16000), 16000)
    (root / "Blues" / "broken.wav").write_bytes(b"RIFF nothing")
    return root


def test_a_folder_is_evaluated(svm, folder):
    test = genredag.evaluate(svm.path, folder, genres={"rock_songs": "rock"})
    assert isinstance(test, ExternalTest)
    assert test.unknown == {"polka": 1}
    assert {path.rpartition("/")[2]: reason for path, reason in test.unreadable.items()}.keys() == {
        "silent.wav",
        "broken.wav",
    }
    assert test.tracks["label"].value_counts().to_dict() == {"Blues": 4, "rock_songs": 4}
    assert test.tracks["genre"].value_counts().to_dict() == {"blues": 4, "rock": 4}
    classifier = load(svm.path)
    for row in test.tracks.to_dict("records"):
        song = classifier.predict(row["path"])
        assert row["predicted"] == song.genre
        np.testing.assert_array_equal([row["p_blues"], row["p_rock"]], song.probabilities)
    hits = (test.tracks["genre"] == test.tracks["predicted"]).mean()
    metrics = test.metrics()
    assert metrics["track"]["accuracy"] == test.accuracy.estimate == hits > 0.8
    assert metrics["n_tracks"] == 8
    assert metrics["n_unreadable"] == 2
    low, high = metrics["intervals"]["accuracy"]
    assert low <= hits <= high
    assert metrics["chance"] == 0.5
    assert metrics["n_artists"] == 0
    assert test.confusion().to_numpy().sum() == 8
    assert test.per_genre()["support"].tolist() == [4, 4]
    assert test.card is None


def test_genres_without_tracks_are_reported_and_do_not_count_in_f1(svm, folder):
    test = genredag.evaluate(svm.path, folder)
    assert test.absent == ["rock"]
    assert test.unknown == {"polka": 1, "rock_songs": 4}
    assert test.metrics()["track"]["macro_f1"] == test.per_genre().set_index("genre").loc["blues", "f1"]


def test_artists_of_a_table_widen_the_interval(svm, tmp_path):
    files = [(svm.files[f"{genre}.{i}"], genre, i) for genre in ("blues", "rock") for i in range(10)]
    names = {"alone": lambda i: "", "together": lambda i: f"artist {i % 2}"}
    widths = {}
    for name, artist in names.items():
        rows = [{"path": path, "genre": genre, "artist": f"{genre} {artist(i)}"} for path, genre, i in files]
        table = pd.DataFrame(rows)
        table.loc[:, "artist"] = table["artist"] if name == "together" else ""
        table.to_csv(tmp_path / f"{name}.csv", index=False)
        test = genredag.evaluate(svm.path, tmp_path / f"{name}.csv")
        widths[name] = test.accuracy.high - test.accuracy.low
        assert test.metrics()["n_artists"] == (4 if name == "together" else 0)
    assert widths["together"] > widths["alone"]


def taught(svm, path: Path, recordings: list[str], artists: list[str]) -> Path:
    """Write the model with the names of recordings and artists that it learned from."""
    limits = {"min_seconds": 0, "silence_db": -100}
    hashes = [probe(svm.files[name], **limits).sha256 for name in recordings]
    columns = {"track_id": recordings, "sha256": hashes, "artist": artists}
    manifest = pd.DataFrame(columns, dtype="str")
    split = pd.DataFrame({"track_id": recordings, "part": "train"})
    calibration = Calibration(tuple(svm.bundle.class_names), 0.9, 0.0, 9, None)
    write_model(path, svm.path, None, calibration, learned_tracks(manifest, split))
    return path


def test_recordings_that_the_model_learned_from_are_left_out(svm, folder, tmp_path):
    model = taught(svm, tmp_path / "model.zip", ["blues.0", "rock.2", "rock.9"], ["a", "b", "b"])
    test = genredag.evaluate(model, folder, genres={"rock_songs": "rock"})
    assert test.metrics()["n_learned"] == test.n_learned == 2
    assert len(test.tracks) == 6
    assert not {"Blues/blues.0", "rock_songs/rock.2"} & set(test.tracks["track_id"])
    assert len(test.unreadable) == 2  # still reported
    assert test.by_artist() is None
    assert "lossy copies of some of them, or from others of their artists" in test.caution
    unknown = genredag.evaluate(svm.path, folder, genres={"rock_songs": "rock"})
    assert unknown.n_learned is None and "does not say which recordings" in unknown.caution


def test_a_copy_in_another_lossless_format_is_recognised(svm, tmp_path):
    model = taught(svm, tmp_path / "model.zip", ["blues.0"], ["a"])
    (tmp_path / "music/blues").mkdir(parents=True)
    samples, sr = soundfile.read(svm.files["blues.0"], dtype="int16")
    soundfile.write(tmp_path / "music/blues/copy.flac", samples, sr)
    with pytest.raises(DataError, match="the model learned from all of these 1 tracks"):
        genredag.evaluate(model, tmp_path / "music")


def test_accuracy_is_given_for_known_and_for_new_artists(svm, tmp_path):
    model = taught(svm, tmp_path / "model.zip", ["blues.0", "rock.0"], ["The Blue Band", "Rock & Co"])
    artists = {1: "blue band", 2: "Someone & The Blue Band", 3: "Someone Else", 4: ""}
    rows = [
        {"path": svm.files[f"{genre}.{i}"], "genre": genre, "artist": artist}
        for genre in ("blues", "rock")
        for i, artist in artists.items()
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "songs.csv", index=False)
    test = genredag.evaluate(model, tmp_path / "songs.csv")
    by_artist = test.metrics()["by_artist"]
    assert {name: own["n_tracks"] for name, own in by_artist.items()} == {"known": 4, "new": 2, "unknown": 2}
    hits = test.tracks["genre"] == test.tracks["predicted"]
    assert by_artist["new"]["accuracy"] == hits[test.tracks["artist"] == "Someone Else"].mean()
    assert "or from others of their artists" in test.caution  # two tracks have no artist
    # One of the artists that this model learned from is unknown, and may be any.
    model = taught(svm, tmp_path / "model.zip", ["blues.0", "rock.0"], ["The Blue Band", None])
    test = genredag.evaluate(model, tmp_path / "songs.csv")
    assert {name: own["n_tracks"] for name, own in test.by_artist().items()} == {"known": 4, "unknown": 4}
    assert "or from others of their artists" in test.caution


def test_copies_are_left_out_and_so_are_all_of_different_genres(svm, folder):
    shutil.copy(folder / "Blues" / "blues.1.wav", folder / "Blues" / "same.wav")
    shutil.copy(folder / "Blues" / "blues.2.wav", folder / "rock_songs" / "other.wav")
    test = genredag.evaluate(svm.path, folder, genres={"rock_songs": "rock"})
    assert len(test.tracks) == 7 and not test.tracks["track_id"].str.contains("same|other|blues.2").any()
    reasons = test.quarantine.set_index("track_id")["reason"]
    assert reasons["Blues/same"] == "duplicate of Blues/blues.1"
    assert reasons["Blues/blues.2"] == "label conflict: the same audio is rock_songs/other of genre rock"
    assert len(reasons) == test.metrics()["n_copies"] == 3
    (folder / "one").mkdir()
    for label in ("blues", "rock"):
        (folder / "one" / label).mkdir()
        shutil.copy(svm.files["blues.1"], folder / "one" / label / "song.wav")
    with pytest.raises(DataError, match=r"no track is left: .*song\.wav: label conflict"):
        genredag.evaluate(svm.path, folder / "one")


def test_files_of_the_folder_that_are_no_tracks_are_told(svm, folder):
    (folder / "Blues" / "gone.flac").symlink_to("nowhere.flac")
    os.mkfifo(folder / "Blues" / "pipe.wav")
    shutil.copy(svm.files["blues.5"], folder / "loose.wav")
    told = genredag.evaluate(svm.path, folder, genres={"rock_songs": "rock"}).quarantine
    assert dict(zip(told["path"], told["reason"], strict=True)) == {
        f"{folder}/Blues/gone.flac": "1 file left out (.flac): a link that leads nowhere",
        f"{folder}/Blues/pipe.wav": "1 file left out (.wav): neither a file nor a folder",
        f"{folder}/loose.wav": "1 file left out (.wav): outside the folders of genres",
    }


def test_the_error_of_unreadable_tracks_mentions_those_that_were_left_out(svm, tmp_path):
    model = taught(svm, tmp_path / "model.zip", ["blues.0"], ["a"])
    (tmp_path / "music/blues").mkdir(parents=True)
    shutil.copy(svm.files["blues.0"], tmp_path / "music/blues")
    (tmp_path / "music/blues/broken.wav").write_bytes(b"RIFF nothing")
    with pytest.raises(DataError, match=r"broken\.wav: .* Hint: left out: 1 that the model learned from"):
        genredag.evaluate(model, tmp_path / "music")


def test_genres_that_the_model_does_not_know_are_an_error(svm, folder):
    shutil.rmtree(folder / "Blues")
    with pytest.raises(DataError, match=r"knows none of the genres polka, rock_songs; expected blues, rock"):
        genredag.evaluate(svm.path, folder)


def test_a_folder_without_readable_files_is_an_error(svm, tmp_path):
    (tmp_path / "blues").mkdir()
    (tmp_path / "blues" / "broken.wav").write_bytes(b"no audio")
    with pytest.raises(DataError, match=r"no track can be predicted, such as .*broken\.wav: "):
        genredag.evaluate(svm.path, tmp_path)


def test_a_model_in_memory_and_its_file_are_equal(svm, folder):
    one, other = (
        genredag.evaluate(bundle, folder, n_jobs=n) for bundle, n in ((svm.path, 1), (load(svm.path), 2))
    )
    pd.testing.assert_frame_equal(one.tracks, other.tracks)
    assert one.model == other.model


def test_a_name_that_is_not_utf_8_is_the_reason_given(svm, folder):
    shutil.copy(svm.files["blues.5"], os.fsdecode(bytes(folder / "Blues") + b"/\xff.wav"))
    test = genredag.evaluate(svm.path, folder, genres={"rock_songs": "rock"})
    (reason,) = [reason for path, reason in test.unreadable.items() if path.endswith("\\xff.wav")]
    assert reason.startswith("its name is not UTF-8")


def test_a_pipe_is_refused_and_not_waited_for(svm, tmp_path):
    os.mkfifo(tmp_path / "list.csv")
    with pytest.raises(DataError, match=r"list\.csv: not a regular file; expected a CSV"):
        genredag.evaluate(svm.path, tmp_path / "list.csv")
