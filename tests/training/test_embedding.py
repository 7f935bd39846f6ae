"""Training on embeddings gives the same result as training without them."""

import dataclasses

import numpy as np
import pytest

from genredag.bundles.bundle import save_bundle
from genredag.bundles.loading import load_bundle
from genredag.errors import DataError, ParameterError
from genredag.models import registry
from genredag.models.backbones import SQUEEZENET
from genredag.models.registry import learners
from genredag.params.groups.models import Hybrid, Network, Train
from genredag.training.embedding import embedded, write_embeddings
from genredag.training.networks import Course
from genredag.training.train import train_bundle

TRAIN = Train(precision="float32", threads=1, normalisation="bin")
BACKBONE = {"size": [32, 32], "weights": None, "preprocessing": "imagenet", "embed": True}
RECIPE = {"optimizer": "adam", "learning_rate": 0.001, "schedule": "cosine", "batch_size": 8, "epochs": 3}
RECIPE |= {"kind": "network", "patience": 3, "augment": [], "size": None, "options": {"dropout": 0.5}}
FROZEN = Network(
    **RECIPE | {"learning_rate": 0.1},
    backbone=BACKBONE | {"architecture": "squeezenet", "frozen_layers": "all"},
)
FINE_TUNED = Network(**RECIPE, backbone=BACKBONE | {"architecture": "vgg16", "frozen_layers": 11})
HYBRID = {"kind": "hybrid", "folds": 2, "classifier": {"C": [1.0, 10.0], "gamma": "scale"}}
SVM = Hybrid(**RECIPE | HYBRID, backbone=FROZEN.backbone)
RECIPES = {"squeezenet_frozen": FROZEN, "vgg16_ft": FINE_TUNED, "vgg16_svm": SVM}


@pytest.fixture
def embed(toy_slices, tmp_path):
    """Give ``embed(recipe, train, seed, **data)``, which returns the embeddings as training opens them."""

    def embed(recipe, train=TRAIN, seed=1, **data):
        path = tmp_path / "embeddings.npy"
        write_embeddings(path, recipe.backbone, train, dataclasses.replace(toy_slices, **data), seed=seed)
        return np.load(path, mmap_mode="r")

    return embed


def slices_of(data):
    return data.frames.gather(data.slices["first_frame"].to_numpy(), 10, np.full(72, 10))


@pytest.mark.parametrize(
    ("precision", "model"),
    [
        ("mixed_bfloat16", "squeezenet_frozen"),
        ("float32", "vgg16_svm"),
        pytest.param("float32", "squeezenet_frozen", marks=pytest.mark.slow),
        pytest.param("mixed_bfloat16", "vgg16_svm", marks=pytest.mark.slow),
        pytest.param("float32", "vgg16_ft", marks=pytest.mark.slow),
        pytest.param("mixed_bfloat16", "vgg16_ft", marks=pytest.mark.slow),
    ],
)
def test_the_same_predictions_with_and_without(monkeypatch, toy_slices, tmp_path, embed, model, precision):
    # SqueezeNet is small: here the hybrid may stand on it.
    hybrid = dataclasses.replace(learners()["vgg16_svm"], backbones=("squeezenet",))
    monkeypatch.setitem(registry._LEARNERS, "vgg16_svm", hybrid)
    train = TRAIN.model_copy(update={"precision": precision})
    embeddings = embed(RECIPES[model], train)
    outcomes = []
    for name, given in (("with", {"embeddings": embeddings}), ("without", {})):
        bundle, history, _ = train_bundle(model, RECIPES[model], train, toy_slices, **given, seed=1)
        save_bundle(tmp_path / name, bundle)
        outcomes.append((load_bundle(tmp_path / name).predict(slices_of(toy_slices)), history))
    tolerance = {"float32": 1e-4, "mixed_bfloat16": 0.05}[precision]
    np.testing.assert_allclose(outcomes[0][0], outcomes[1][0], atol=tolerance)
    np.testing.assert_allclose(outcomes[0][1], outcomes[1][1], rtol=tolerance * 10)
    assert np.ptp(outcomes[1][0], axis=0).max() > 100 * np.abs(outcomes[0][0] - outcomes[1][0]).max()


