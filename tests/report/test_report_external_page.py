"""Results on other music, as files and as a page."""

from __future__ import annotations

import dataclasses
import json
import re

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from genredag.bundles.card import Card, DataFacts, Estimate, SetScore
from genredag.cli import app
from genredag.prediction import external
from genredag.prediction.external import ExternalTest
from genredag.report.external_page import external_page, write_external_test
from genredag.report.page import decimal
from genredag.tracks.manifest import QUARANTINE_COLUMNS

NAMES = ("blues", "jazz", "rock")


@pytest.fixture
def tested():
    """Twelve tracks of two genres out of three, of which a quarter is predicted wrongly."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(12):
        genre = NAMES[i % 2]
        predicted = genre if i % 4 else "rock"
        shares = rng.dirichlet([1, 1, 1]) / 2
        shares[NAMES.index(predicted)] += 0.5
        row = {"track_id": f"{genre}/<{i}>", "path": f"{i}.wav", "label": genre.title(), "genre": genre}
        row |= {"artist": f"artist {i // 3}", "predicted": predicted}
        rows.append(row | {f"p_{name}": share for name, share in zip(NAMES, shares, strict=True)})
    unreadable = {"a.wav": "silent: all samples are 0"}
    quarantine = pd.DataFrame(
        [["jazz/b", "jazz", "b.wav", "duplicate of jazz/a"]], columns=QUARANTINE_COLUMNS
    )
    return ExternalTest(
        model="svm_rbf on mel",
        folder="my/music",
        class_names=NAMES,
        tracks=pd.DataFrame(rows),
        unknown={"polka": 3},
        unreadable=unreadable,
        coverage=None,
        card=None,
        n_learned=None,
        quarantine=quarantine,
    )


def test_all_files_are_written(tested, tmp_path):
    write_external_test(tested, tmp_path / "out", "2025-01-31")
    names = {"metrics.json", "predictions.parquet", "per_genre.csv", "confusion.csv", "report.html"}
    names |= {"quarantine.csv"}
    names |= {"confusion_matrix.png", "roc_curves.png"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["track"]["accuracy"] == 0.75
    assert metrics["unknown_genres"] == {"polka": 3}
    assert metrics["absent_genres"] == ["rock"]
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "out" / "predictions.parquet"), tested.tracks)


def test_the_page_says_what_was_left_out(tested):
    page = external_page(tested, "2025-01-31")
    assert "svm_rbf on mel, tested on other music" in page
    assert "75.0\u202f%" in page
    assert "polka (3)" in page
    assert "Genres of the model that no track has: rock." in page
    assert "silent: all samples are 0" in page
    assert "<code>b.wav</code>: duplicate of jazz/a" in page
    assert "blues/&lt;0&gt;" in page and "<0>" not in page
    assert "The interval draws whole artists." in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org", "")


def test_the_page_says_what_the_model_learned_from(tested):
    assert "does not say which recordings it learned from" in external_page(tested, "today")
    known = pd.array([True] * 4 + [False] * 8, dtype="boolean")
    told = dataclasses.replace(tested, tracks=tested.tracks.assign(known_artist=known), n_learned=1)
    assert told.by_artist() == {
        "known": {"n_tracks": 4, "accuracy": 0.75},
        "new": {"n_tracks": 8, "accuracy": 0.75},
    }
    page = external_page(told, "today")
    assert "Left out, because the model learned from them: 1 track." in page
    rate = "75.0\u202f%"
    known = f"{rate} of 4 tracks by artists that it learned from"
    assert f"It is right for {known}, {rate} of 8 tracks by other artists." in page
    assert "learned from lossy copies of some of them." in page


def test_a_genre_without_tracks_has_no_recall(tested):
    rows = dict(re.findall(r'<tr><th scope="row">(\w+)</th>(.*?)</tr>', external_page(tested, "2025-01-31")))
    cells = {genre: re.findall(r'"number[^>]*>([^<]+)</td>', row) for genre, row in rows.items()}
    # Precision, recall, F1, area and support. Three of six tracks of blues were taken for rock.
    assert cells["rock"] == ["0.00", *[decimal(float("nan"))] * 3, "0"]
    assert cells["blues"][:3] + cells["blues"][4:] == ["1.00", "0.50", "0.67", "6"]


def test_one_artist_has_no_interval(tested, tmp_path):
    alone = ExternalTest(**vars(tested) | {"tracks": tested.tracks.assign(artist="one")})
    assert alone.metrics()["intervals"] == {"accuracy": None, "macro_f1": None}
    assert "unknown: all tracks are of one artist" in external_page(alone, "2025-01-31")


def test_sets_of_genres_are_summed_up(tested):
    sets = tested.tracks.assign(in_set=[True] * 9 + [False] * 3, set_size=2, unsure=False)
    trusted = ExternalTest(**vars(tested) | {"tracks": sets, "coverage": 0.9})
    assert trusted.metrics()["sets"] == {"promised": 0.9, "held": 0.75, "mean_size": 2.0, "unsure": 0.0}
    assert "sets that hold the right genre" in external_page(trusted, "2025-01-31")


def test_the_models_own_test_result_is_shown(tested):
    card = Card(
        name="svm_rbf on mel",
        model="svm_rbf",
        n_parameters=None,
        data=DataFacts(name="gtzan", homepage="", licence="", citation=""),
        representation="mel",
        input="",
        split="leaky_slices",
        track_decision="mean",
        fold=0,
        protocol="",
        tracks={"train": 8, "validation": 1, "test": 250},
        accuracy=Estimate(value=0.9, low=0.85, high=0.94),
        chance=0.1,
        macro_f1=0.9,
        validation_accuracy=0.9,
        genres=(),
        sets=SetScore(promised=0.9, held=0.9, mean_size=2, unsure=0, groups=10),
        unlike=0.1,
        limits=(),
        warning="LEAKY: slices of a track are in training and test",
        seed=42,
        date=None,
        commit=None,
        versions={},
    )
    page = external_page(ExternalTest(**vars(tested) | {"card": card}), "2025-01-31")
    assert "of its own data set, gtzan, the model classifies 90.0\u202f% correctly" in page
    assert "interval 85\N{EN DASH}94" in page
    assert "LEAKY" in page


@pytest.fixture
def run(tested, monkeypatch):
    """Run `genredag evaluate` with a prepared result."""
    calls = []

    def prepared(*args, **kwargs):
        calls.append((args, kwargs))
        return tested

    monkeypatch.setattr("genredag.report.external_command.evaluate", prepared)
    monkeypatch.setattr("genredag.report.external_command.load", lambda path, onnx_cache: path)
    return lambda *arguments: (CliRunner().invoke(app, ["evaluate", *arguments]), calls)


def test_the_command_prints_and_writes(run, tmp_path):
    done, calls = run("model.zip", "music", "--map", "Polka=rock", "--output", str(tmp_path / "out"))
    assert done.exit_code == 1, done.output
    assert "unreadable: " in done.stderr and "unreadable: " not in done.stdout
    assert "svm_rbf on mel: right for 75 % of 12 tracks (95 % interval" in done.stdout
    assert "polka: unknown to the model, 3 left out" in done.stdout
    assert "left out: b.wav: duplicate of jazz/a" in done.stderr
    assert calls[0][1]["genres"] == {"Polka": "rock"}
    assert (tmp_path / "out" / "report.html").is_file()


def test_no_more_processes_are_started_than_there_are_cores(run, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    _, calls = run("model.zip", "music", "--jobs", "100000")
    assert calls[0][1]["n_jobs"] == 3


def test_genres_in_brackets_are_printed_as_they_are(tested, run, monkeypatch):
    """rich would take them for its markup, such as the end of a style that never began."""
    names = {"blues": "[blues]", "rock": "[/rock]"}
    tracks = tested.tracks.replace({"genre": names, "predicted": names})
    tracks = tracks.rename(columns={f"p_{old}": f"p_{new}" for old, new in names.items()})
    odd = dataclasses.replace(tested, tracks=tracks, class_names=("[blues]", "jazz", "[/rock]"))
    monkeypatch.setattr("genredag.report.external_command.evaluate", lambda *args, **kwargs: odd)
    done, _ = run("model.zip", "music")
    assert done.exit_code == 1, done.output
    assert [line.split()[0] for line in done.stdout.splitlines()[1:2]] == ["[blues]"]


def test_the_command_says_what_the_model_learned_from(tested, run, monkeypatch):
    known = pd.array([True] + [False] * 11, dtype="boolean")
    told = dataclasses.replace(tested, tracks=tested.tracks.assign(known_artist=known), n_learned=2)
    monkeypatch.setattr("genredag.report.external_command.evaluate", lambda *args, **kwargs: told)
    done, _ = run("model.zip", "music")
    lines = done.stdout.splitlines()
    at = next(i for i, line in enumerate(lines) if "right for 75 % of 12 tracks" in line)
    own = "0 % of 1 track by artists that the model learned from"
    assert lines[at + 1 : at + 4] == [
        "The accuracy on these tracks is too high if the model learned from lossy copies of some of them.",
        f"Right for {own}, 82 % of 11 tracks by other artists.",
        "Left out, because the model learned from them: 2 tracks.",
    ]


def test_a_renaming_without_a_name_is_refused(run):
    done, _ = run("model.zip", "music", "--map", "polka")
    assert done.exit_code == 2
    assert "--map: 'polka'; expected THEIRS=OURS" in done.stderr
    done, calls = run("model.zip", "music", "--map", "polka=rock", "--map", "polka=jazz")
    assert done.exit_code == 2 and not calls
    assert "--map: 'polka' is given twice, as 'rock' and 'jazz'" in done.stderr


def test_resamples_are_those_of_the_pipeline(project_dir):
    import yaml

    tree = yaml.safe_load((project_dir / "params.yaml").read_text(encoding="utf-8"))
    assert tree["report"]["n_resamples"] == external.N_RESAMPLES
