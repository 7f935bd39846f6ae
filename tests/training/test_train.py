import dataclasses
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from genredag.bundles.bundle import save_bundle
from genredag.bundles.loading import load_bundle
from genredag.errors import ModelError, ParameterError
from genredag.frames.batches import statistics
from genredag.models import registry
from genredag.models.registry import learners
from genredag.params.groups.models import Estimator, Hybrid, Network, Plateau, Step, Train
from genredag.prediction.held_out import predict_split
from genredag.training.fitting import _timing
from genredag.training.networks import HISTORY_COLUMNS, Cost, Course
from genredag.training.schedules import learning_rate
from genredag.training.train import train_bundle

TRAIN = Train(precision="float32", threads=1, normalisation="bin")
NETWORK = {
    "kind": "network",
    "optimizer": "adam",
    "learning_rate": 0.01,
    "schedule": "cosine",
    "batch_size": 8,
    "epochs": 6,
    "patience": 6,
    "augment": [],
    "size": None,
    "backbone": None,
    "options": {"units": 8, "dropout": 0.1},
}
PRETRAINED = {"architecture": "vgg16", "size": [32, 32], "weights": "w.h5", "preprocessing": "none"}
PRETRAINED |= {"frozen_layers": 0, "embed": False}
LSTM = Network(**NETWORK)
SVM = Estimator(
    kind="estimator",
    features="bin_statistics",
    folds=2,
    backbone=None,
    options={"C": 1.0, "kernel": "rbf", "gamma": "scale", "min_variance": 0.0, "selection_trees": 0},
)


