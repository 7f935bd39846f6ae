"""Inputs of Keras: augmented training slices, validation slices as stored, training statistics."""

import dataclasses
import logging
from types import SimpleNamespace

import numpy as np
import pytest

from genredag.models import registry
from genredag.models.registry import learner
from genredag.params.groups.models import Cutout, Network, Noise, Train
from genredag.training import networks
from genredag.training.networks import Course
from genredag.training.train import train_bundle

TRAIN = Train(precision="float32", threads=1, normalisation="bin")
NETWORK = {"kind": "network", "optimizer": "adam", "learning_rate": 0.01, "schedule": "constant"}
NETWORK |= {"batch_size": 8, "epochs": 1, "patience": 1, "size": None, "backbone": None}
NETWORK |= {"options": {"units": 8, "dropout": 0.1}}
NOISE = Noise(kind="noise", std=3.0)


def stored(toy, part):
    """Return the slices of one part, or of all, as the frame store has them."""
    slices = toy.slices[toy.split["part"].isin([part] if part else ["train", "validation", "test"])]
    return toy.frames.gather(slices["first_frame"].to_numpy(), 10, slices["n_valid"].to_numpy())


@pytest.fixture
def given(monkeypatch):
    """The slices that Keras is given to fit and to validate on, in the order of the store, by part."""
    import keras

    seen, fit = {}, keras.Model.fit

    def watch(self, batches, *, validation_data, **options):
        for part, data in (("train", batches), ("validation", validation_data)):
            values = [np.asarray(batch[0]).reshape(-1, 10, 12) for batch in data]
            seen[part] = np.concatenate(values)
        return fit(self, batches, validation_data=validation_data, **options)

    monkeypatch.setattr(keras.Model, "fit", watch)
    return seen


@pytest.mark.parametrize("name", ["lstm", "lstm_windows"])
def test_only_training_slices_are_augmented(toy_slices, given, name):
    train_bundle(name, Network(**NETWORK, augment=[NOISE]), TRAIN, toy_slices, seed=1)
    added = given["train"] - stored(toy_slices, "train")
    assert added.std(axis=(1, 2)) == pytest.approx(np.full(36, 3.0), rel=0.3)
    np.testing.assert_array_equal(given["validation"], stored(toy_slices, "validation"))


def test_a_rewritten_network_is_trained_and_the_bundle_has_keras_layers_only(toy_slices, monkeypatch):
    begin, trained = Course.begin, []

    def watch(self, epoch, logs=None):
        trained.extend(type(layer).__name__ for layer in self.model.layers)
        begin(self, epoch, logs)

    monkeypatch.setattr(Course, "begin", watch)
    recipe = Network(**NETWORK | {"options": {"dropout": 0.1}}, augment=[])
    bundle, _, _ = train_bundle("cnn_370k", recipe, TRAIN, toy_slices, seed=1)
    assert {"PooledConvolution", "ByteDropout"} <= set(trained)
    assert {type(layer).__module__.split(".")[0] for layer in bundle.model.layers} == {"keras"}


def test_what_augmentation_silences_has_the_stored_value_of_silence(toy_slices, given):
    everything = Cutout(kind="cutout", bins=12, frames=10)
    train_bundle("lstm", Network(**NETWORK, augment=[everything]), TRAIN, toy_slices, seed=1)
    assert set(given["train"].ravel()) == {toy_slices.frames.spec.floor} == {-80.0}


def test_without_augmentation_slices_are_trained_on_as_stored(toy_slices, given):
    train_bundle("lstm", Network(**NETWORK, augment=[]), TRAIN, toy_slices, seed=1)
    for part in ("train", "validation"):
        np.testing.assert_array_equal(given[part], stored(toy_slices, part))


@pytest.mark.parametrize("name", ["lstm", "lstm_windows"])
def test_a_training_step_is_traced_once(toy_slices, monkeypatch, name):
    import keras

    traced, step = [], keras.Model.train_step
    monkeypatch.setattr(keras.Model, "train_step", lambda self, data: traced.append(self) or step(self, data))
    train_bundle(name, Network(**NETWORK, augment=[]), TRAIN, toy_slices, seed=1)
    assert len(traced) == 1


@pytest.mark.parametrize(("batch_size", "n_tracks"), [(2, 1), (3, 1), (6, 2), (8, 2)])
def test_a_batch_of_a_network_over_windows_has_whole_tracks(toy_slices, batch_size, n_tracks):
    """Each track of the toy data has three slices."""
    part = toy_slices.part("train")
    batches = networks._batches("lstm_windows", part, batch_size, None, lambda x, y, rng: (x, y))
    assert batches[0][0].shape[:2] == (n_tracks, 3)


def test_training_starts_from_pretrained_weights(toy_slices, monkeypatch):
    def start(model):
        lstm = model.get_layer("lstm")
        lstm.set_weights([np.full_like(weights, 0.125) for weights in lstm.get_weights()])

    pretrained = dataclasses.replace(learner("lstm"), start=start)
    monkeypatch.setitem(registry._LEARNERS, "lstm", pretrained)
    recipe = Network(**NETWORK | {"learning_rate": 1e-7}, augment=[])
    bundle, _, _ = train_bundle("lstm", recipe, TRAIN, toy_slices, seed=1)
    for weights in bundle.model.get_layer("lstm").get_weights():
        np.testing.assert_allclose(weights, 0.125, atol=1e-4)


def test_normalisation_uses_only_training_slices(toy_slices):
    bundle, _, _ = train_bundle("lstm", Network(**NETWORK, augment=[]), TRAIN, toy_slices, seed=1)
    layer = bundle.model.get_layer("normalization")
    training, everything = stored(toy_slices, "train"), stored(toy_slices, None)
    for found, statistic in ((layer.mean, np.mean), (layer.variance, np.var)):
        expected, leaky = (statistic(slices, axis=(0, 1), dtype=float) for slices in (training, everything))
        np.testing.assert_allclose(np.ravel(found), expected, rtol=1e-5)
        assert (np.abs(leaky / expected - 1) > 1e-4).all()


def test_the_course_counts_seconds_and_logs_what_is_left(monkeypatch, caplog):
    clock = iter([100.0, 110.0, 200.0, 230.0, 300.0, 320.0])  # epochs of 10, 30 and 20 seconds
    monkeypatch.setattr(networks, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    recipe = Network(**NETWORK | {"epochs": 4, "patience": 2}, augment=[])
    model = SimpleNamespace(optimizer=SimpleNamespace(), get_weights=list)
    course = Course("lstm", recipe, model, SimpleNamespace(start_epoch=lambda epoch: None), None)
    assert not course.is_over
    for epoch, loss in enumerate((0.5, 0.7, 0.6)):
        course.begin(epoch)
        with caplog.at_level(logging.INFO):
            course.end(epoch, {"loss": 0.4, "accuracy": 0.8, "val_loss": loss, "val_accuracy": 0.7})
    assert course.seconds == 60
    assert [row["epoch"] for row in course.history] == [1, 2, 3]
    assert course.is_over and model.stop_training
    scores = "loss 0.400, accuracy 0.800, validation loss {}, accuracy 0.700"
    assert caplog.messages == [
        f"lstm: epoch 1 of 4: {scores.format('0.500')}; at most 0:00:30 left",
        f"lstm: epoch 2 of 4: {scores.format('0.700')}; at most 0:00:40 left",
        f"lstm: epoch 3 of 4: {scores.format('0.600')}; last epoch",
    ]
