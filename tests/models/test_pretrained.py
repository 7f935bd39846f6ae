import hashlib
import threading
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler

import h5py
import numpy as np
import pytest

from genredag.errors import ModelError
from genredag.models.pretrained import WeightsFile, fetch_weights, load_weights, read_weights

KERNEL = np.arange(6, dtype=np.float32).reshape(2, 3)
BIAS = np.array([1, 2, 3], np.float32)


def write_file(path, layers, root="/"):
    """Write layers {name: {weight: array}} as Keras 2 did."""
    with h5py.File(path, "w") as file:
        group = file.require_group(root)
        group.attrs["layer_names"] = [name.encode() for name in layers]
        for name, weights in layers.items():
            layer = group.create_group(name)
            layer.attrs["weight_names"] = [weight.encode() for weight in weights]
            for weight, array in weights.items():
                layer[weight] = array
    return path


@pytest.fixture
def network():
    import keras

    return keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(3, name="top_dense"), keras.layers.ReLU()], name="small"
    )


@pytest.fixture
def file(tmp_path):
    layers = {
        "input_1": {},
        "classifier": {"W": KERNEL},
        "top/dense": {"top/dense/kernel:0": KERNEL, "b": BIAS},
    }
    return write_file(tmp_path / "small.h5", layers)


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Give the address of a server of ``tmp_path/remote`` on this machine."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    (tmp_path / "remote").mkdir()
    handler = partial(SimpleHTTPRequestHandler, directory=tmp_path / "remote")
    with HTTPServer(("127.0.0.1", 0), handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


def test_weights_are_assigned_by_layer_name(network, file):
    load_weights(network, file)
    kernel, bias = network.get_layer("top_dense").get_weights()
    np.testing.assert_array_equal(kernel, KERNEL)
    np.testing.assert_array_equal(bias, BIAS)


def test_whole_model_files_are_accepted_too(tmp_path):
    path = write_file(tmp_path / "whole.h5", {"a": {"kernel": KERNEL}}, root="model_weights")
    np.testing.assert_array_equal(read_weights(path)["a"][0], KERNEL)


@pytest.mark.parametrize(
    ("layers", "found"),
    [
        ({"dense": {"kernel": KERNEL, "bias": BIAS}}, "none at all"),
        ({"top_dense": {"kernel": KERNEL}}, r"\[\(2, 3\)\]"),
        ({"top_dense": {"kernel": KERNEL.T, "bias": BIAS}}, r"\[\(3, 2\), \(3,\)\]"),
    ],
)
def test_weights_of_another_network_are_refused(network, tmp_path, layers, found):
    before = network.get_weights()
    path = write_file(tmp_path / "other.h5", layers)
    with pytest.raises(
        ModelError, match=rf"'top_dense' have shapes {found}; expected \[\(2, 3\), \(3,\)\], as small"
    ):
        load_weights(network, path)
    for array, old in zip(network.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, old)


def test_a_missing_file_is_reported(network, tmp_path):
    with pytest.raises(ModelError, match=r"absent\.h5: no such weights file"):
        load_weights(network, tmp_path / "absent.h5")


@pytest.mark.parametrize("content", ["text", "hdf5"])
def test_another_kind_of_file_is_refused(network, tmp_path, content):
    path = tmp_path / "other.h5"
    if content == "text":
        path.write_text("no weights")
    else:
        h5py.File(path, "w").close()
    with pytest.raises(ModelError, match=r"other\.h5: not a Keras weights file; expected HDF5"):
        load_weights(network, path)


def test_cached_file_needs_no_network(tmp_path):
    cached = tmp_path / "weights" / "net.h5"
    cached.parent.mkdir()
    cached.write_bytes(b"weights")
    digest = hashlib.md5(b"weights").hexdigest()
    file = WeightsFile("net.h5", "http://127.0.0.1:9/net.h5", f"md5:{digest}")
    assert fetch_weights(file, tmp_path) == cached


def test_downloads_once(server, tmp_path):
    remote = tmp_path / "remote" / "net.h5"
    remote.write_bytes(b"weights")
    file = WeightsFile("net.h5", f"{server}/net.h5", f"sha256:{hashlib.sha256(b'weights').hexdigest()}")
    path = fetch_weights(file, tmp_path)
    assert path.read_bytes() == b"weights"
    remote.unlink()
    assert fetch_weights(file, tmp_path) == path


def test_download_of_another_hash_is_refused(server, tmp_path):
    (tmp_path / "remote" / "net.h5").write_bytes(b"tampered")
    file = WeightsFile("net.h5", f"{server}/net.h5", f"sha256:{hashlib.sha256(b'weights').hexdigest()}")
    with pytest.raises(ModelError, match="the download has a different hash"):
        fetch_weights(file, tmp_path)
    assert not (tmp_path / "weights" / "net.h5").exists()


def test_offline_the_error_says_where_to_put_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    file = WeightsFile("net.h5", "http://127.0.0.1:9/net.h5", "md5:6d6bbae143d832006294945121d1f1fc")
    with pytest.raises(ModelError) as error:
        fetch_weights(file, tmp_path)
    line = str(error.value)
    assert "\n" not in line
    for part in (file.name, file.url, file.hash, str(tmp_path / "weights" / "net.h5"), "null"):
        assert part in line
