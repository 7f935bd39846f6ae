import dataclasses

import numpy as np
import pytest
from sklearn.base import clone

from genredag.bundles.bundle import read_bundle, save_bundle
from genredag.frames.batches import summarise
from genredag.models import registry
from genredag.models.layer_table import layers
from genredag.params.groups.models import Ensemble
from genredag.params.loading import load_params
from genredag.prediction.refitting import refitted
from genredag.training.ensembles import predicted
from genredag.training.train import train_bundle
from recipes import LSTM, SVM, TRAIN

TREE = SVM.model_copy(
    update={
        "options": {"criterion": "gini", "splitter": "best", "min_variance": 0.0, "selection_trees": 0},
    }
)


DISCRIMINANT = SVM.model_copy(update={"options": {"shrinkage": 0.5, "limit": 1.5}})


@pytest.fixture
def pair(monkeypatch):
    """Register an ensemble of a network and a discriminant for this test; return its recipe."""
    monkeypatch.setattr(registry, "_LEARNERS", dict(registry.learners()))

    @registry.ensemble("pair", paper="a test")
    def pair() -> tuple[str, ...]:
        """Return a network and a discriminant."""
        return "lstm", "lda_textures"

    members = {
        name: {"copies": 1, "weight": 0.5, "recipe": own}
        for name, own in {"lstm": LSTM, "lda_textures": DISCRIMINANT}.items()
    }
    return Ensemble(kind="ensemble", backbone=None, members=members)


def machine_in(bundle):
    (calibrated,) = bundle.model.calibrated_classifiers_
    return calibrated.estimator.estimator, calibrated.calibrators[0].beta_


def test_learns_from_both_parts_and_keeps_the_temperature(toy_slices):
    before, _, _ = train_bundle("svm_rbf", SVM, TRAIN, toy_slices, seed=1)
    first, temperature = machine_in(before)
    machine, kept = machine_in(refitted(before, toy_slices))
    both = toy_slices.part("train", "validation")
    expected = clone(first).fit(summarise(both, "bin_statistics"), both.labels)
    tested = summarise(toy_slices.part("test"), "bin_statistics")
    np.testing.assert_array_equal(machine.decision_function(tested), expected.decision_function(tested))
    assert kept == temperature
    assert not np.array_equal(machine.decision_function(tested), first.decision_function(tested))
    assert machine_in(before)[0] is first


def test_the_bundle_says_so_and_holds_nothing_of_before(toy_slices, tmp_path):
    before, _, _ = train_bundle("svm_rbf", SVM, TRAIN, toy_slices, seed=1)
    after = refitted(before, toy_slices)
    assert after.info == before.info | {"refitted": True, "layers": layers(after.model)}
    assert after.model.estimator is after.model.calibrated_classifiers_[0].estimator
    for name in ("a", "b"):
        save_bundle(tmp_path / name, refitted(before, toy_slices))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    slices = toy_slices.part("test")
    np.testing.assert_array_equal(predicted(read_bundle(tmp_path / "a"), slices), predicted(after, slices))


def test_probabilities_that_were_not_calibrated_come_from_both_parts(toy_slices):
    split = toy_slices.split.copy()
    odd = (split["part"] == "validation") & (split["genre"] != "blues")
    split.loc[odd, "genre"] = split.loc[odd, "genre"].map({"jazz": "rock", "rock": "jazz"})
    data = dataclasses.replace(toy_slices, split=split)
    before, _, _ = train_bundle("decision_tree", TREE, TRAIN, data, seed=1)
    slices = data.part("validation")
    found = predicted(refitted(before, data), slices)
    np.testing.assert_array_equal(found, np.eye(3)[slices.labels])  # a tree knows what it has seen
    assert not np.array_equal(predicted(before, slices), found)


def test_members_of_an_ensemble_are_fitted_again_except_networks(pair, toy_slices):
    before, _, _ = train_bundle("pair", pair, TRAIN, toy_slices, seed=1)
    after = refitted(before, toy_slices)
    network, discriminant = after.members
    assert network is before.members[0] and "refitted" not in network.info
    assert discriminant.info["refitted"]
    assert machine_in(discriminant)[1] == machine_in(before.members[1])[1]
    assert before.info["layers"][-3] | {"output_shape": [48]} == after.info["layers"][-3]
    assert before.info["layers"][-3]["output_shape"] == [36]  # principal components of 36 slices, not 54
    changed = {"refitted": True, "layers": after.info["layers"]}
    assert after.info == before.info | changed
    tested = summarise(toy_slices.part("test"), "bin_statistics")
    scores = [machine_in(own.members[1])[0].decision_function(tested) for own in (before, after)]
    assert not np.array_equal(*scores)


def test_a_network_stays_as_it_is(toy_slices):
    bundle, _, _ = train_bundle("lstm", LSTM, TRAIN, toy_slices, seed=1)
    assert refitted(bundle, toy_slices) is bundle


def test_a_network_on_features_stays_as_it_is(toy_slices, project_dir):
    recipe = load_params(project_dir / "params.yaml").models["mlp_embedding"]
    recipe = recipe.model_copy(update={"epochs": 1, "patience": 1})
    bundle, _, _ = train_bundle("mlp_embedding", recipe, TRAIN, toy_slices, seed=1)
    assert bundle.info["features"] and refitted(bundle, toy_slices) is bundle
