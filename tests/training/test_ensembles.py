import dataclasses

import numpy as np
import pytest

from genredag.bundles.bundle import save_bundle
from genredag.bundles.ensemble import product
from genredag.errors import ParameterError
from genredag.frames.batches import summarise
from genredag.models import registry
from genredag.params.groups.models import Ensemble, Estimator
from genredag.training.ensembles import LOG_SHARPNESS, copy_seed, fit_sharpness, log_loss, predicted
from genredag.training.networks import HISTORY_COLUMNS
from genredag.training.train import train_bundle
from recipes import LSTM, SVM, TRAIN

TREE = Estimator(
    kind="estimator",
    features="bin_statistics",
    folds=2,
    backbone=None,
    options={"criterion": "gini", "splitter": "best", "min_variance": 0.0, "selection_trees": 0},
)


@pytest.fixture
def pair(monkeypatch):
    """Register an ensemble of a network and a tree for this test."""
    monkeypatch.setattr(registry, "_LEARNERS", dict(registry.learners()))

    @registry.ensemble("pair", paper="a test")
    def pair() -> tuple[str, ...]:
        """Return a network and a tree."""
        return "lstm", "decision_tree"


def recipe():
    members = {
        "lstm": {"copies": 2, "weight": 0.75, "recipe": LSTM},
        "decision_tree": {"copies": 1, "weight": 0.25, "recipe": TREE},
    }
    return Ensemble(kind="ensemble", backbone=None, members=members)


def test_trains_each_member_and_multiplies(pair, toy_slices, tmp_path):
    for name in ("a", "b"):
        bundle, history, timing = train_bundle("pair", recipe(), TRAIN, toy_slices, seed=1)
        save_bundle(tmp_path / name, bundle)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert tuple(history.columns) == HISTORY_COLUMNS and len(history) == 1
    assert [member.info["model"] for member in bundle.members] == ["lstm", "lstm", "decision_tree"]
    weights = bundle.info["weights"]
    np.testing.assert_allclose(np.array(weights) / weights[2], [1.5, 1.5, 1.0])
    slices = toy_slices.part("validation")
    parts = [predicted(member, slices) for member in bundle.members]
    np.testing.assert_array_equal(predicted(bundle, slices), product(parts, weights))
    found = product(parts, weights)
    assert history["val_accuracy"][0] == (found.argmax(axis=1) == slices.labels).mean()
    assert history["val_loss"][0] == pytest.approx(log_loss(found, slices.labels))
    assert sum(weights) == pytest.approx(fit_sharpness(parts, [0.375, 0.375, 0.25], slices.labels))
    assert bundle.info["metrics"]["val_accuracy"] == history["val_accuracy"][0]
    assert bundle.info["n_parameters"] == 2 * bundle.members[0].info["n_parameters"]
    assert {row["name"].split("/")[0] for row in bundle.info["layers"]} == {"lstm", "decision_tree"}
    assert set(timing) == {"seconds", "slices_per_second", "peak_memory_mb"}


def test_features_of_estimators_are_computed_once(pair, toy_slices, monkeypatch):
    computed = []

    def counted(slices, name):
        computed.append((len(slices), name))
        return summarise(slices, name)

    monkeypatch.setattr("genredag.frames.split_slices.summarise", counted)
    monkeypatch.setattr("genredag.bundles.predictor.features", None)
    train_bundle("pair", recipe(), TRAIN, dataclasses.replace(toy_slices), seed=1)
    assert computed == [(36, "bin_statistics"), (18, "bin_statistics")]


def test_copies_differ_and_are_counted_in_the_log(pair, toy_slices, caplog):
    caplog.set_level("INFO")
    bundle, _, _ = train_bundle("pair", recipe(), TRAIN, toy_slices, seed=1)
    first, second, _ = (predicted(member, toy_slices.part("test")) for member in bundle.members)
    assert (first != second).any()
    shown = [message for message in caplog.messages if message.startswith("pair: training")]
    assert shown == [
        "pair: training lstm, copy 1 of 2",
        "pair: training lstm, copy 2 of 2",
        "pair: training decision_tree",
    ]


def test_copies_share_no_seed_with_those_of_another_seed():
    seeds = [copy_seed(seed, copy) for seed in range(20) for copy in range(5)]
    assert len(set(seeds)) == len(seeds) and max(seeds) < 2**32


