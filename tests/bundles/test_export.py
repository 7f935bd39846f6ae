import json
import zipfile

import numpy as np
import pytest

from genredag.bundles.bundle import Bundle, save_bundle
from genredag.bundles.export import OPSETS, export_onnx, in_float32, to_onnx
from genredag.bundles.loading import load_bundle
from genredag.bundles.onnx_bundle import OnnxBundle
from genredag.bundles.parts import read_part
from genredag.errors import ModelError
from genredag.models.registry import learners

FAST = ["mlp_30", "lstm_windows", "svm_rbf", "mixed", "best"]


@pytest.fixture
def exported(untrained, tmp_path):
    """Give ``exported(bundle, texts)``: the bundle after a round trip through an ONNX file."""

    def export(bundle, **texts):
        save_bundle(tmp_path / "bundle.zip", bundle)
        with zipfile.ZipFile(tmp_path / "bundle.zip", "a") as archive:
            for name, text in texts.items():
                archive.writestr(name, text)
        export_onnx(tmp_path / "bundle.zip", tmp_path / "model.onnx")
        return load_bundle(tmp_path / "model.onnx")

    return export


def check(bundle, again, slices, n_valid=None):
    """Check that two bundles predict the same, and something other than certainty; return the difference."""
    expected, found = (one.predict(slices, n_valid) for one in (bundle, again))
    assert isinstance(again, OnnxBundle) and found.dtype == np.float32
    assert again.over_windows == bundle.over_windows
    # Estimators can be certain of a few slices, and a tree grown to the end always is.
    if bundle.is_network or (len(slices) > 50 and bundle.info["model"] != "decision_tree"):
        assert np.sort(expected, axis=1)[:, -2].max() > 0.01
    np.testing.assert_allclose(found, expected, atol=1e-4)
    return float(np.abs(found - expected).max())


@pytest.mark.parametrize("name", FAST)
def test_predicts_the_same(name, untrained, exported, make_slices):
    bundle = untrained(name)
    check(bundle, exported(bundle), make_slices(70), np.resize([120, 61, 2], 70))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(learners()) - set(FAST)))
def test_every_model_predicts_the_same(name, untrained, exported, make_slices, record_property):
    bundle = untrained(name)
    record_property("difference", check(bundle, exported(bundle), make_slices()))


@pytest.mark.parametrize(
    "name", ["lda_textures", "lda_patches", "decision_tree", "elastic_net", "logistic_regression", "svm_rbf"]
)
@pytest.mark.parametrize("n_classes", [2, 10])
def test_estimators_of_any_number_of_genres_predict_the_same(
    name, n_classes, untrained, exported, make_slices
):
    bundle = untrained(name, n_classes)
    check(bundle, exported(bundle), make_slices(200))


@pytest.mark.parametrize("n", [0, 1, 170])
def test_tracks_of_any_length_are_predicted_over_windows(n, untrained, exported, make_slices):
    bundle = untrained("lstm_windows")
    again, slices = exported(bundle), make_slices(n)
    np.testing.assert_allclose(again.predict(slices), bundle.predict(slices), atol=1e-4)


def test_a_classifier_of_features_of_a_network_predicts_the_same(untrained, exported, make_slices):
    import keras
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import MinMaxScaler
    from sklearn.svm import SVC

    slices, labels = make_slices(90), np.arange(90) % 3
    layers = [keras.Input((120, 120)), keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(6)]
    network = keras.Sequential(layers)
    x = network.predict(slices, verbose=0)
    machine = Pipeline([("scale", MinMaxScaler()), ("classify", SVC())]).fit(x[:45], labels[:45])
    rows = np.arange(45)
    classifier = CalibratedClassifierCV(FrozenEstimator(machine), method="temperature", cv=[(rows, rows)])
    classifier.fit(x[45:], labels[45:])
    info = untrained("svm_rbf").info | {"recipe": {"kind": "hybrid"}, "features": None}
    bundle = Bundle(info, network, classifier)
    check(bundle, exported(bundle), make_slices(70))


def test_mixed_precision_becomes_float32(untrained, exported, make_slices):
    bundle = untrained("cnn_370k", precision="mixed_bfloat16")
    exact = Bundle(bundle.info, in_float32(bundle.model))
    check(exact, exported(bundle), make_slices())
    assert not np.allclose(exact.predict(make_slices()), bundle.predict(make_slices()), atol=1e-5)


def test_the_texts_of_the_bundle_are_metadata(untrained, exported, tmp_path):
    bundle = untrained("svm_rbf")
    again = exported(bundle, **{"card.json": '{"name": "é"}', "README.md": "# Karte", "trust.json": "{}"})
    assert again.info == json.loads(json.dumps(bundle.info))
    for name, text in {"card.json": '{"name": "é"}', "README.md": "# Karte", "trust.json": "{}"}.items():
        assert read_part(tmp_path / "model.onnx", name) == text.encode()
    assert read_part(tmp_path / "model.onnx", "other.json") is None


def test_other_programs_find_names_and_shapes(untrained, tmp_path):
    import onnx

    model = onnx.load_from_string(to_onnx(untrained("lstm_windows"), {}))
    onnx.checker.check_model(model, full_check=True)
    (given,), (returned,) = model.graph.input, model.graph.output
    shapes = [[d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in (given, returned)]
    assert (given.name, returned.name) == ("slices", "probabilities")
    assert shapes == [["n_tracks", "n_windows", 120, 120], ["n_tracks", "n_windows", 3]]
    assert {one.domain: one.version for one in model.opset_import} == OPSETS
    assert model.doc_string == "Genres: blues, jazz, rock"


def test_a_model_that_predicts_something_else_is_not_written(untrained, tmp_path, monkeypatch):
    save_bundle(tmp_path / "bundle.zip", untrained("svm_rbf"))
    monkeypatch.setattr("genredag.bundles.export._uncalibrated", lambda model: (_pipeline(model), 9.0))
    with pytest.raises(ModelError, match=r"bundle\.zip: its probabilities change by .* in ONNX; expected at"):
        export_onnx(tmp_path / "bundle.zip", tmp_path / "model.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["bundle.zip"]


def _pipeline(model):
    return model.calibrated_classifiers_[0].estimator.estimator


def test_what_can_not_be_a_model_is_refused_before_any_work(untrained, exported, tmp_path):
    with pytest.raises(ModelError, match=r"crnn\.txt: can't be written; expected a file FILE\.onnx"):
        export_onnx(tmp_path / "no bundle", tmp_path / "crnn.txt")
    with pytest.raises(ModelError, match=r"a\.onnx: is exported already; expected a model.zip"):
        export_onnx(tmp_path / "a.onnx", tmp_path / "b.onnx")