def test_the_same_predictions_from_published_weights(toy_slices, shared_dir, embed):
    path = shared_dir / "weights" / SQUEEZENET.weights.name
    if not path.is_file():
        pytest.skip("no SqueezeNet weights in the shared library")
    backbone = FROZEN.backbone.model_copy(update={"weights": str(path)})
    recipe = FROZEN.model_copy(update={"backbone": backbone})
    model = "squeezenet_frozen"
    given, plain = (
        train_bundle(model, recipe, TRAIN, toy_slices, seed=1, **more)[0].predict(slices_of(toy_slices))
        for more in ({"embeddings": embed(recipe)}, {})
    )
    np.testing.assert_allclose(given, plain, atol=1e-4)


def test_there_is_a_row_for_each_training_and_validation_slice(toy_slices, embed):
    split = toy_slices.split.copy()
    split.loc[split.index % 5 == 0, "part"] = None
    embeddings = embed(FROZEN, split=split)
    assert embeddings.shape == (split["part"].isin(("train", "validation")).sum(), 512)
    assert embeddings.dtype == np.float32
    # Other slices of the same tracks lie elsewhere, and noise is never the same twice.
    assert len(np.unique(embeddings, axis=0)) > len(embeddings) / 2


def test_there_are_no_rows_if_nothing_is_frozen(toy_slices, embed):
    recipe = FROZEN.model_copy(update={"backbone": FROZEN.backbone.model_copy(update={"frozen_layers": 0})})
    embeddings = embed(recipe)
    assert embeddings.shape == (0, 0)
    assert embedded(embeddings, toy_slices, {}) is None


def test_equal_bytes(tmp_path, embed):
    first = (embed(FROZEN), (tmp_path / "embeddings.npy").read_bytes())[1]
    assert (embed(FROZEN), (tmp_path / "embeddings.npy").read_bytes())[1] == first
    assert (embed(FROZEN, seed=2), (tmp_path / "embeddings.npy").read_bytes())[1] != first


def test_embeddings_of_another_split_are_refused(toy_slices, embed):
    embeddings = embed(FROZEN)
    split = toy_slices.split.assign(part=toy_slices.split["part"].replace("test", "validation"))
    data = dataclasses.replace(toy_slices, split=split)
    with pytest.raises(DataError, match=r"embeddings of 54 slices; expected 72, .* rerun the embed stage"):
        train_bundle("squeezenet_frozen", FROZEN, TRAIN, data, seed=1, embeddings=embeddings)


def test_embeddings_of_other_weights_are_refused(toy_slices, embed):
    # As after a change of backend, which draws others from the same seed.
    with pytest.raises(DataError, match=r"^embeddings from other weights; .* rerun the embed stage"):
        train_bundle("squeezenet_frozen", FROZEN, TRAIN, toy_slices, seed=1, embeddings=embed(FROZEN, seed=2))


def test_augmented_slices_have_no_embeddings(toy_slices):
    recipe = Network(**RECIPE | {"augment": [{"kind": "noise", "std": 1.0}]}, backbone=FROZEN.backbone)
    with pytest.raises(ParameterError, match=r"models\.squeezenet_frozen\.augment: not empty; expected \[\]"):
        train_bundle("squeezenet_frozen", recipe, TRAIN, toy_slices, seed=1)


def test_a_killed_training_on_embeddings_resumes(toy_slices, tmp_path, embed, monkeypatch):
    given = {"data": toy_slices, "seed": 1, "embeddings": embed(FROZEN)}
    save_bundle(tmp_path / "whole", train_bundle("squeezenet_frozen", FROZEN, TRAIN, **given)[0])
    begin, begun = Course.begin, []

    def dying(self, epoch, logs=None):
        begun.append(epoch)
        if begun == [0, 1, 2]:
            raise KeyboardInterrupt
        begin(self, epoch, logs)

    monkeypatch.setattr(Course, "begin", dying)
    given["checkpoint"] = tmp_path / "checkpoint"
    with pytest.raises(KeyboardInterrupt):
        train_bundle("squeezenet_frozen", FROZEN, TRAIN, **given)
    save_bundle(tmp_path / "resumed", train_bundle("squeezenet_frozen", FROZEN, TRAIN, **given)[0])
    assert begun == [0, 1, 2, 2]
    assert (tmp_path / "resumed").read_bytes() == (tmp_path / "whole").read_bytes()
    # What is frozen never changes, and so is no part of the state.
    assert (tmp_path / "checkpoint").stat().st_size < 200_000
