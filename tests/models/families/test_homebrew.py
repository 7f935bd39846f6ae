import keras
import numpy as np
import pytest

from genredag.errors import ModelError

PUBLISHED = {"size": 216, "momentum": 0.1, "conv_dropout": 0.5, "dense_dropout": 0.5}


def n_trainable(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


@pytest.mark.parametrize("shape", [(216, 216, 1), (128, 130, 1)])
def test_published_count(build, check_probabilities, shape):
    """The published count leaves out the moving statistics of the 320 channels."""
    model = build("homebrew", shape, **PUBLISHED)
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
    model = build("homebrew", (72, 8, 1), **{**PUBLISHED, "size": 0})
    norm = next(layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization))
    x = np.random.default_rng(0).normal(size=(4, 72, 8, 1)).astype(np.float32)
    before_norm = keras.Model(model.input, norm.input)
    model(x, training=True)
    np.testing.assert_allclose(
        norm.moving_mean, 0.9 * np.asarray(before_norm(x)).mean(axis=(0, 1, 2)), rtol=1e-4, atol=1e-6
    )


def test_smallest_input(build, check_probabilities):
    options = {**PUBLISHED, "size": 0}
    check_probabilities(build("homebrew", (72, 8, 1), **options))
    for shape in ((71, 8, 1), (72, 7, 1)):
        with pytest.raises(ModelError, match=r"^homebrew: .*at least 72 bins x 8 frames"):
            build("homebrew", shape, **options)
