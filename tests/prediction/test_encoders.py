"""Models on embeddings of pretrained encoders predict songs like any others."""

from __future__ import annotations

import numpy as np
import pytest

from genredag.bundles.bundle import save_bundle
from genredag.bundles.export import export_onnx
from genredag.errors import ParameterError
from genredag.evaluation.predictions import probabilities_of, track_predictions
from genredag.params.groups.models import Estimator, Train
from genredag.params.groups.spectrograms import Musicnn, OnnxEncoder
from genredag.prediction.classifier import load
from genredag.prediction.held_out import predict_split
from genredag.training.train import train_bundle

TRAIN = Train(precision="float32", threads=1, normalisation="bin")
LOGISTIC = Estimator(
    kind="estimator",
    features="bin_means",
    backbone=None,
    folds=2,
    options={"C": 1.0, "l1_ratio": 0.0, "max_iter": 100, "min_variance": 0.0, "selection_trees": 0},
)


@pytest.fixture(params=["my_encoder", "musicnn"])
def trained(request, make_data, tmp_path):
    """The file of a bundle, and the tracks that the evaluate stage predicts with it."""
    if request.param == "musicnn":
        weights = request.getfixturevalue("musicnn_weights")
        group = Musicnn(layer="penultimate", hop_seconds=0.25, weights=weights)
    else:
        path = str(request.getfixturevalue("onnx_encoder"))
        group = OnnxEncoder(kind="onnx", path=path, sr=16_000, window=0.25, layer="embedding")
    data = make_data(request.param, group, "float16", 0.5)
    bundle, _, _ = train_bundle("logistic_regression", LOGISTIC, TRAIN, data, seed=1)
    save_bundle(tmp_path / "bundle.zip", bundle)
    return tmp_path / "bundle.zip", track_predictions(predict_split(bundle, data), "mean")


@pytest.mark.parametrize("long_seconds", [600.0, 0.0])
def test_predicts_what_the_evaluate_stage_predicts(trained, audio, tmp_path, monkeypatch, long_seconds):
    monkeypatch.setattr("genredag.prediction.rendering.LONG_SECONDS", long_seconds)
    path, tracks = trained
    export_onnx(path, tmp_path / "model.onnx")
    files = [audio[0] / f"{track_id}.wav" for track_id in tracks["track_id"]]
    for file in (path, tmp_path / "model.onnx"):
        found = np.array([song.probabilities for song in load(file).predict_many(files)])
        np.testing.assert_allclose(found, probabilities_of(tracks), atol=1e-4 if long_seconds else 2e-2)
    assert probabilities_of(tracks).std(axis=0).max() > 0


def test_another_encoder_is_refused(make_data, onnx_encoder, audio, tmp_path):
    copy = tmp_path / "encoder.onnx"
    copy.write_bytes(onnx_encoder.read_bytes())
    group = OnnxEncoder(kind="onnx", path=str(copy), sr=16_000, window=0.25, layer="embedding")
    data = make_data("another_encoder", group, "float16", 0.5)
    assert data.frames.spec.params["sha256"]
    bundle, _, _ = train_bundle("logistic_regression", LOGISTIC, TRAIN, data, seed=1)
    save_bundle(tmp_path / "bundle.zip", bundle)
    copy.unlink()
    with pytest.raises(ParameterError, match=r"encoder\.onnx: no such file"):
        load(tmp_path / "bundle.zip").predict(audio[0] / "blues.0.wav")
