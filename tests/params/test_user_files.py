"""The state of the user's own files."""

from __future__ import annotations

import os

from genredag.params.loading import parse_params
from genredag.params.user_files import source_state, weights_state


def test_the_state_of_a_file_of_weights(tree, tmp_path):
    path = tmp_path / "weights.h5"
    path.write_bytes(b"one")
    assert weights_state(parse_params(tree), "vgg16_ft") == weights_state(parse_params(tree), "crnn") == ""
    tree["models"]["vgg16_ft"]["backbone"]["weights"] = str(path)
    before = weights_state(parse_params(tree), "vgg16_ft")
    path.write_bytes(b"three")
    assert "" != before != weights_state(parse_params(tree), "vgg16_ft")


def test_the_state_of_a_folder_with_whatever_users_have(tree, tmp_path):
    (tmp_path / "music/rock").mkdir(parents=True)
    (tmp_path / "music/rock/a.wav").touch()
    (tmp_path / "music/rock/gone.wav").symlink_to("/nonexistent")
    (tmp_path / "music/rock/circle").symlink_to("..")
    (tmp_path / "music/rock" / os.fsdecode(b"caf\xe9.wav")).touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "music/jazz").symlink_to(tmp_path / "elsewhere")
    tree["datasets"]["folder"]["path"] = str(tmp_path / "music")
    params = parse_params(tree)
    before = source_state(params, "folder")
    assert before == source_state(params, "folder") != ""
    (tmp_path / "elsewhere/b.wav").touch()
    assert source_state(params, "folder") != before
