"""The models that the page offers."""

from __future__ import annotations

import json
import zipfile

import pytest

from genredag.bundles.card import DataFacts, Estimate
from genredag.errors import ModelError
from genredag.prediction.app.offer import offered_models


def test_the_models_of_a_folder_come_best_first(model_file, tmp_path):
    model_file("results/a/model.zip", validation_accuracy=0.6, name="lstm on mel")
    model_file("results/b/model.zip", validation_accuracy=0.7, name="crnn on mel")
    assert [model.name for model in offered_models([tmp_path])] == ["crnn on mel", "lstm on mel"]


def test_a_model_is_offered_once(model_file, tmp_path):
    path = model_file("results/a/model.zip")
    assert len(offered_models([path, tmp_path, tmp_path / "results"])) == 1


def test_models_of_one_name_are_told_apart(model_file, tmp_path):
    paths = [model_file(f"{i}/model.zip", seed=seed) for i, seed in enumerate([1, 2, 2])]
    assert [model.name for model in offered_models(paths)] == [
        "svm_rbf on mel (toys, artist_disjoint, seed 1)",
        "svm_rbf on mel (toys, artist_disjoint, seed 2), no. 1",
        "svm_rbf on mel (toys, artist_disjoint, seed 2), no. 2",
    ]


def test_a_summary_says_how_good_a_model_is(model_file):
    accuracy = Estimate(value=0.9, low=None, high=None)
    (model,) = offered_models([model_file("model.zip", accuracy=accuracy, warning="LEAKY: ...")])
    assert model.summary == "LEAKY split. Right for 90 % of the test tracks of toys."
    assert model.content()["card"]["accuracy_text"] == "90 %"


def test_a_summary_says_that_a_model_never_heard_music(model_file):
    data = DataFacts(name="synthetic", homepage="", licence="CC0", citation="")
    (model,) = offered_models([model_file("model.zip", data=data)])
    assert model.summary.startswith("Trained on synthetic sounds, not on music. Right for ")


def test_a_bundle_without_a_card_is_offered_and_says_so(tmp_path):
    with zipfile.ZipFile(tmp_path / "bundle.zip", "w") as archive:
        archive.writestr("bundle.json", json.dumps({"model": "crnn", "frames": {"representation": "cqt"}}))
    (model,) = offered_models([tmp_path / "bundle.zip"])
    assert (model.name, model.card) == ("crnn on cqt", None)
    assert "nobody measured" in model.summary


def test_models_of_precomputed_frames_are_left_out_of_a_folder_and_refused_by_name(model_file, tmp_path):
    path = model_file("results/a/model.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("bundle.json", json.dumps({"model": "crnn", "frames": {"sr": 0}}))
    other = model_file("results/b/model.zip")
    assert [model.path for model in offered_models([tmp_path])] == [other]
    with pytest.raises(ModelError, match="trained on precomputed spectrograms"):
        offered_models([path])


def test_an_id_says_nothing_about_the_path(model_file, tmp_path):
    (model,) = offered_models([model_file("secret/model.zip")])
    assert "secret" not in json.dumps(model.content())
    assert str(tmp_path) not in json.dumps(model.content())


def test_without_a_model_there_is_no_app(tmp_path):
    with pytest.raises(ModelError, match="no model found"):
        offered_models([tmp_path])
    with pytest.raises(ModelError, match="no such file or folder"):
        offered_models([tmp_path / "missing.zip"])