def test_a_killed_training_resumes_with_the_member_it_was_at(pair, toy_slices, tmp_path, monkeypatch):
    from genredag.training import networks

    checkpoint, end, epochs = tmp_path / ".model.checkpoint", networks.Course.end, []

    def counted(self, epoch, logs):
        end(self, epoch, logs)
        epochs.append(epoch)
        if len(epochs) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(networks.Course, "end", counted)
    with pytest.raises(KeyboardInterrupt):
        train_bundle("pair", recipe(), TRAIN, toy_slices, seed=1, checkpoint=checkpoint)
    resumed, _, _ = train_bundle("pair", recipe(), TRAIN, toy_slices, seed=1, checkpoint=checkpoint)
    assert epochs == [0, 1, 0, 1]  # the first copy, half of the second; then the other half
    whole, _, _ = train_bundle("pair", recipe(), TRAIN, toy_slices, seed=1)
    assert resumed.info["weights"] == whole.info["weights"]
    assert all(file.name.endswith(checkpoint.name) for file in tmp_path.iterdir())


def test_only_the_ratios_of_weights_matter(monkeypatch, toy_slices):
    monkeypatch.setattr(registry, "_LEARNERS", dict(registry.learners()))
    registry.ensemble("quick", paper="a test")(lambda: ("svm_rbf", "decision_tree"))

    def weights(factor):
        members = {
            "decision_tree": {"copies": 1, "weight": 0.25 * factor, "recipe": TREE},
            "svm_rbf": {"copies": 1, "weight": 0.75 * factor, "recipe": SVM},
        }
        changed = Ensemble(kind="ensemble", backbone=None, members=members)
        return train_bundle("quick", changed, TRAIN, toy_slices, seed=1)[0].info["weights"]

    np.testing.assert_allclose(weights(1.0), weights(0.01))


def test_a_useless_product_is_reported(caplog):
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), 400)
    assert np.log(fit_sharpness([p], [1.0], p.argmin(axis=1))) == pytest.approx(-LOG_SHARPNESS, abs=0.01)


def test_a_wrong_value_in_a_member_is_found_there(pair, toy_slices):
    found = recipe()
    member = found.members["lstm"]
    wrong = member.model_copy(update={"recipe": LSTM.model_copy(update={"options": {"units": 4}})})
    changed = found.model_copy(update={"members": found.members | {"lstm": wrong}})
    with pytest.raises(
        ParameterError, match=r"^models\.pair\.members\.lstm\.recipe\.options: 'dropout' is m"
    ):
        train_bundle("pair", changed, TRAIN, toy_slices, seed=1)


def test_sharpness_calibrates_the_product():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(3), 4000)
    labels = np.array([rng.choice(3, p=row) for row in p])
    assert fit_sharpness([p], [1.0], labels) == pytest.approx(1.0, abs=0.1)
    assert fit_sharpness([p], [0.25], labels) == pytest.approx(4.0, abs=0.4)
    assert fit_sharpness([p, p], [0.5, 0.5], labels) == pytest.approx(1.0, abs=0.1)


def test_loss_of_a_wrong_certainty_is_finite():
    assert log_loss(np.array([[1.0, 0.0]], np.float32), np.array([1])) > 50
    assert str(log_loss(np.array([[0.0, 1.0]], np.float32), np.array([1]))) == "0.0"
    assert log_loss(np.array([[0.5, 0.5]], np.float32), np.array([1])) == pytest.approx(np.log(2))


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"lstm": None}, r"models\.pair\.members: decision_tree; expected lstm and decision_tree"),
        ({"svm_rbf": "tree"}, r"models\.pair\.members: lstm, decision_tree, svm_rbf; expected lstm and dec"),
    ],
)
def test_members_must_be_those_of_the_builder(pair, toy_slices, members, message):
    found = recipe()
    changed = {**found.members, **{name: found.members["decision_tree"] for name in members}}
    changed = {name: member for name, member in changed.items() if members.get(name, "") is not None}
    with pytest.raises(ParameterError, match=message):
        train_bundle("pair", found.model_copy(update={"members": changed}), TRAIN, toy_slices, seed=1)


def test_members_over_windows_are_refused(monkeypatch, toy_slices):
    monkeypatch.setattr(registry, "_LEARNERS", dict(registry.learners()))
    registry.ensemble("alone", paper="a test")(lambda: ("lstm_windows",))
    member = {"copies": 1, "weight": 1.0, "recipe": LSTM}
    whole = Ensemble(kind="ensemble", backbone=None, members={"lstm_windows": member})
    with pytest.raises(ParameterError, match=r"'lstm_windows'; expected another model"):
        train_bundle("alone", whole, TRAIN, toy_slices, seed=1)
