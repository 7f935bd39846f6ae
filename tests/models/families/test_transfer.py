import keras
import numpy as np
import pytest

OURS = (128, 130, 1)


def n_numbers(weights):
    return sum(int(np.prod(weight.shape)) for weight in weights)


def layers_of(model):
    """Return the layers of a network that have weights, those of its parts in their place."""
    parts = [layer.layers if hasattr(layer, "layers") else [layer] for layer in model.layers]
    return [layer for part in parts for layer in part if layer.weights]


@pytest.fixture(scope="module")
def vgg16_ft(build):
    return build("vgg16_ft", OURS, dropout=0.5)


def test_vgg16_ft_counts(vgg16_ft, check_probabilities):
    assert vgg16_ft.count_params() == 18_976_458
    assert n_numbers(vgg16_ft.trainable_weights) == 17_240_970
    check_probabilities(vgg16_ft)


def test_vgg16_ft_retrains_eight_layers_with_six_convolutions(vgg16_ft):
    trained = [layer.name for layer in vgg16_ft.get_layer("trained").layers[1:]]
    assert len(trained) == 8
    assert [name for name in trained if "conv" in name] == [
        f"block{b}_conv{c}" for b in (4, 5) for c in (1, 2, 3)
    ]
    assert not any(layer.trainable for layer in vgg16_ft.get_layer("frozen").layers)


@pytest.mark.parametrize("name", ["vgg16_ft", "vgg16_svm"])
def test_vgg16_ft_count_of_published_pictures(build, name):
    assert build(name, (217, 334, 3), dropout=0.5).count_params() == 30_510_794


@pytest.mark.parametrize("shape", [(128, 129, 3), OURS])
def test_vgg16_gtzan_counts(build, check_probabilities, shape):
    model = build("vgg16_gtzan", shape, dropout=0.5)
    assert model.count_params() == 16_814_666
    assert n_numbers(model.non_trainable_weights) == 112_576
    check_probabilities(model)


@pytest.mark.parametrize("shape", [(216, 216, 3), OURS])
@pytest.mark.parametrize(
    ("name", "n_parameters", "n_trainable"),
    [
        ("resnet18_frozen", 11_186_889 + 5_130, 5_130),
        ("resnet18_ft", 11_186_889 + 5_130, 11_186_889 + 5_130 - 7_942),  # moving statistics
        ("squeezenet_frozen", 722_496 + 5_130, 5_130),
        ("squeezenet_ft", 722_496 + 5_130, 722_496 + 5_130),
    ],
)
def test_counts(build, check_probabilities, name, n_parameters, n_trainable, shape):
    model = build(name, shape, backbone={"size": [216, 216]}, dropout=0.5)
    assert model.count_params() == n_parameters
    assert n_numbers(model.trainable_weights) == n_trainable
    check_probabilities(model)


def test_vgg16_svm_sees_128_features(vgg16_ft):
    assert vgg16_ft.get_layer("features").output.shape == (None, 128)


@pytest.mark.parametrize("name", ["resnet18_frozen", "squeezenet_frozen"])
def test_frozen_backbones_do_not_change_in_training(build, name):
    """Moving statistics included."""
    model = build(name, (32, 32, 1), dropout=0.0)
    before, head = model.get_layer("frozen").get_weights(), model.get_layer("probabilities").get_weights()
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.train_on_batch(np.random.default_rng(0).normal(size=(4, 32, 32, 1)), np.arange(4))
    for array, old in zip(model.get_layer("frozen").get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, old)
    assert not np.array_equal(model.get_layer("probabilities").get_weights()[0], head[0])


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("name", ["squeezenet_ft", "squeezenet_frozen"])
def test_architecture_survives_json(build, name, policy):
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy(policy)
        model = build(name, (84, 130, 1), backbone={"size": [64, 64]}, dropout=0.5)
    finally:
        keras.config.set_dtype_policy(before)
    copy = keras.models.model_from_json(model.to_json())
    copy.set_weights(model.get_weights())
    x = np.random.default_rng(0).normal(size=(2, 84, 130, 1)).astype(np.float32)
    np.testing.assert_array_equal(copy(x), model(x))
    trained = [layer.trainable for layer in layers_of(model)]
    assert [layer.trainable for layer in layers_of(copy)] == trained
