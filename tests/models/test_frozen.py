import keras
import numpy as np
import pytest

from genredag.errors import ModelError
from genredag.models.backbones import BACKBONES, RESNET18, SQUEEZENET, VGG16
from genredag.models.frozen import (
    EMBEDDING,
    as_image,
    backbone_features,
    frozen_network,
    trained_part,
)
from genredag.models.pretrained import read_weights
from genredag.params.groups.models import Pretrained

SIZES = {"n_frames": 40, "n_bins": 36, "statistics": None}


def pretrained(network, frozen_layers, **changes):
    values = {
        "architecture": network,
        "size": None,
        "weights": None,
        "preprocessing": "imagenet",
        "embed": True,
    }
    return Pretrained(**values | {"frozen_layers": frozen_layers} | changes)


def whole(backbone):
    """Return a network of features for slices (batch, 40, 36), seeded."""
    keras.utils.set_random_seed(1)
    inputs = keras.Input((40, 36))
    x = keras.layers.Reshape((36, 40, 1))(keras.layers.Permute((2, 1))(inputs))
    return keras.Model(inputs, backbone_features(x, backbone))


@pytest.mark.parametrize(
    ("network", "frozen_layers", "shape"),
    [
        ("vgg16", 5, (18, 20, 128)),
        ("vgg16", 11, (4, 5, 256)),
        ("vgg16", "all", (1, 1, 512)),
        # The ninth layer is one of two that the tenth takes: the cut is before both.
        ("squeezenet", 9, (8, 9, 16)),
        ("squeezenet", "all", (512,)),
        ("resnet18", 20, (9, 10, 64)),
        ("resnet18", "all", (512,)),
    ],
)
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_frozen_and_trained_part_make_the_whole(network, frozen_layers, shape, precision):
    backbone = pretrained(network, frozen_layers)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        model = whole(backbone)
    finally:
        keras.config.set_dtype_policy(before)
    keras.utils.set_random_seed(1)
    lower, upper = frozen_network(backbone, **SIZES, precision=precision), trained_part(model)
    x = np.random.default_rng(0).normal(size=(2, 40, 36)).astype(np.float32)
    embedding = np.asarray(lower(x))
    assert embedding.shape == (2, *shape) and embedding.dtype == np.float32
    np.testing.assert_array_equal(np.asarray(upper(embedding)), np.asarray(model(x)))
    assert not model.get_layer("frozen").trainable_weights and not lower.trainable_weights
    assert [w.path for w in upper.trainable_weights] == [w.path for w in model.trainable_weights]


@pytest.mark.parametrize("network", BACKBONES)
@pytest.mark.parametrize("frozen_layers", [0, 1])
def test_a_network_may_have_nothing_frozen(network, frozen_layers):
    backbone = pretrained(network, frozen_layers)
    assert EMBEDDING not in [layer.name for layer in whole(backbone).layers]
    assert frozen_network(backbone, **SIZES, precision="float32") is None


def test_layers_frozen_after_the_cut_stay_frozen():
    model = whole(pretrained("squeezenet", 9))
    frozen = [layer.name for layer in model.get_layer("trained").layers[1:] if not layer.trainable]
    assert len(model.get_layer("frozen").layers) + len(frozen) == 9
    assert model.get_layer(EMBEDDING).output.dtype == "float32"


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
    picture = keras.Model(inputs, as_image(inputs, backbone, size=None, preprocessing="imagenet"))
    x = np.zeros((1, 32, 32, 1), np.float32)
    x[0, 0, 1] = 1
    np.testing.assert_allclose(np.asarray(picture(x))[0, 0, :2], pixels, rtol=1e-5)


def test_resized_pictures_keep_constants():
    inputs = keras.Input((84, 130, 1))
    picture = keras.Model(inputs, as_image(inputs, SQUEEZENET, size=(216, 300), preprocessing="none"))
    out = np.asarray(picture(np.full((1, 84, 130, 1), 2.0, np.float32)))
    np.testing.assert_array_equal(out, np.full((1, 216, 300, 3), 2.0, np.float32))


def test_weights_can_be_a_path(build, shared_dir):
    path = shared_dir / "weights" / SQUEEZENET.weights.name
    if not path.is_file():
        pytest.skip("no SqueezeNet weights in the shared library")
    backbone = pretrained("squeezenet", "all", weights=str(path))
    network = whole(backbone).get_layer("frozen")
    kernel = network.get_layer("fire9_expand3x3").get_weights()[0]
    np.testing.assert_array_equal(kernel, read_weights(path)["fire9_expand3x3"][0])


@pytest.mark.parametrize(("backbone", "smallest"), [(VGG16, 32), (SQUEEZENET, 31)])
def test_smallest_input(backbone, smallest):
    def features(*shape, size=None):
        use = pretrained(backbone.name, "all", size=size)
        return backbone_features(keras.Input((*shape, 1)), use)

    assert features(smallest, smallest).shape[-1] == 512
    for shape in ((smallest - 1, smallest), (smallest, smallest - 1)):
        with pytest.raises(ModelError, match=f"at least {smallest} bins x {smallest} frames"):
            features(*shape)
    with pytest.raises(ModelError, match=f"images of 16 bins x 16 frames .* at least {smallest} bins"):
        features(128, 130, size=[16, 16])


def test_imagenet_without_file_or_network(tmp_path, monkeypatch):
    monkeypatch.setenv("GENREDAG_CACHE", str(tmp_path))
    for scheme in ("HTTP", "HTTPS"):
        monkeypatch.setenv(f"{scheme}_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv(f"{scheme.lower()}_proxy", "http://127.0.0.1:9")
    with pytest.raises(ModelError, match=r"weights/resnet18_imagenet_1000_no_top\.h5 with md5:318e3ac0"):
        whole(pretrained("resnet18", "all", weights="imagenet"))
