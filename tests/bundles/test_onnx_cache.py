import logging

import numpy as np
import pytest

from genredag.bundles.bundle import Bundle, save_bundle
from genredag.bundles.onnx_bundle import OnnxBundle
from genredag.bundles.onnx_cache import load_as_onnx
from genredag.errors import ModelError


@pytest.fixture
def saved(untrained, tmp_path):
    save_bundle(tmp_path / "bundle.zip", untrained("svm_rbf"))
    return tmp_path / "bundle.zip"


def forbid(monkeypatch, error):
    def export(*_):
        raise error

    monkeypatch.setattr("genredag.bundles.export.export_onnx", export)


def test_converts_once(saved, tmp_path, monkeypatch, make_slices, untrained):
    first = load_as_onnx(saved, tmp_path / "cache")
    forbid(monkeypatch, AssertionError)
    again = load_as_onnx(saved, tmp_path / "cache")
    assert isinstance(first, OnnxBundle) and isinstance(again, OnnxBundle)
    np.testing.assert_array_equal(first.predict(make_slices()), again.predict(make_slices()))
    expected = untrained("svm_rbf").predict(make_slices())
    np.testing.assert_allclose(again.predict(make_slices()), expected, atol=1e-4)


def test_another_bundle_of_the_same_name_is_converted_again(saved, tmp_path, untrained):
    load_as_onnx(saved, tmp_path / "cache")
    save_bundle(saved, untrained("svm_rbf", 2))
    assert len(load_as_onnx(saved, tmp_path / "cache").class_names) == 2


def test_a_bundle_that_cannot_be_converted_predicts_itself(saved, tmp_path, monkeypatch, caplog):
    forbid(monkeypatch, RuntimeError("unknown operator"))
    assert isinstance(load_as_onnx(saved, tmp_path / "cache"), Bundle)
    assert "can't be converted to ONNX, predicting without it (unknown operator)" in caplog.text


def test_a_damaged_cache_is_not_used(saved, tmp_path, caplog):
    load_as_onnx(saved, tmp_path / "cache")
    (cached,) = (tmp_path / "cache/onnx").iterdir()
    cached.write_bytes(b"nonsense")
    with caplog.at_level(logging.WARNING):
        assert isinstance(load_as_onnx(saved, tmp_path / "cache"), Bundle)
    assert "isn't a bundle" in caplog.text


def test_a_file_that_is_no_bundle_is_refused(tmp_path):
    (tmp_path / "bundle.zip").write_bytes(b"nonsense")
    with pytest.raises(ModelError, match=r"bundle\.zip: isn't a bundle"):
        load_as_onnx(tmp_path / "bundle.zip", tmp_path / "cache")