def files_of(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize(("model", "recipe"), [("lstm", LSTM), ("lstm_windows", LSTM), ("svm_rbf", SVM)])
def test_learns_and_is_reproducible(toy_slices, tmp_path, model, recipe):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        bundle, history, timing = train_bundle(model, recipe, TRAIN, toy_slices, seed=seed)
        save_bundle(tmp_path / name, bundle)
        history.to_csv(tmp_path / f"{name}.csv")
    assert tuple(history.columns) == HISTORY_COLUMNS
    assert history["val_accuracy"].max() == 1.0
    assert set(timing) == {"seconds", "slices_per_second", "peak_memory_mb"}
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    x = toy_slices.frames.gather(np.array([0, 200]), 10, np.array([10, 10]))
    first, third = (load_bundle(tmp_path / name).predict(x) for name in "ac")
    assert (first == third).all() == (model == "svm_rbf")  # which draws nothing, whatever its seed


def mislabelled(toy):
    """Return toy slices with a wrong genre for one of the six validation tracks.

    The surer a network gets, the more that track costs: validation loss falls first, and rises later.
    """
    genre = toy.split["genre"].mask(toy.split["track_id"] == "blues.00004", "jazz")
    return dataclasses.replace(toy, split=toy.split.assign(genre=genre))


def loss_of(bundle, data, part):
    """Return the mean loss of a part's slices, computed from their stored frames."""
    slices = data.part(part)
    p = bundle.predict(slices.take(np.arange(len(slices))))
    return -np.log(p[np.arange(len(slices)), slices.labels]).mean()


def test_keeps_the_best_epoch(toy_slices):
    data = mislabelled(toy_slices)
    recipe = Network(**NETWORK | {"schedule": "constant", "learning_rate": 1e-3, "epochs": 40, "patience": 5})
    bundle, history, _ = train_bundle("lstm", recipe, TRAIN, data, seed=1)
    losses = history["val_loss"]
    best = losses.argmin()
    assert best == len(history) - 6
    # Neither the first, nor the last, nor that with the best training loss.
    assert losses[best] < 0.9 * min(losses.iloc[0], losses.iloc[-1])
    assert history["loss"].argmin() != best
    assert history["learning_rate"].tolist() == pytest.approx([0.001] * len(history))
    assert loss_of(bundle, data, "validation") == pytest.approx(losses[best], abs=1e-4)
    assert bundle.info["metrics"] == history.loc[best].drop("learning_rate").to_dict()


def test_the_seed_draws_the_initial_weights(toy_slices, monkeypatch):
    begin, seen = Course.begin, []

    def watch(self, epoch, logs=None):
        seen.append([weights.copy() for weights in self.model.get_weights()])
        begin(self, epoch, logs)

    monkeypatch.setattr(Course, "begin", watch)
    recipe = Network(**NETWORK | {"epochs": 1})
    for seed in (1, 2, 1):
        train_bundle("lstm", recipe, TRAIN, toy_slices, seed=seed)
    # Biases begin as constants; all other weights are drawn.
    first, other, again = ([array for array in weights if array.ndim > 1] for weights in seen)
    assert len(first) == 6
    for one, two, three in zip(first, other, again, strict=True):
        assert np.abs(one - two).max() > 0.01
        np.testing.assert_array_equal(one, three)


def test_learning_rate_falls_along_a_cosine(toy_slices):
    recipe = Network(**NETWORK | {"epochs": 4, "patience": 4})
    _, history, _ = train_bundle("lstm", recipe, TRAIN, toy_slices, seed=1)
    expected = 0.005 * (1 + np.cos(np.pi * np.arange(4) / 4))
    np.testing.assert_allclose(history["learning_rate"], expected, rtol=1e-5)


def test_each_epoch_trains_at_the_rate_of_its_row(toy_slices, monkeypatch):
    end, rates = Course.end, []

    def watch(self, epoch, logs):
        rates.append(float(np.asarray(self.model.optimizer.learning_rate)))
        end(self, epoch, logs)

    monkeypatch.setattr(Course, "end", watch)
    schedule = Step(kind="step", factor=0.5, epochs=1)
    recipe = Network(**NETWORK | {"schedule": schedule, "epochs": 3, "patience": 3})
    _, history, _ = train_bundle("lstm", recipe, TRAIN, toy_slices, seed=1)
    assert rates == pytest.approx([0.01, 0.005, 0.0025])
    assert history["learning_rate"].tolist() == pytest.approx(rates)


def test_learning_rate_falls_by_steps_and_on_plateaus(toy_slices):
    for schedule, expected in (
        (Step(kind="step", factor=0.5, epochs=2), [0.01, 0.01, 0.005, 0.005]),
        # At a rate so low nothing gets better by much, so what the plateau does is read off its losses.
        (Plateau(kind="plateau", factor=0.5, patience=1, cooldown=0, floor=0.0), None),
    ):
        recipe = Network(**NETWORK | {"schedule": schedule, "epochs": 4, "patience": 4})
        _, history, _ = train_bundle("lstm", recipe, TRAIN, toy_slices, seed=1)
        if expected is None:
            losses = history["val_loss"].tolist()
            expected = [learning_rate(recipe, losses[:n]) for n in range(4)]
        assert history["learning_rate"].tolist() == pytest.approx(expected)


@pytest.mark.parametrize(("optimizer", "normalisation"), [("sgd", "global"), ("rmsprop", "none")])
def test_other_optimizers_and_normalisations(toy_slices, monkeypatch, optimizer, normalisation):
    begin, used = Course.begin, []

    def watch(self, epoch, logs=None):
        used.append(type(self.model.optimizer).__name__.lower())
        begin(self, epoch, logs)

    monkeypatch.setattr(Course, "begin", watch)
    recipe = Network(**NETWORK | {"optimizer": optimizer, "epochs": 1})
    train = TRAIN.model_copy(update={"normalisation": normalisation})
    bundle, history, _ = train_bundle("lstm", recipe, train, toy_slices, seed=1)
    assert len(history) == 1
    assert used == [optimizer]
    layers = [layer for layer in bundle.model.layers if layer.name == "normalization"]
    assert len(layers) == (normalisation == "global")
    for layer in layers:
        for found, expected in zip(
            (layer.mean, layer.variance), statistics(toy_slices.part("train"), "global"), strict=True
        ):
            np.testing.assert_allclose(np.ravel(found), expected, rtol=1e-5)


@pytest.mark.parametrize("chosen", ["float32", "mixed_bfloat16"])
def test_the_bundle_says_which_precision_auto_chose(toy_slices, monkeypatch, caplog, chosen):
    monkeypatch.setattr("genredag.training.train.settled_precision", lambda precision: chosen)
    train = TRAIN.model_copy(update={"precision": "auto"})
    recipe = Network(**NETWORK | {"epochs": 1, "options": {"dropout": 0.1}})
    with caplog.at_level("INFO"):
        bundle, _, _ = train_bundle("cnn_370k", recipe, train, toy_slices, seed=1)
    assert bundle.info["train"]["precision"] == chosen
    assert f"precision: {chosen}, chosen for this machine" in caplog.text
    dtypes = {layer.name: layer.compute_dtype for layer in bundle.model.layers}
    assert dtypes["conv2d"] == chosen.removeprefix("mixed_")


def test_bfloat16_leaves_normalisation_and_probabilities_in_float32(toy_slices):
    import keras

    train = TRAIN.model_copy(update={"precision": "mixed_bfloat16"})
    recipe = Network(**NETWORK | {"epochs": 1, "options": {"dropout": 0.1}})
    bundle, _, _ = train_bundle("cnn_370k", recipe, train, toy_slices, seed=1)
    dtypes = {layer.name: layer.compute_dtype for layer in bundle.model.layers}
    assert (dtypes["normalization"], dtypes["conv2d"], dtypes["probabilities"]) == (
        "float32",
        "bfloat16",
        "float32",
    )
    assert keras.config.dtype_policy().name == "float32"


def test_divergence_is_reported_in_one_line(toy_slices):
    frames = toy_slices.frames
    array = frames.array.copy()
    array[0, 0] = np.nan  # what a rate far too high comes to after a while, though not on every machine
    frames = dataclasses.replace(frames, array=array)
    train = TRAIN.model_copy(update={"normalisation": "none"})
    options = {"momentum": 0.9, "conv_dropout": 0.0, "dense_dropout": 0.0, "units": 8}
    message = r"loss is not finite at epoch 1\. Hint: lower models\.homebrew\.learning_rate"
    with pytest.raises(ModelError, match=message):
        recipe = Network(**NETWORK | {"size": [72, 72], "options": options})
        train_bundle("homebrew", recipe, train, dataclasses.replace(toy_slices, frames=frames), seed=1)


def test_branches_are_trained_first_by_the_same_recipe(toy_slices, monkeypatch):
    options = {"filter_frames": 4, "filter_bins": 0, "dropout": 0.3, "output": "softmax"}
    recipe = Network(**NETWORK | {"epochs": 2, "options": options})
    begin, seen = Course.begin, []

    def watch(self, epoch, logs=None):
        weights = {variable.path: np.asarray(variable) for variable in self.model.trainable_variables}
        seen.append((self.name, epoch, weights))
        begin(self, epoch, logs)

    monkeypatch.setattr(Course, "begin", watch)
    bundle, history, timing = train_bundle("time_frequency_init", recipe, TRAIN, toy_slices, seed=1)
    phases = ("time", "frequency", "time_frequency_init")
    assert [(name, epoch) for name, epoch, _ in seen] == [
        (name, epoch) for name in phases for epoch in (0, 1)
    ]
    assert (len(history), bundle.info["model"]) == (2, "time_frequency_init")
    n_slices = 3 * 2 * (toy_slices.split["part"] == "train").sum()  # of all three
    assert timing["seconds"] * timing["slices_per_second"] == pytest.approx(n_slices, rel=0.01)
    for branch in phases[:2]:
        own = {key: value for key, value in options.items() if key in learners()[branch].options}
        alone = recipe.model_copy(update={"options": own})
        trained, _, _ = train_bundle(branch, alone, TRAIN, toy_slices, seed=1)
        filters = trained.model.get_layer(f"{branch}_filters").trainable_variables
        assert len(filters) == 2
        for variable in filters:
            np.testing.assert_array_equal(seen[4][2][variable.path], variable)


@pytest.mark.parametrize(
    ("model", "backbone", "message"),
    [
        ("lstm", PRETRAINED, r"models\.lstm\.backbone: not null; expected null"),
        ("squeezenet_ft", None, r"models\.squeezenet_ft\.backbone: null; expected a backbone"),
    ],
)
def test_refuses_a_missing_or_superfluous_backbone(toy_slices, model, backbone, message):
    options = {"units": 8, "dropout": 0.1} if model == "lstm" else {"dropout": 0.1}
    recipe = Network(**NETWORK | {"options": options, "backbone": backbone})
    with pytest.raises(ParameterError, match=message):
        train_bundle(model, recipe, TRAIN, toy_slices, seed=1)


def test_a_hybrid_passes_network_features_to_a_classifier(toy_slices, tmp_path, monkeypatch):
    # On SqueezeNet, which is faster.
    hybrid = dataclasses.replace(learners()["vgg16_svm"], backbones=("squeezenet",))
    monkeypatch.setattr("genredag.models.registry.learners", lambda: learners() | {"vgg16_svm": hybrid})
    small = PRETRAINED | {"architecture": "squeezenet", "weights": None, "frozen_layers": "all"}
    values = NETWORK | {"kind": "hybrid", "options": {"dropout": 0.1}, "backbone": small}
    recipe = Hybrid(**values, folds=2, classifier={"C": [1.0, 100.0], "gamma": "scale"})
    for name in "ab":
        started = time.perf_counter()
        bundle, history, timing = train_bundle("vgg16_svm", recipe, TRAIN, toy_slices, seed=1)
        assert 0 < timing["seconds"] <= time.perf_counter() - started
        save_bundle(tmp_path / name, bundle)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    names = ["architecture.json", "bundle.json", "estimator.skops", "model.weights.h5"]
    assert sorted(files_of(tmp_path / "a")) == names
    assert len(history) == 6
    assert (bundle.info["options"]["gamma"], bundle.info["options"]["dropout"]) == ("scale", 0.1)
    assert bundle.info["options"]["C"] in (1.0, 100.0)
    assert bundle.model.output_shape == (None, 128)
    x = toy_slices.frames.gather(np.array([0, 200]), 10, np.array([10, 10]))
    expected = bundle.classifier.predict_proba(np.asarray(bundle.model(x)))
    np.testing.assert_allclose(load_bundle(tmp_path / "a").predict(x), expected, atol=1e-5)
    rows = (toy_slices.split["part"] == "validation").to_numpy()
    x = toy_slices.frames.gather(toy_slices.slices["first_frame"][rows], 10, np.full(rows.sum(), 10))
    labels = np.searchsorted(bundle.class_names, toy_slices.split["genre"][rows])
    accuracy = (bundle.predict(x).argmax(axis=1) == labels).mean()
    assert bundle.info["metrics"]["val_accuracy"] == accuracy
    assert bundle.info["metrics"]["val_loss"] not in set(history["val_loss"])  # which are the network's own


def test_another_classifier_reuses_the_same_network(toy_slices, tmp_path, monkeypatch):
    hybrid = dataclasses.replace(learners()["vgg16_svm"], backbones=("squeezenet",))
    monkeypatch.setitem(registry._LEARNERS, "vgg16_svm", hybrid)
    backbone = PRETRAINED | {"architecture": "squeezenet", "size": [32, 32], "weights": None}
    values = NETWORK | {"kind": "hybrid", "options": {"dropout": 0.1}, "backbone": backbone, "folds": 2}
    given = {"data": toy_slices, "seed": 1, "checkpoint": tmp_path / "checkpoint"}
    begun, begin = [], Course.begin
    monkeypatch.setattr(
        Course, "begin", lambda self, epoch, logs=None: (begun.append(epoch), begin(self, epoch))
    )
    bundles = []
    for C in (1.0, 100.0):
        recipe = Hybrid(**values, classifier={"C": C, "gamma": "scale"})
        bundles.append(train_bundle("vgg16_svm", recipe, TRAIN, **given)[0])
    assert begun == list(range(len(begun)))  # once
    assert [bundle.info["options"]["C"] for bundle in bundles] == [1.0, 100.0]
    for ours, theirs in zip(*(bundle.model.get_weights() for bundle in bundles), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("classifier", "folds", "message"),
    [
        (
            {"C": [1.0, -1.0], "gamma": "scale"},
            2,
            r"vgg16_svm\.classifier\.C: -1\.0: input should be greater",
        ),
        ({"C": 1.0, "gamma": "scael"}, 2, r"vgg16_svm\.classifier\.gamma: 'scael'"),
        (
            {"C": [1.0, 2.0], "gamma": "scale"},
            9,
            r"folds: a genre has only 4 training tracks; expected at least 9",
        ),
    ],
)
def test_a_hybrid_is_refused_before_its_network_is_trained(
    toy_slices, monkeypatch, classifier, folds, message
):
    monkeypatch.setattr("genredag.training.fitting.fit_network", None)
    values = NETWORK | {"kind": "hybrid", "options": {"dropout": 0.1}, "backbone": PRETRAINED}
    recipe = Hybrid(**values, folds=folds, classifier=classifier)
    with pytest.raises((ParameterError, ModelError), match=message):
        train_bundle("vgg16_svm", recipe, TRAIN, toy_slices, seed=1)


def test_refuses_options_of_another_classifier(toy_slices):
    values = NETWORK | {"kind": "hybrid", "options": {"dropout": 0.1}, "backbone": PRETRAINED}
    recipe = Hybrid(**values, folds=2, classifier={"C": 1.0})
    with pytest.raises(ParameterError, match=r"models\.vgg16_svm\.classifier: 'gamma' is missing"):
        train_bundle("vgg16_svm", recipe, TRAIN, toy_slices, seed=1)


def test_another_weights_file_restarts_training(toy_slices, tmp_path, monkeypatch):
    keys = []
    monkeypatch.setattr(
        "genredag.training.fitting.fit_network", lambda *a, checkpoint, **k: keys.append(checkpoint.key)
    )
    recipe = Network(**NETWORK | {"options": {"dropout": 0.1}, "backbone": PRETRAINED})
    path = Path(PRETRAINED["weights"])
    for content in (b"a", b"b", b"a"):
        monkeypatch.chdir(tmp_path)
        path.write_bytes(content)
        with pytest.raises(TypeError):  # nothing was trained
            train_bundle("vgg16_ft", recipe, TRAIN, toy_slices, seed=1, checkpoint=tmp_path / "c")
    assert keys[0] == keys[2] != keys[1]


def test_refuses_options_of_another_model(toy_slices):
    with pytest.raises(ParameterError, match=r"models\.crnn\.options: 'unit' is unknown; expected .* units"):
        train_bundle(
            "crnn", Network(**NETWORK | {"options": {"unit": 8, "dropout": 0.1}}), TRAIN, toy_slices, seed=1
        )


def test_features_are_not_augmented(toy_slices):
    recipe = Network(**NETWORK | {"options": {"dropout": 0.1}, "augment": [{"kind": "noise", "std": 1.0}]})
    with pytest.raises(ParameterError, match=r"models\.mlp_85\.augment: not empty; expected \[\]"):
        train_bundle("mlp_85", recipe, TRAIN, toy_slices, seed=1)


def test_sequences_of_tracks_cannot_use_mixup(toy_slices):
    recipe = Network(**NETWORK | {"augment": [{"kind": "mixup", "alpha": 0.4}]})
    with pytest.raises(
        ParameterError, match=r"models\.lstm_windows\.augment: mixup; expected another augmentation"
    ):
        train_bundle("lstm_windows", recipe, TRAIN, toy_slices, seed=1)


def without_some_last_slices(toy):
    """Return toy slices whose tracks have three, two and one of them."""
    n_slices = 3 - np.arange(24).repeat(3) % 3
    kept = (toy.slices["slice"] < n_slices).to_numpy()
    tables = {name: getattr(toy, name)[kept].reset_index(drop=True) for name in ("slices", "split")}
    return dataclasses.replace(toy, **tables)


@pytest.mark.parametrize("longest", [80, 2])
def test_a_network_over_windows_weights_all_slices_equally(toy_slices, monkeypatch, longest):
    monkeypatch.setattr("genredag.frames.batches.MAX_WINDOWS", longest)
    data = without_some_last_slices(toy_slices)
    augment = [{"kind": "noise", "std": 1.0}, {"kind": "mask_frames", "count": 1, "width": 2}]
    recipe = Network(**NETWORK | {"augment": augment})
    bundle, history, _ = train_bundle("lstm_windows", recipe, TRAIN, data, seed=1)
    rows = (data.split["part"] == "validation").to_numpy()
    slices, genres = data.slices[rows], data.split.loc[rows, "genre"]
    p = np.concatenate(
        [
            bundle.predict(data.frames.gather(track["first_frame"], 10, track["n_valid"]))
            for _, track in slices.groupby("track_id", sort=False)
        ]
    )
    labels = np.searchsorted(bundle.class_names, genres)
    losses, accuracies = history["val_loss"], history["val_accuracy"]
    assert losses.min() == pytest.approx(-np.log(p[np.arange(len(labels)), labels]).mean(), abs=1e-5)
    assert accuracies[losses.argmin()] == pytest.approx((p.argmax(axis=1) == labels).mean())


def test_an_estimator_sees_no_padding(toy_slices):
    """Slices padded to twice their length train and predict as the valid frames alone do."""
    valid = np.tile(np.array([10, 7, 10], np.int32), 24)
    toy = dataclasses.replace(toy_slices, slices=toy_slices.slices.assign(n_valid=valid))
    found = []
    for n_frames in (10, 20):
        data = dataclasses.replace(toy, spec=dataclasses.replace(toy.spec, n_frames=n_frames))
        bundle, history, _ = train_bundle("svm_rbf", SVM, TRAIN, data, seed=1)
        x = data.frames.gather(data.slices["first_frame"].to_numpy(), n_frames, valid)
        found.append((history.drop(columns="learning_rate").to_numpy(), bundle.predict(x, valid)))
        predicted = predict_split(bundle, data)
        held_out = (data.split["part"] != "train").to_numpy()
        np.testing.assert_array_equal(predicted.filter(like="p_"), found[-1][1][held_out])
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])


