import h5py
import numpy as np
import pytest

from genredag.errors import ModelError
from genredag.models.backbones import BACKBONES, RESNET18, SQUEEZENET, VGG16, resnet18, squeezenet, vgg16
from genredag.models.pretrained import check_layers, fetch_weights, load_weights, read_weights
from genredag.params.loading import load_params


@pytest.fixture
def squeezenet_file(shared_dir):
    path = shared_dir / "weights" / SQUEEZENET.weights.name
    if not path.is_file():
        pytest.skip("no SqueezeNet weights in the shared library")
    return path


def resnet18_shapes():
    """Return {layer: {weight: shape}} of qubvel's file, in its order."""

    def norm(n):
        return {"gamma:0": (n,), "beta:0": (n,), "moving_mean:0": (n,), "moving_variance:0": (n,)}

    def conv(size, n_in, n_out):
        return {"kernel:0": (size, size, n_in, n_out)}

    shapes = {"bn_data": {key: value for key, value in norm(3).items() if key != "gamma:0"}}
    shapes |= {"conv0": conv(7, 3, 64), "bn0": norm(64)}
    n_in = 64
    for stage, n in enumerate((64, 128, 256, 512), start=1):
        for unit in (1, 2):
            name = f"stage{stage}_unit{unit}_"
            shapes[f"{name}bn1"] = norm(n_in)
            shapes[f"{name}conv1"] = conv(3, n_in, n)
            if unit == 1:
                shapes[f"{name}sc"] = conv(1, n_in, n)
            shapes[f"{name}bn2"] = norm(n)
            shapes[f"{name}conv2"] = conv(3, n, n)
            n_in = n
    return shapes | {"bn1": norm(512)}


@pytest.fixture(scope="module")
def resnet18_file(tmp_path_factory):
    """Give a file of the published form that holds random numbers."""
    path = tmp_path_factory.mktemp("weights") / RESNET18.weights.name
    rng = np.random.default_rng(0)
    shapes = resnet18_shapes()
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in ("data", *shapes)]
        file.create_group("data").attrs["weight_names"] = []
        for name, weights in shapes.items():
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}/{weight}".encode() for weight in weights]
            for weight, shape in weights.items():
                group[f"{name}/{weight}"] = rng.random(shape, np.float32)
    return path


@pytest.mark.parametrize("backbone", BACKBONES.values(), ids=BACKBONES)
def test_the_ends_are_the_first_and_last_layer_with_weights(backbone):
    layers = [layer.name for layer in backbone.build((64, 64, 3)).layers if layer.weights]
    assert backbone.ends == (layers[0], layers[-1])


def test_layers_are_found_without_reading_them(squeezenet_file):
    check_layers(squeezenet_file, SQUEEZENET.ends)
    with pytest.raises(ModelError, match="no layer 'block1_conv1'; expected weights of this architecture"):
        check_layers(squeezenet_file, VGG16.ends)


def count(arrays):
    return sum(array.size for layer in arrays.values() for array in layer)


def test_vgg16():
    network = vgg16((128, 130, 3))
    assert network.count_params() == 14_714_688
    assert len(network.layers) == 19
    assert network.output_shape == (None, 4, 4, 512)


def test_squeezenet():
    network = squeezenet((227, 227, 3))
    assert network.count_params() == 722_496
    assert network.layers[-2].output.shape == (None, 13, 13, 512)
    assert network.output_shape == (None, 512)


def test_resnet18():
    network = resnet18((216, 216, 3))
    assert network.count_params() == 11_186_889
    assert network.layers[-2].output.shape == (None, 7, 7, 512)
    assert network.output_shape == (None, 512)


@pytest.mark.parametrize(("backbone", "last"), [(VGG16, "block5_pool"), (SQUEEZENET, "fire9_concat")])
def test_smallest_size(backbone, last):
    maps = backbone.build((backbone.min_size, backbone.min_size, 3)).get_layer(last).output
    assert maps.shape == (None, 1, 1, 512)


def test_published_squeezenet_loads(squeezenet_file):
    network, saved = squeezenet((227, 227, 3)), read_weights(squeezenet_file)
    assert count(saved) == 722_496
    load_weights(network, squeezenet_file)
    for name, arrays in saved.items():
        if arrays:
            kernel, bias = network.get_layer(name).get_weights()
            np.testing.assert_array_equal(kernel, arrays[0])
            np.testing.assert_array_equal(bias, arrays[1])


def test_published_squeezenet_is_verified_by_hash(squeezenet_file, tmp_path):
    cached = tmp_path / "weights" / SQUEEZENET.weights.name
    cached.parent.mkdir()
    cached.write_bytes(squeezenet_file.read_bytes())
    assert fetch_weights(SQUEEZENET.weights, tmp_path) == cached


def test_resnet18_loads_a_file_in_the_published_format(resnet18_file):
    network, saved = resnet18((64, 64, 3)), read_weights(resnet18_file)
    assert count(saved) == 11_186_889
    load_weights(network, resnet18_file)
    for name, arrays in saved.items():
        if arrays:
            for ours, theirs in zip(network.get_layer(name).get_weights(), arrays, strict=True):
                np.testing.assert_array_equal(ours, theirs)


def test_resnet18_normalises_raw_pixels(resnet18_file):
    """The first layer of the port takes pixels of 0 to 255: (x - mean) / sqrt(variance + 2e-5) + beta."""
    import keras

    network = resnet18((8, 8, 3))
    load_weights(network, resnet18_file)
    x = np.random.default_rng(1).uniform(0, 255, size=(1, 8, 8, 3)).astype(np.float32)
    beta, mean, variance = read_weights(resnet18_file)["bn_data"]
    first = keras.Model(network.input, network.get_layer("bn_data").output)
    np.testing.assert_allclose(first(x), (x - mean) / np.sqrt(variance + 2e-5) + beta, rtol=1e-4)


def test_presets_on_resnet18_give_it_pixels(project_dir):
    """Its first layer divides by the deviation of pixels: standardised values would come out all alike."""
    recipes = load_params(project_dir / "params.yaml").models
    given = {
        name: recipe.backbone.preprocessing
        for name, recipe in recipes.items()
        if recipe.backbone and recipe.backbone.architecture == "resnet18"
    }
    assert len(given) >= 4 and set(given.values()) == {"imagenet"}
