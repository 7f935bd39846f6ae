"""Bundles of every model of params.yaml, without training, and a model card."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from genredag.bundles.bundle import Bundle
from genredag.bundles.card import Card, DataFacts, Estimate, GenreScore, SetScore
from genredag.bundles.ensemble import EnsembleBundle
from genredag.frames.features import features
from genredag.models.assembly import build_network
from genredag.models.registry import PUBLISHED, learner
from genredag.params.groups.models import Ensemble, Estimator, Hybrid, Member, Recipe
from genredag.params.groups.spectrograms import Handcrafted
from genredag.params.loading import load_params
from genredag.spectrograms.handcrafted import describe

MODELS = dict(load_params(Path(__file__).resolve().parents[2] / "params.yaml").models)
# Of an estimator and a network, unlike `best`.
_MIXED = {name: Member(copies=1, weight=0.5, recipe=MODELS[name]) for name in ("lda_textures", "cnn_103k")}
MODELS["mixed"] = Ensemble(kind="ensemble", backbone=None, members=_MIXED)
GENRES = ["blues", "jazz", "rock"]
SIZE = 120
# Named as handcrafted features, so that every model finds the features it needs.
BINS = describe(Handcrafted(n_fft=2048, hop_length=512, n_mfcc=52), 22_050)["bins"]
FRAMES = {
    **{"representation": "handcrafted", "n_bins": SIZE, "frames_per_second": 43.07, "n_tracks": 1},
    **{"total_frames": 1, "dtype": "float16", "offset": 0.0, "step": 1.0, "floor": -80.0, "unit": "dB"},
    **{"bins": BINS, "params": {}, "sr": 22_050, "shifts": []},
}


@pytest.fixture(scope="session")
def make_slices() -> Callable[..., np.ndarray]:
    """Give ``make_slices(n, n_bins)``: slices of noise, float32 (n, SIZE, n_bins)."""

    def make(n: int = 5, n_bins: int = SIZE, seed: int = 1) -> np.ndarray:
        noise = np.random.default_rng(seed).normal(size=(n, SIZE, n_bins))
        return (FRAMES["floor"] / 2 + 10 * noise).astype(np.float32)

    return make


@pytest.fixture(scope="session")
def untrained(make_slices) -> Callable[..., Bundle | EnsembleBundle]:
    """Give ``untrained(name, n_classes, precision)``: a bundle whose probabilities aren't all 0 or 1."""

    def make(name: str, n_classes: int = 3, precision: str = "float32") -> Bundle | EnsembleBundle:
        recipe, slices = MODELS[name], make_slices(40 * n_classes, seed=0)
        classes = (GENRES + list("abcdefg"))[:n_classes]
        if isinstance(recipe, Ensemble):
            members = [make(member, n_classes, precision) for member in recipe.members]
            weights = {"weights": [1 / (i + 1) for i in range(len(members))]}
            return EnsembleBundle(_info(name, recipe, None, classes) | weights, tuple(members))
        labels = np.arange(len(slices)) % n_classes
        # Noisy labels, so that no model is certain.
        slices += 2 * np.roll(labels, 1)[:, None, None] * (np.arange(len(slices)) % 7 > 1)[:, None, None]
        kind = learner(name.removesuffix(PUBLISHED)).features
        if isinstance(recipe, Estimator):
            kind = recipe.features if isinstance(recipe.features, str) else recipe.features[-1]
            x = features(slices, BINS, kind)
            model, classifier = _fitted(name, recipe.options, x, labels), None
        else:
            x = features(slices, BINS, kind)[:, np.newaxis] if kind else slices
            x = x[np.newaxis] if learner(name).over_windows else x
            model = _network(name, recipe, x, n_classes, precision)
            classifier = None
            if isinstance(recipe, Hybrid):
                classifier = _fitted(name, recipe.classifier, model.predict(x, verbose=0), labels)
        return Bundle(_info(name, recipe, kind, classes), model, classifier)

    return make


