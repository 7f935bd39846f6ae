import keras
import numpy as np
import pytest

from genredag.errors import ModelError
from genredag.models.backbones import RESNET18, SQUEEZENET, VGG16
from genredag.models.pretrained import read_weights
from genredag.models.transfer import as_image, feature_network

OURS = (128, 130, 1)
VGG16_FT = {"size": 0, "weights": None, "preprocessing": "none", "frozen_layers": 11, "dropout": 0.5}
VGG16_GTZAN = {**VGG16_FT, "frozen_layers": 5}
FROZEN = {"size": 0, "weights": None, "preprocessing": "imagenet"}
FINE_TUNED = {**FROZEN, "frozen_layers": 0}


def n_numbers(weights):
    return sum(int(np.prod(weight.shape)) for weight in weights)


@pytest.fixture(scope="module")
def vgg16_ft(build):
    return build("vgg16_ft", OURS, **VGG16_FT)


def test_vgg16_ft_counts(vgg16_ft, check_probabilities):
    assert vgg16_ft.count_params() == 18_976_458
    assert n_numbers(vgg16_ft.trainable_weights) == 17_240_970
    check_probabilities(vgg16_ft)


def test_vgg16_ft_retrains_eight_layers_with_six_convolutions(vgg16_ft):
    trained = [layer.name for layer in vgg16_ft.get_layer("vgg16").layers if layer.trainable]
    assert len(trained) == 8
    assert [name for name in trained if "conv" in name] == [
        f"block{b}_conv{c}" for b in (4, 5) for c in (1, 2, 3)
    ]


def test_vgg16_ft_count_of_published_pictures(build):
    assert build("vgg16_ft", (217, 334, 3), **VGG16_FT).count_params() == 30_510_794


@pytest.mark.parametrize("shape", [(128, 129, 3), OURS])
def test_vgg16_gtzan_counts(build, check_probabilities, shape):
    model = build("vgg16_gtzan", shape, **VGG16_GTZAN)
    assert model.count_params() == 16_814_666
    assert n_numbers(model.non_trainable_weights) == 112_576
    check_probabilities(model)


@pytest.mark.parametrize("shape", [(216, 216, 3), OURS])
@pytest.mark.parametrize(
    ("name", "options", "n_parameters", "n_trainable"),
    [
        ("resnet18_frozen", FROZEN, 11_186_889 + 5_130, 5_130),
        ("resnet18_ft", FINE_TUNED, 11_186_889 + 5_130, 11_186_889 + 5_130 - 7_942),  # moving statistics
        ("squeezenet_frozen", {**FROZEN, "dropout": 0.5}, 722_496 + 5_130, 5_130),
        ("squeezenet_ft", {**FINE_TUNED, "dropout": 0.5}, 722_496 + 5_130, 722_496 + 5_130),
    ],
)
def test_counts(build, check_probabilities, name, options, n_parameters, n_trainable, shape):
    model = build(name, shape, **{**options, "size": 216})
    assert model.count_params() == n_parameters
    assert n_numbers(model.trainable_weights) == n_trainable
    check_probabilities(model)


def test_features_of_vgg16_svm(vgg16_ft):
    features = feature_network(vgg16_ft)
    x = np.random.default_rng(0).normal(size=(2, *OURS)).astype(np.float32)
    assert features.output_shape == (None, 128)
    last = vgg16_ft.get_layer("probabilities")
    np.testing.assert_allclose(last(features(x)), vgg16_ft(x), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("backbone", "pixels"),
    [
        (VGG16, [[23.561, 10.721, 3.82], [74.561, 61.721, 54.82]]),
        (SQUEEZENET, [[23.561, 10.721, 3.82], [74.561, 61.721, 54.82]]),
        (RESNET18, [[127.5] * 3, [178.5] * 3]),
    ],
)
def test_imagenet_preprocessing(backbone, pixels):
    """The mean of a bin is middle gray, a standard deviation 51 levels; Caffe's networks want blue first."""
    inputs = keras.Input((32, 32, 1))
    picture = keras.Model(inputs, as_image(inputs, backbone, size=0, preprocessing="imagenet"))
    x = np.zeros((1, 32, 32, 1), np.float32)
    x[0, 0, 1] = 1
    np.testing.assert_allclose(np.asarray(picture(x))[0, 0, :2], pixels, rtol=1e-5)


