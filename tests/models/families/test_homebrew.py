import keras
import numpy as np
import pytest

from genredag.errors import ModelError

PUBLISHED = {"momentum": 0.1, "conv_dropout": 0.5, "dense_dropout": 0.5, "units": 192}


def n_trainable(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def test_published_count(build, check_probabilities):
    """The published count leaves out the moving statistics of the 320 channels."""
    model = build("homebrew", (216, 216, 1), **PUBLISHED)
    assert n_trainable(model) == 6_441_718
    assert model.count_params() == 6_441_718 + 2 * 320
    check_probabilities(model)


def test_maps(build):
    layers = build("homebrew", (216, 216, 1), **PUBLISHED).layers
    kinds = (keras.layers.Conv2D, keras.layers.MaxPooling2D)
    assert [layer.output.shape[1:] for layer in layers if isinstance(layer, kinds)] == [
        (212, 216, 128),
        (106, 108, 128),
        (102, 108, 64),
        (51, 54, 64),
        (48, 54, 64),
        (24, 27, 64),
        (20, 27, 64),
        (10, 27, 64),
    ]


def test_momentum_weighs_the_past(build):
    """After one batch the moving mean is nine tenths of the batch's: PyTorch's .9 is Keras' .1."""
    model = build("homebrew", (72, 8, 1), **PUBLISHED)
    norm = next(layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization))
    x = np.random.default_rng(0).normal(size=(4, 72, 8, 1)).astype(np.float32)
    before_norm = keras.Model(model.input, norm.input)
    model(x, training=True)
    np.testing.assert_allclose(
        norm.moving_mean, 0.9 * np.asarray(before_norm(x)).mean(axis=(0, 1, 2)), rtol=1e-4, atol=1e-6
    )


def test_units_of_the_text(build):
    """182 units instead of 192: ten units with 365 weights each, and with ten more to the output."""
    assert n_trainable(build("homebrew", (216, 216, 1), **PUBLISHED | {"units": 182})) == 6_441_718 - 10 * 375


def test_deeper_has_a_fifth_convolution(build, check_probabilities):
    model = build("homebrew_deeper", (128, 130, 1), **PUBLISHED)
    maps = [layer.output.shape[1:] for layer in model.layers if isinstance(layer, keras.layers.MaxPooling2D)]
    assert maps == [(62, 65, 128), (29, 32, 64), (13, 16, 64), (4, 16, 64), (1, 16, 64)]
    check_probabilities(model)


@pytest.mark.parametrize(("name", "bins"), [("homebrew", 72), ("homebrew_deeper", 120)])
def test_smallest_input(build, check_probabilities, name, bins):
    check_probabilities(build(name, (bins, 8, 1), **PUBLISHED))
    for shape in ((bins - 1, 8, 1), (bins, 7, 1)):
        with pytest.raises(ModelError, match=rf"^{name}: .*at least {bins} bins x 8 frames"):
            build(name, shape, **PUBLISHED)