def _fitted(name: str, options: dict, x: np.ndarray, labels: np.ndarray):
    """Fit an estimator on half of the data and calibrate it on the rest, as training does."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator

    values = {k: v[0] if isinstance(v, list) else v for k, v in options.items()}
    found = learner(name)
    half = len(x) // 2
    model = (found.classifier or found.build)(**values, seed=1).fit(x[:half], labels[:half])
    if hasattr(model, "predict_proba") and not found.calibrated:
        return model
    rows = np.arange(len(x) - half)
    model = CalibratedClassifierCV(FrozenEstimator(model), method="temperature", cv=[(rows, rows)])
    return model.fit(x[half:], labels[half:])


def _network(name: str, recipe: Recipe, x: np.ndarray, n_classes: int, precision: str):
    import keras

    keras.utils.set_random_seed(1)
    if recipe.backbone:
        backbone = recipe.backbone.model_copy(update={"weights": None})
        recipe = recipe.model_copy(update={"backbone": backbone})
    frames = x.reshape(-1, x.shape[-1])
    model = build_network(
        name,
        recipe,
        n_frames=x.shape[-2],
        n_bins=x.shape[-1],
        n_classes=n_classes,
        statistics=(frames.mean(axis=0), frames.var(axis=0) + 1e-3),
        precision=precision,
    )
    rng = np.random.default_rng(1)
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            mean, variance = layer.moving_mean.shape, layer.moving_variance.shape
            layer.moving_mean.assign(rng.normal(0, 0.1, mean))
            layer.moving_variance.assign(rng.uniform(0.5, 2, variance))
    last = model.layers[-1]
    before = keras.Model(model.input, last.input).predict(x, verbose=0).astype(np.float32)
    kernel, bias = (np.asarray(weights) for weights in last.get_weights())
    last.set_weights([kernel * 2 / (before @ kernel).std(), bias])
    if recipe.kind == "hybrid":
        return keras.Model(model.input, model.get_layer("features").output, name=name)
    return model


def _info(name: str, recipe: Recipe, kind: str | None, genres: list[str]) -> dict:
    return {
        "class_names": genres,
        "model": name,
        "frames": FRAMES,
        "slices": {"seconds": 2.0, "overlap": 0.0, "n_frames": SIZE},
        "train": {},
        "recipe": recipe.model_dump(mode="json"),
        "options": {},
        "metrics": {},
        "features": kind,
        "n_parameters": None,
        "layers": [],
        "seed": 1,
        "versions": {"genredag": "0.2.0"},
        "commit": None,
    }


@pytest.fixture(scope="session")
def make_card() -> Callable[..., Card]:
    """Return a function that makes a card of a model for two genres, with changes."""
    return _make_card


def _make_card(**changes: object) -> Card:
    genres = [("blues", 1.0, 0.5, 2 / 3, 20), ("rock", 2 / 3, 1.0, 0.8, 20)]
    values = {
        "name": "svm_rbf on mel",
        "model": "svm_rbf",
        "n_parameters": None,
        "data": DataFacts(
            name="toys",
            homepage="https://toys.example",
            licence="CC0",
            citation="@misc{toys, title = {Toys}}\n",
        ),
        "representation": "mel",
        "input": "mel, 128 bins",
        "split": "artist_disjoint",
        "fold": 0,
        "protocol": "no artist has tracks in more than one part",
        "track_decision": "mean",
        "tracks": {"train": 320, "validation": 40, "test": 40},
        "accuracy": Estimate(value=0.75, low=0.6, high=0.86),
        "chance": 0.5,
        "macro_f1": 0.7333,
        "validation_accuracy": 0.8,
        "genres": tuple(
            GenreScore(genre=g, precision=p, recall=r, f1=f, tracks=n) for g, p, r, f, n in genres
        ),
        "sets": SetScore(promised=0.9, held=0.925, mean_size=1.3, unsure=0.3, groups=38),
        "unlike": 0.025,
        "limits": ("It knows 2 genres.", "Mind the interval."),
        "warning": None,
        "seed": 1,
        "date": "2024-05-31",
        "commit": "abc123",
        "versions": {"python": "3.11.0", "numpy": "2.1.0"},
    }
    return Card(**(values | changes))