def test_resized_pictures_keep_constants(build):
    inputs = keras.Input((84, 130, 1))
    picture = keras.Model(inputs, as_image(inputs, SQUEEZENET, size=216, preprocessing="none"))
    out = np.asarray(picture(np.full((1, 84, 130, 1), 2.0, np.float32)))
    np.testing.assert_array_equal(out, np.full((1, 216, 216, 3), 2.0, np.float32))


@pytest.mark.parametrize(
    ("name", "options"),
    [("resnet18_frozen", FROZEN), ("squeezenet_frozen", {**FROZEN, "dropout": 0.0})],
)
def test_frozen_backbones_do_not_change_in_training(build, name, options):
    """Moving statistics included."""
    model = build(name, (32, 32, 1), **options)
    backbone = model.get_layer(name.removesuffix("_frozen"))
    before, head = backbone.get_weights(), model.get_layer("probabilities").get_weights()
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.train_on_batch(np.random.default_rng(0).normal(size=(4, 32, 32, 1)), np.arange(4))
    for array, old in zip(backbone.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, old)
    assert not np.array_equal(model.get_layer("probabilities").get_weights()[0], head[0])


def test_weights_of_a_path(build, shared_dir):
    path = shared_dir / "weights" / SQUEEZENET.weights.name
    if not path.is_file():
        pytest.skip("no SqueezeNet weights in the shared library")
    model = build("squeezenet_ft", OURS, **{**FINE_TUNED, "weights": str(path), "dropout": 0.5})
    kernel = model.get_layer("squeezenet").get_layer("fire9_expand3x3").get_weights()[0]
    np.testing.assert_array_equal(kernel, read_weights(path)["fire9_expand3x3"][0])


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_architecture_survives_json(build, policy):
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy(policy)
        model = build("squeezenet_ft", (84, 130, 1), **{**FINE_TUNED, "size": 64, "dropout": 0.5})
    finally:
        keras.config.set_dtype_policy(before)
    copy = keras.models.model_from_json(model.to_json())
    copy.set_weights(model.get_weights())
    x = np.random.default_rng(0).normal(size=(2, 84, 130, 1)).astype(np.float32)
    np.testing.assert_array_equal(copy(x), model(x))


@pytest.mark.parametrize(
    ("name", "options", "smallest"),
    [
        ("vgg16_gtzan", VGG16_GTZAN, 32),
        ("squeezenet_frozen", {**FROZEN, "dropout": 0.5}, 31),
    ],
)
def test_smallest_input(build, check_probabilities, name, options, smallest):
    check_probabilities(build(name, (smallest, smallest, 1), **options))
    for shape in ((smallest - 1, smallest, 1), (smallest, smallest - 1, 1)):
        with pytest.raises(ModelError, match=f"at least {smallest} bins x {smallest} frames"):
            build(name, shape, **options)
    with pytest.raises(ModelError, match=f"slices of 16 bins x 16 frames .* at least {smallest} bins"):
        build(name, (128, 130, 1), **{**options, "size": 16})


def test_unknown_preprocessing(build):
    with pytest.raises(ModelError, match="resnet18: preprocessing = 'torch'; expected imagenet or none"):
        build("resnet18_frozen", OURS, **{**FROZEN, "preprocessing": "torch"})


def test_imagenet_without_file_or_network(build, tmp_path, monkeypatch):
    monkeypatch.setenv("GENREDAG_CACHE", str(tmp_path))
    for scheme in ("HTTP", "HTTPS"):
        monkeypatch.setenv(f"{scheme}_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv(f"{scheme.lower()}_proxy", "http://127.0.0.1:9")
    with pytest.raises(ModelError, match=r"weights/resnet18_imagenet_1000_no_top\.h5 with md5:318e3ac0"):
        build("resnet18_frozen", OURS, **{**FROZEN, "weights": "imagenet"})