@pytest.mark.parametrize("part", ["train", "validation"])
@pytest.mark.parametrize(("model", "recipe"), [("lstm", LSTM), ("svm_rbf", SVM)])
def test_refuses_an_empty_part(toy_slices, part, model, recipe):
    split = toy_slices.split.assign(part=toy_slices.split["part"].replace(part, "test"))
    with pytest.raises(ModelError, match=f"{model}: no {part} slices"):
        train_bundle(model, recipe, TRAIN, dataclasses.replace(toy_slices, split=split), seed=1)


def test_an_estimator_needs_every_genre(toy_slices):
    split = toy_slices.split.copy()
    split.loc[(split["genre"] == "rock") & (split["part"] == "validation"), "part"] = "test"
    with pytest.raises(ModelError, match="a genre has no validation slice"):
        train_bundle("svm_rbf", SVM, TRAIN, dataclasses.replace(toy_slices, split=split), seed=1)


def test_bundles_load_unchanged(toy_slices, tmp_path):
    x = toy_slices.frames.gather(np.array([0, 200]), 10, np.array([10, 10]))
    for model, recipe in (("lstm", LSTM), ("crnn_windows", LSTM), ("svm_rbf", SVM)):
        bundle, _, _ = train_bundle(model, recipe, TRAIN, toy_slices, seed=1)
        save_bundle(tmp_path / model, bundle)
        loaded = load_bundle(tmp_path / model)
        assert loaded.info == bundle.info
        np.testing.assert_allclose(loaded.predict(x), bundle.predict(x), atol=1e-6)


def test_the_cost_is_in_seconds_slices_per_second_and_megabytes():
    timing = _timing(Cost(seconds=4.0, n_slices=100), classifier_seconds=1.5)
    peak = timing.pop("peak_memory_mb")
    assert timing == {"seconds": 5.5, "slices_per_second": 25.0}
    assert 50 < peak < 100_000
