"""Networks have the layers of their sources: kernels, strides, padding, activations, pools, dropouts."""

from __future__ import annotations

import pytest

from genredag.models.registry import PUBLISHED, learners
from genredag.params.loading import load_params
from models.description import describe
from models.sheet import SHEETS, Sheet

NETWORKS = ("network", "hybrid")
# Their sources give only the dropout after the LSTM, .5; the option is that of the convolutions.
AFTER_LSTM = ("crnn", "crnn_windows")


@pytest.fixture(scope="module")
def recipes(project_dir):
    return load_params(project_dir / "params.yaml").models


def built(sheet: Sheet, recipes):
    """Return the network of a sheet, at its input size, with its published recipe if it has one."""
    import keras

    from genredag.models.frozen import backbone_features
    from genredag.models.inputs import resized

    learner = learners()[sheet.id]
    recipe = recipes.get(sheet.id + PUBLISHED, recipes[sheet.id])
    inputs = x = keras.Input((*[None] * learner.over_windows, *sheet.shape))
    x = resized(x, recipe.size)
    if recipe.backbone:
        x = backbone_features(x, recipe.backbone.model_copy(update={"weights": None}))
    return keras.Model(inputs, learner.build(x, 10, **recipe.options | sheet.options))


@pytest.mark.parametrize("sheet", SHEETS, ids=str)
def test_layers(sheet, recipes):
    assert describe(built(sheet, recipes)) == sheet.lines


def test_a_family_is_here_as_a_whole():
    """A family with one network in the sheet has all of them there; your own family needs none."""
    known = learners()
    modules = {known[sheet.id].module for sheet in SHEETS}
    networks = {name for name, learner in known.items() if learner.kind in NETWORKS}
    assert {sheet.id for sheet in SHEETS} == {name for name in networks if known[name].module in modules}


def test_every_network_is_here_at_its_published_input():
    inputs = {(sheet.id, sheet.shape) for sheet in SHEETS}
    assert {(sheet.id, learners()[sheet.id].published_input) for sheet in SHEETS} <= inputs


@pytest.mark.parametrize("name", [name for name in learners() if learners()[name].kind in NETWORKS])
def test_every_dropout_is_an_option(name, recipes):
    """Each option sets the rate of its own layers."""
    import keras

    learner = learners()[name]
    rates = {option: 0.11 + 0.02 * i for i, option in enumerate(learner.options) if "dropout" in option}
    shape = (512,) if learner.on_backbone else (*[None] * learner.over_windows, *learner.published_input)
    inputs = keras.Input(shape)
    model = keras.Model(inputs, learner.build(inputs, 10, **recipes[name].options | rates))
    found = {layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)}
    assert found - {0.5} == set(rates.values()) and (found == set(rates.values()) or name in AFTER_LSTM)
