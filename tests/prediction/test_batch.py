import os
import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from joblib import Parallel, delayed

from genredag.errors import ParameterError
from genredag.prediction.ahead import render_ahead
from genredag.prediction.batch import new_songs, predict_batch
from genredag.prediction.classifier import load
from genredag.prediction.fetching import Limits
from genredag.prediction.journal import hash_models, open_journal
from genredag.prediction.records import render_text
from genredag.prediction.song import Trust, UnreadableSong


@pytest.fixture
def songs(svm, tmp_path):
    """Six songs and a file that is none."""
    for name in ("blues.0", "blues.1", "blues.2", "rock.0", "rock.1", "rock.2"):
        shutil.copy(svm.files[name], tmp_path / f"{name}.wav")
    (tmp_path / "bad.wav").write_bytes(b"no audio")
    return sorted(str(path) for path in tmp_path.glob("*.wav"))


@pytest.fixture
def run(svm, songs, tmp_path):
    """Return a function that predicts the songs with a journal, until it has `most` of them."""
    classifier, models = load(svm.path), hash_models([svm.path], ["Bundle"])

    def go(most=None, n_jobs=1, sources=songs, models=models):
        with open_journal(tmp_path / "j", models, classifier.class_names) as journal:
            new = new_songs(sources, journal)
            found = []
            for song in predict_batch(classifier, sources, new, journal, n_jobs):
                found.append(song)
                if len(found) == most:
                    break
        return len(new), found

    return go


def table(songs):
    return render_text("json", songs, ("blues", "rock"), "m", True)


def test_a_stopped_run_resumes_with_the_same_table(run, svm, songs):
    whole = table(list(load(svm.path).predict_many(songs)))
    assert [run(most)[0] for most in (2, 4, 5)] == [7, 5, 3]
    n_new, found = run()
    assert n_new == 2
    assert table(found) == whole
    n_new, again = run()
    assert n_new == 0
    assert table(again) == whole
    assert isinstance(again[songs.index(next(s for s in songs if "bad" in s))], UnreadableSong)


def test_changed_files_and_other_models_are_predicted_again(run, songs):
    run()
    os.utime(songs[1], ns=(1, 1))
    assert run()[0] == 1
    with Path(songs[1]).open("ab") as file:
        file.write(b"x")
    assert run()[0] == 1
    assert run()[0] == 0
    assert run(models="other")[0] == 7
    assert run()[0] == 0


def test_what_may_be_readable_later_is_not_remembered(run, tmp_path):
    sources = [str(tmp_path / "absent.wav"), "http://127.0.0.1:1/song.wav"]
    for _ in range(2):
        n_new, found = run(sources=sources)
        assert n_new == 2
        assert [type(song) for song in found] == [UnreadableSong] * 2


def test_a_journal_keeps_everything(run, svm, songs, tmp_path):
    import dataclasses

    song = dataclasses.replace(load(svm.path).predict(songs[1]), trust=Trust(("rock",), 0.9, False, None))
    with open_journal(tmp_path / "k", "m", song.class_names) as journal:
        journal.add(song)
        found = journal.find(songs[1])
    assert found.trust == song.trust and found.duration == song.duration
    assert np.array_equal(found.probabilities, song.probabilities)
    for name in ("start", "end", "probabilities"):
        ours, theirs = getattr(found.timeline, name), getattr(song.timeline, name)
        assert np.array_equal(ours, theirs) and ours.dtype == theirs.dtype


def test_another_file_is_not_a_journal(tmp_path):
    (tmp_path / "j").write_text("no database" * 100)
    with sqlite3.connect(tmp_path / "k") as database:
        database.execute("create table other (x)")
    for name, message in (("j", "can't be used as a journal"), ("k", "not a journal of this version")):
        with pytest.raises(ParameterError, match=message), open_journal(tmp_path / name, "m", ()):
            pass


class Bomb:
    """Ends the process that reads it, as a crashing decoder does."""

    def __reduce__(self):
        return os._exit, (1,)

    def __str__(self):
        return "bomb"


def test_a_crash_of_a_decoder_costs_one_song():
    # Missing files are enough, and quick: nothing is rendered.
    songs = [Path(f"absent{i}.wav") for i in range(9)]
    params = {"n_fft": 2048, "hop_length": 512, "n_mfcc": 20}
    renderings = [(SimpleNamespace(sr=8000, representation="handcrafted", params=params), None)]
    found = list(render_ahead([*songs[:4], Bomb(), *songs[4:]], renderings, Limits(), n_jobs=2))
    assert [song.source for song in found] == [*map(str, songs[:4]), "bomb", *map(str, songs[4:])]
    reasons = [song.reason for song in found]
    assert reasons.pop(4) == "the decoder crashed, or ran out of memory"
    assert reasons == ["no such file"] * 9


def test_other_users_of_joblib_are_left_alone(songs, svm):
    list(render_ahead(songs, load(svm.path).renderings, Limits(), 2))
    assert Parallel(2)(delayed(abs)(number) for number in (-1, 2)) == [1, 2]
