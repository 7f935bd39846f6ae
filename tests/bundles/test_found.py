from __future__ import annotations

import json
import logging
import zipfile

import pytest
from typer.testing import CliRunner

from genredag.bundles.found import best_bundle, list_bundles
from genredag.cli import app
from genredag.errors import ModelError

RUNS = {
    "results/toys/mel/svm_rbf/s/1": {"validation_accuracy": 0.7},
    "results/toys/mel/crnn/s/1": {"validation_accuracy": 0.8, "model": "crnn"},
    "results/toys/mel/crnn/leaky/1": {"validation_accuracy": 0.99, "warning": "LEAKY: it is"},
    "experiment": {"validation_accuracy": 0.75},
}


def write_bundle(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("card.json", content)


@pytest.fixture
def project(make_card, tmp_path):
    for folder, changes in RUNS.items():
        write_bundle(tmp_path / folder / "model.zip", make_card(**changes).json_text())
    write_bundle(tmp_path / ".cache/model.zip", make_card().json_text())
    return tmp_path


def test_the_best_comes_first_and_leaky_ones_last(project):
    found = list_bundles(project)
    assert [one.card.validation_accuracy for one in found] == [0.8, 0.75, 0.7, 0.99]
    assert found[0].path == project / "results/toys/mel/crnn/s/1/model.zip"
    assert best_bundle(found) == found[0]


def test_of_equal_accuracies_that_on_more_tracks_comes_first(tmp_path, make_card):
    for name, n_tracks in (("a", 4), ("b", 40), ("c", 5)):
        tracks = {"train": 80, "validation": n_tracks, "test": 10}
        card = make_card(validation_accuracy=1.0, tracks=tracks)
        write_bundle(tmp_path / name / "model.zip", card.json_text())
    assert [one.path.parent.name for one in list_bundles(tmp_path)] == ["b", "c", "a"]


def test_any_folder_can_be_listed(project):
    assert len(list_bundles(project / "results/toys/mel/crnn")) == 2
    assert list_bundles(project / "no such folder") == []


def test_unreadable_ones_are_logged(project, caplog):
    write_bundle(project / "results/broken/model.zip", "{}")
    (project / "experiment/model.zip").write_bytes(b"no zip")
    with caplog.at_level(logging.WARNING):
        assert len(list_bundles(project)) == 3
    assert "broken/model.zip: can't read card.json" in caplog.text
    assert "experiment/model.zip: isn't a bundle" in caplog.text


def test_links_are_followed_and_hidden_folders_are_not(project, tmp_path):
    here = tmp_path / "here"
    (here / "results").mkdir(parents=True)
    (here / "results" / "toys").symlink_to(project / "results/toys")
    (here / "results" / ".old").symlink_to(project / "experiment")
    assert len(list_bundles(here)) == 3


def test_a_leaky_bundle_is_never_the_default(project):
    leaky = [one for one in list_bundles(project) if one.card.warning]
    with pytest.raises(ModelError, match="every bundle comes from a LEAKY split"):
        best_bundle(leaky)
    with pytest.raises(ModelError, match=r"no bundle found\. Hint: train one"):
        best_bundle([])


def test_the_command_lists_bundles(project, monkeypatch):
    monkeypatch.chdir(project)
    done = CliRunner().invoke(app, ["bundles"])
    assert done.exit_code == 0
    rows = [line for line in done.stdout.splitlines() if "model.zip" in line]
    assert "results/toys/mel/crnn/s/1/model.zip" in rows[0] and "75 % (60 to 86 %)" in rows[0]
    assert "(LEAKY)" in rows[-1]
    listed = json.loads(CliRunner().invoke(app, ["bundles", "--json"]).stdout)
    assert [row["validation_accuracy"] for row in listed] == [0.8, 0.75, 0.7, 0.99]
    assert listed[1]["path"] == "experiment/model.zip"


def test_nothing_to_list_is_no_error(tmp_path):
    done = CliRunner().invoke(app, ["bundles", str(tmp_path)])
    assert (done.exit_code, done.stdout.partition(".")[0]) == (0, "No bundles")


def test_the_command_prints_a_card(project):
    path = str(project / "experiment/model.zip")
    done = CliRunner().invoke(app, ["card", path])
    assert done.exit_code == 0 and done.stdout.startswith("# svm_rbf on mel\n")
    assert json.loads(CliRunner().invoke(app, ["card", path, "--json"]).stdout)["model"] == "svm_rbf"


@pytest.mark.parametrize("content", [b"", b"no zip"])
def test_the_command_refuses_other_files_in_one_line(tmp_path, content):
    (tmp_path / "x.zip").write_bytes(content)
    done = CliRunner().invoke(app, ["card", str(tmp_path / "x.zip")])
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1 and "x.zip: isn't a bundle" in done.stderr


def test_a_model_that_heard_music_comes_before_all_that_did_not(project, make_card):
    data = make_card().data.model_copy(update={"name": "synthetic"})
    card = make_card(validation_accuracy=0.95, data=data)
    write_bundle(project / "results/synthetic/model.zip", card.json_text())
    assert [one.card.is_synthetic for one in list_bundles(project)] == [False, False, False, True, False]
