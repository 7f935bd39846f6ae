"""The contract of every registered learner, and of every entry of `models` in params.yaml."""

import dataclasses
import inspect
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from genredag.bundles.bundle import save_bundle
from genredag.bundles.loading import load_bundle
from genredag.errors import ModelError, ParameterError
from genredag.frames.split_slices import SliceSpec, SplitSlices
from genredag.frames.store import Frames, FrameSpec
from genredag.models import registry
from genredag.models.assembly import build_network
from genredag.models.registry import (
    PUBLISHED,
    check_backbone,
    check_classifier,
    check_options,
    learners,
)
from genredag.params.groups.models import Ensemble, Estimator, Hybrid, Network, Train
from genredag.params.groups.spectrograms import Handcrafted
from genredag.params.loading import load_params
from genredag.spectrograms.handcrafted import describe
from genredag.training.train import train_bundle

MODELS = load_params(Path(__file__).resolve().parents[2] / "params.yaml").models
NETWORKS = [name for name, recipe in MODELS.items() if isinstance(recipe, Network)]
ESTIMATORS = [name for name, recipe in MODELS.items() if isinstance(recipe, Estimator)]
DEFAULTS = [name for name in NETWORKS if not name.endswith(PUBLISHED)]


def network_of(name, *, n_classes=3, statistics=None, precision="float32"):
    """Build a network for 128 x 130 slices, or for its features, without loading weights."""
    recipe = MODELS[name]
    if recipe.backbone:
        backbone = recipe.backbone.model_copy(update={"weights": None})
        recipe = recipe.model_copy(update={"backbone": backbone})
    n_bins, n_frames, _ = learners()[name].published_input
    if n_frames > 1:
        n_bins, n_frames = 128, 130
    sizes = {"n_bins": n_bins, "n_frames": n_frames, "n_classes": n_classes}
    statistics = (np.full(n_bins, -40.0), np.full(n_bins, 100.0)) if statistics else None
    return build_network(name, recipe, **sizes, statistics=statistics, precision=precision)


@pytest.mark.parametrize("name", learners())
def test_describes_itself(name):
    learner = learners()[name]
    assert learner.paper
    assert learner.build.__doc__.startswith("Return")
    assert (learner.published_input is None) == (learner.kind in ("estimator", "ensemble"))


@pytest.mark.parametrize("name", learners())
def test_has_no_default_values(name):
    arguments = inspect.signature(learners()[name].build).parameters.values()
    assert [a.name for a in arguments if a.default is not a.empty] == []
    positional = [a.name for a in arguments if a.kind is a.POSITIONAL_OR_KEYWORD]
    assert positional == ([] if learners()[name].published_input is None else ["x", "n_classes"])


