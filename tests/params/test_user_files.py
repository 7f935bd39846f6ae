"""The state of the user's own weights and encoders."""

from __future__ import annotations

from genredag.params.loading import parse_params
from genredag.params.user_files import encoder_state, weights_state


def test_the_state_of_a_file_of_weights(tree, tmp_path):
    path = tmp_path / "weights.h5"
    path.write_bytes(b"one")
    assert weights_state(parse_params(tree), "vgg16_ft") == weights_state(parse_params(tree), "crnn") == ""
    tree["models"]["vgg16_ft"]["backbone"]["weights"] = str(path)
    before = weights_state(parse_params(tree), "vgg16_ft")
    path.write_bytes(b"three")
    assert "" != before != weights_state(parse_params(tree), "vgg16_ft")


def test_the_state_of_an_encoder(tree, tmp_path):
    path = tmp_path / "encoder.onnx"
    tree["representations"]["mine"] = {
        **{"kind": "onnx", "path": str(path), "sr": 16_000, "window": 1.0, "layer": "embedding"}
    }
    params = parse_params(tree)
    assert encoder_state(params, "mel") == encoder_state(params, "musicnn") == ""
    assert encoder_state(params, "mine") == ""
    path.write_bytes(b"one")
    before = encoder_state(params, "mine")
    path.write_bytes(b"three")
    assert "" != before != encoder_state(params, "mine")
