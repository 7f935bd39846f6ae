"""A song has the probabilities that the evaluate stage gave it, for every model of params.yaml."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from genredag.bundles.bundle import save_bundle
from genredag.bundles.export import export_onnx
from genredag.evaluation.predictions import probabilities_of, track_predictions
from genredag.models import registry
from genredag.models.registry import learners
from genredag.params.groups.models import Ensemble, Estimator, Hybrid, Recipe, Train
from genredag.params.groups.spectrograms import Handcrafted, Mel
from genredag.params.loading import load_params
from genredag.prediction.classifier import load
from genredag.prediction.held_out import predict_split
from genredag.training.train import train_bundle

pytestmark = pytest.mark.slow

MODELS = load_params(Path(__file__).resolve().parents[2] / "params.yaml").models
TRAIN = Train(precision="float32", threads=1, normalisation="bin")
# As many bins and frames as every network takes.
MEL = Mel(
    n_fft=1024, hop_length=130, window="hann", n_mels=120, fmin=0.0, fmax=6500.0, scale="db", top_db=80.0
)
HANDCRAFTED = Handcrafted(n_fft=1024, hop_length=130, n_mfcc=30)
SECONDS = 0.8
CHEAP = {"selection_trees": 10, "n_estimators": 10}


def cheap(recipe: Recipe) -> Recipe:
    """Return a recipe with one epoch, random weights and the first of several options."""
    if isinstance(recipe, Ensemble):
        changed = {
            name: member.model_copy(update={"copies": 2, "recipe": cheap(member.recipe)})
            for name, member in recipe.members.items()
        }
        return recipe.model_copy(update={"members": changed})
    options = {key: value[0] if isinstance(value, list) else value for key, value in recipe.options.items()}
    options = {key: CHEAP[key] if value and key in CHEAP else value for key, value in options.items()}
    if isinstance(recipe, Estimator):
        return recipe.model_copy(update={"options": options, "folds": 2})
    changes = {"options": options, "epochs": 1, "patience": 1, "batch_size": 8}
    if isinstance(recipe, Hybrid):
        changes |= {"folds": 2, "classifier": {key: value[:1] for key, value in recipe.classifier.items()}}
    if recipe.backbone:
        changes["backbone"] = recipe.backbone.model_copy(update={"weights": None, "size": [32, 32]})
    return recipe.model_copy(update=changes)


@pytest.fixture(scope="module")
def data(make_data):
    """Return the slices of a representation, of handcrafted features or of mel spectrograms."""
    groups = {"mel": MEL, "handcrafted": HANDCRAFTED}
    return {name: make_data(name, group, "float16", SECONDS) for name, group in groups.items()}


@pytest.mark.parametrize("name", sorted(learners()))
def test_predicts_what_the_evaluate_stage_predicts(name, data, audio, tmp_path, record_property, monkeypatch):
    random_start = dataclasses.replace(learners()[name], start=None)  # pretrained weights need their columns
    monkeypatch.setitem(registry._LEARNERS, name, random_start)
    recipe = cheap(MODELS[name])
    on_features = isinstance(recipe, Estimator) or learners()[name].features
    slices = data["handcrafted" if on_features else "mel"]
    bundle, _, _ = train_bundle(name, recipe, TRAIN, slices, seed=1)
    save_bundle(tmp_path / "bundle.zip", bundle)
    export_onnx(tmp_path / "bundle.zip", tmp_path / "model.onnx")
    tracks = track_predictions(predict_split(bundle, slices), "mean")
    assert len(tracks) == 8 and probabilities_of(tracks).std(axis=0).max() > 0
    files = [audio[0] / f"{track_id}.wav" for track_id in tracks["track_id"]]
    for file, tolerance in (("bundle.zip", 1e-6), ("model.onnx", 1e-4)):
        found = np.array([song.probabilities for song in load(tmp_path / file).predict_many(files)])
        difference = float(np.abs(found - probabilities_of(tracks)).max())
        record_property(file, difference)
        assert difference <= tolerance, file