def test_every_learner_has_a_recipe():
    assert set(learners()) == {name.removesuffix(PUBLISHED) for name in MODELS}
    assert set(learners()) <= set(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_params_fit_the_builder(name):
    check_options(name, MODELS[name].kind, MODELS[name].options)
    check_backbone(name, MODELS[name].backbone)
    if MODELS[name].kind == "hybrid":
        check_classifier(name, MODELS[name].classifier)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("name", DEFAULTS)
def test_networks_turn_slices_into_probabilities(name, precision):
    model = network_of(name, statistics=True, precision=precision)
    shape = [size or 4 for size in model.input_shape[1:]]  # four windows where there are any
    slices = np.random.default_rng(0).normal(-40, 10, (2, *shape)).astype(np.float32)
    p = np.asarray(model(slices))
    windows = (4,) if learners()[name].over_windows else ()
    assert p.shape == (2, *windows, 3) and p.dtype == np.float32
    np.testing.assert_allclose(p.sum(axis=-1), 1, atol=1e-5)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("name", DEFAULTS)
def test_networks_are_trained_as_they_predict(name, precision):
    from genredag.training.rewrites import PooledNormalisation, rewritten

    model = network_of(name, statistics=True, precision=precision)
    shape = [size or 4 for size in model.input_shape[1:]]
    slices = np.random.default_rng(0).normal(-40, 10, (2, *shape)).astype(np.float32)
    fast = rewritten(model)
    np.testing.assert_array_equal(np.asarray(fast(slices)), np.asarray(model(slices)))
    for kind in ("trainable_variables", "non_trainable_variables"):
        ours, theirs = ({id(variable) for variable in getattr(m, kind)} for m in (fast, model))
        assert ours == theirs
    normalised = [layer.normalisation for layer in fast.layers if isinstance(layer, PooledNormalisation)]
    assert len({id(layer) for layer in [*normalised, *fast.layers]}) == len(normalised) + len(fast.layers)


def has_a_map(name, n_bins, n_frames):
    """Return whether a network can be built for an input size, without empty layers."""
    import keras

    inputs = keras.Input((*[None] * learners()[name].over_windows, n_bins, n_frames, 1))
    options = MODELS[name].options | {"filter_bins": 9, "filter_frames": 7}
    kept = {option: options[option] for option in learners()[name].options}
    try:
        model = keras.Model(inputs, learners()[name].build(inputs, 3, **kept))
    except (ValueError, ModelError):
        return False
    return all(0 not in layer.output.shape for layer in model.layers)


ON_SLICES = [name for name in DEFAULTS if not (learners()[name].features or learners()[name].on_backbone)]


@pytest.mark.parametrize("name", ON_SLICES)
def test_the_smallest_input_is_a_sharp_bound(name):
    smallest = learners()[name].smallest
    n_bins, n_frames = smallest(filter_bins=9, filter_frames=7) if callable(smallest) else smallest
    assert has_a_map(name, n_bins, n_frames)
    assert n_bins == 1 or not has_a_map(name, n_bins - 1, n_frames)
    assert n_frames == 1 or not has_a_map(name, n_bins, n_frames - 1)


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
    x = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    x[np.arange(60), labels] += 8
    values = {k: v[0] if isinstance(v, list) else v for k, v in MODELS[name].options.items()}
    first, second = (
        learners()[name.removesuffix(PUBLISHED)].build(**values, seed=1).fit(x, labels) for _ in "ab"
    )
    assert (first.predict(x) == labels).mean() > 0.9
    np.testing.assert_array_equal(first.predict(x), second.predict(x))


@pytest.fixture(scope="module")
def store():
    """Give what `train_bundle` needs: two genres of six tracks, one slice each of 80 x 80 loud or soft noise.

    Its columns have the names of handcrafted features, so that every learner finds the features it needs.
    """
    rng, n_tracks, size = np.random.default_rng(0), 12, 80
    names = describe(Handcrafted(n_fft=2048, hop_length=512, n_mfcc=52), 22_050)["bins"]
    genres = ["loud", "soft"] * 6
    values = (
        rng.normal(0, 1, (n_tracks, size, size)) + 3 * np.array([g == "loud" for g in genres])[:, None, None]
    )
    spec = FrameSpec(
        *("handcrafted", size, 43.07, n_tracks, n_tracks * size, "float16", 0.0, 1.0, 0.0, "feature"),
        bins=names,
        params={},
        sr=22_050,
    )
    tracks = pd.DataFrame({"track_id": [f"t{i}" for i in range(n_tracks)]})
    part = np.repeat(["train", "validation", "test"], [8, 2, 2])
    return SplitSlices(
        frames=Frames(spec, tracks, values.reshape(-1, size).astype(np.float16)),
        slices=tracks.assign(slice=0, first_frame=size * np.arange(n_tracks), n_valid=size, parent=None),
        spec=SliceSpec(seconds=2.0, overlap=0.0, n_frames=size),
        split=tracks.assign(slice=0, genre=genres, part=part),
    )


def short(recipe):
    """Return a recipe cut down to an epoch, or to the first option of every list."""
    if isinstance(recipe, Ensemble):
        members = {
            name: member.model_copy(update={"recipe": short(member.recipe)})
            for name, member in recipe.members.items()
        }
        return recipe.model_copy(update={"members": members})
    values = recipe.model_dump()
    if values["kind"] == "estimator":
        values["options"] = {k: v[0] if isinstance(v, list) else v for k, v in values["options"].items()}
        return Estimator(**values)
    if values["backbone"]:
        values["backbone"]["weights"] = None
    values |= {"epochs": 1, "batch_size": 8}
    if values["kind"] == "hybrid":
        values["classifier"] = {key: options[0] for key, options in values["classifier"].items()}
        return Hybrid(**values)
    return Network(**values)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in MODELS if not name.endswith(PUBLISHED)])
def test_trains_saves_loads_and_predicts(name, store, tmp_path, monkeypatch):
    random_start = dataclasses.replace(learners()[name], start=None)  # pretrained weights need their columns
    monkeypatch.setitem(registry._LEARNERS, name, random_start)
    train = Train(precision="float32", threads=1, normalisation="bin")
    recipe = short(MODELS[name])
    if name == "homebrew_deeper":  # its fifth convolution needs 120 bins
        recipe = recipe.model_copy(update={"size": [128, 80]})
    bundle, history, _ = train_bundle(name, recipe, train, store, seed=1)
    assert len(history) == 1 and np.isfinite(history[["loss", "val_loss"]]).all(axis=None)
    save_bundle(tmp_path / "a.zip", bundle)
    loaded = load_bundle(tmp_path / "a.zip")
    slices = store.frames.array.reshape(-1, 80, 80)[-2:].astype(np.float32)
    p = loaded.predict(slices)
    assert p.shape == (2, 2) and p.dtype == np.float32
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(p, bundle.predict(slices), atol=1e-5)
    save_bundle(tmp_path / "b.zip", bundle)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


@pytest.mark.parametrize("name", [name for name in MODELS if MODELS[name].options])
def test_invalid_options_are_reported_before_any_work(name, store):
    train = Train(precision="float32", threads=1, normalisation="bin")
    recipe = MODELS[name]
    kept = dict(list(recipe.options.items())[1:])
    for options, message in (
        ({**recipe.options, "dropuot": 0.5}, "'dropuot' is unknown; expected the options"),
        (kept, f"{next(iter(recipe.options))!r} is missing; expected the options"),
    ):
        wrong = recipe.model_copy(update={"options": options})
        with pytest.raises(ParameterError, match=rf"models\.{name}\.options: {message}"):
            train_bundle(name, wrong, train, store, seed=1)
