"""What holds for every learner of the registry, and for every entry of `models` in params.yaml."""

import inspect
from pathlib import Path

import numpy as np
import pytest

from genredag.models.assembly import build_network
from genredag.models.registry import PUBLISHED, check_options, learners
from genredag.params import load_params
from genredag.recipes import Network

MODELS = load_params(Path(__file__).resolve().parents[2] / "params.yaml").models
NETWORKS = [name for name, recipe in MODELS.items() if isinstance(recipe, Network)]
ESTIMATORS = [name for name in MODELS if name not in NETWORKS]
DEFAULTS = [name for name in NETWORKS if not name.endswith(PUBLISHED)]


def network_of(name, *, n_classes=3, statistics=None, precision="float32"):
    """Build a network for 128 x 130 slices, or for its features, without a file of weights."""
    options = MODELS[name].options | ({"weights": None} if "weights" in MODELS[name].options else {})
    n_bins, n_frames, _ = learners()[name].published_input
    if n_frames > 1:
        n_bins, n_frames = 128, 130
    sizes = {"n_bins": n_bins, "n_frames": n_frames, "n_classes": n_classes}
    statistics = (np.full(n_bins, -40.0), np.full(n_bins, 100.0)) if statistics else None
    return build_network(name, options, **sizes, statistics=statistics, precision=precision)


@pytest.mark.parametrize("name", learners())
def test_says_what_it_is(name):
    learner = learners()[name]
    assert learner.paper
    assert learner.build.__doc__.startswith("Return")
    assert (learner.published_input is None) == (learner.kind == "estimator")


@pytest.mark.parametrize("name", learners())
def test_has_no_values_of_its_own(name):
    arguments = inspect.signature(learners()[name].build).parameters.values()
    assert [a.name for a in arguments if a.default is not a.empty] == []
    positional = [a.name for a in arguments if a.kind is a.POSITIONAL_OR_KEYWORD]
    assert positional == ({"network": ["x", "n_classes"], "estimator": []}[learners()[name].kind])


def test_every_learner_has_a_recipe():
    assert set(learners()) == {name.removesuffix(PUBLISHED) for name in MODELS}
    assert set(learners()) <= set(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_params_fit_the_builder(name):
    check_options(name, MODELS[name].kind, MODELS[name].options)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("name", DEFAULTS)
def test_networks_turn_slices_into_probabilities(name, precision):
    model = network_of(name, statistics=True, precision=precision)
    slices = np.random.default_rng(0).normal(-40, 10, (2, *model.input_shape[1:])).astype(np.float32)
    p = np.asarray(model(slices))
    assert p.shape == (2, 3) and p.dtype == np.float32
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("name", DEFAULTS)
def test_networks_survive_json(name):
    import keras

    model = network_of(name)
    again = keras.models.model_from_json(model.to_json())
    assert again.count_params() == model.count_params()
    assert again.to_json() == model.to_json()


@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimators_tell_classes_apart(name):
    labels = np.repeat(np.arange(3), 20)
    features = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    features[np.arange(60), labels] += 8
    options = MODELS[name].options
    first, second = (learners()[name].build(**options, seed=1).fit(features, labels) for _ in range(2))
    assert (first.predict(features) == labels).mean() > 0.9
    np.testing.assert_array_equal(first.predict(features), second.predict(features))
