"""The state of the user's own weights."""

from __future__ import annotations

from genredag.params.loading import parse_params
from genredag.params.user_files import weights_state


def test_the_state_of_a_file_of_weights(tree, tmp_path):
    path = tmp_path / "weights.h5"
    path.write_bytes(b"one")
    assert weights_state(parse_params(tree), "vgg16_ft") == weights_state(parse_params(tree), "crnn") == ""
    tree["models"]["vgg16_ft"]["backbone"]["weights"] = str(path)
    before = weights_state(parse_params(tree), "vgg16_ft")
    path.write_bytes(b"three")
    assert "" != before != weights_state(parse_params(tree), "vgg16_ft")
