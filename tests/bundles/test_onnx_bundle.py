import os
import subprocess
import sys

import numpy as np
import pytest

from genredag.bundles.bundle import save_bundle
from genredag.bundles.export import export_onnx
from genredag.bundles.loading import load_bundle
from genredag.errors import MissingExtraError, ModelError

PREDICT = """
import sys
import numpy as np
from pathlib import Path
from genredag.bundles.loading import load_bundle
np.save("found.npy", load_bundle(Path("model.onnx")).predict(np.load("slices.npy")))
print(*{"keras", "tensorflow", "jax", "sklearn", "skops", "pandas", "librosa"} & set(sys.modules))
"""


@pytest.fixture(scope="module")
def bundle(untrained):
    return untrained("svm_rbf")


@pytest.fixture(scope="module")
def model(bundle, tmp_path_factory):
    folder = tmp_path_factory.mktemp("onnx")
    save_bundle(folder / "bundle.zip", bundle)
    export_onnx(folder / "bundle.zip", folder / "model.onnx")
    return folder / "model.onnx"


def test_onnxruntime_writes_nothing_into_the_home_of_the_user(model, make_slices, tmp_path):
    np.save(model.parent / "slices.npy", make_slices())
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG", "ORT"))}
    environment = kept | {"HOME": str(tmp_path), "GENREDAG_CACHE": str(model.parent / "cache")}
    subprocess.run([sys.executable, "-c", PREDICT], cwd=model.parent, env=environment, check=True)
    assert list(tmp_path.rglob("*onnxruntime*")) == []


def test_predicts_without_the_libraries_that_trained_it(model, bundle, make_slices):
    np.save(model.parent / "slices.npy", make_slices())
    done = subprocess.run(
        [sys.executable, "-c", PREDICT], cwd=model.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
    found = np.load(model.parent / "found.npy")
    np.testing.assert_allclose(found, bundle.predict(make_slices()), atol=1e-4)


def test_repeats_itself_with_any_number_of_threads(model, make_slices):
    one, again, two = (load_bundle(model, threads).predict(make_slices(70)) for threads in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    np.testing.assert_allclose(one, two, atol=1e-6)


def test_refuses_other_shapes(model):
    with pytest.raises(ModelError, match=r"svm_rbf: slices of shape .*; expected \(n_slices, 120, 120\)"):
        load_bundle(model).predict(np.zeros((1, 120, 79), np.float32))


@pytest.mark.parametrize("content", [b"", b"\x08\x08"])
def test_refuses_a_model_without_its_description(tmp_path, content):
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.onnx: has no bundle\.json\. Hint: export"):
        load_bundle(tmp_path / "model.onnx")


def test_refuses_a_damaged_graph(model, tmp_path):
    content = bytearray(model.read_bytes())
    start = content.index(b"SVMClassifier")
    content[start : start + 3] = b"abc"
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.onnx: can't be loaded as an ONNX model \(.*abcClassifier"):
        load_bundle(tmp_path / "model.onnx")


def test_refuses_a_model_of_another_kind(tmp_path):
    from onnx import TensorProto, helper

    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Abs", ["x"], ["y"])], "abs", ends[:1], ends[1:])
    found = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    helper.set_model_props(found, {"bundle.json": "{}"})
    (tmp_path / "model.onnx").write_bytes(found.SerializeToString())
    with pytest.raises(ModelError, match=r"model\.onnx: takes \['x'\] and returns \['y'\]\. Hint: export"):
        load_bundle(tmp_path / "model.onnx")


def test_names_the_extra_that_it_needs(model, monkeypatch):
    monkeypatch.setattr("genredag.errors.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"onnxruntime is not installed.*genredag\[predict\]"):
        load_bundle(model)


def test_a_network_without_keras_names_the_way_out(monkeypatch, tmp_path, bundle):
    import json
    import zipfile

    monkeypatch.setattr("genredag.bundles.bundle.installed_backends", list)
    info = bundle.info | {"recipe": {"kind": "network"}}
    with zipfile.ZipFile(tmp_path / "bundle.zip", "w") as archive:
        archive.writestr("bundle.json", json.dumps(info))
    with pytest.raises(
        ModelError, match=r"neither TensorFlow nor JAX .*`genredag export .*bundle\.zip --onnx"
    ):
        load_bundle(tmp_path / "bundle.zip")
