"""Stages as dvc.yaml declares them, and overrides that the scripts would not see."""

from __future__ import annotations

import pytest

from genredag.errors import ParameterError
from genredag.params import parse_params
from genredag.stages import STAGES, code_state, declared_code, read_stages, refuse_overrides, weights_state


def test_the_stages_stand_in_the_order_of_the_story(project_dir):
    assert tuple(name for name in read_stages(project_dir / "dvc.yaml") if name in STAGES) == STAGES


def test_a_stages_script_comes_first_and_all_its_code_exists(project_dir):
    for stage, code in declared_code(project_dir / "dvc.yaml").items():
        assert code[0] == f"workflow/scripts/{stage}.py"
        assert len(code) == len(set(code))
        assert [path for path in code if not (project_dir / path).is_file()] == []


def test_the_state_of_a_file_of_weights(tree, tmp_path):
    path = tmp_path / "weights.h5"
    path.write_bytes(b"one")
    assert weights_state(parse_params(tree), "vgg16_ft") == weights_state(parse_params(tree), "crnn") == ""
    tree["models"]["vgg16_ft"]["backbone"]["weights"] = str(path)
    before = weights_state(parse_params(tree), "vgg16_ft")
    path.write_bytes(b"three")
    assert "" != before != weights_state(parse_params(tree), "vgg16_ft")


def test_overrides_are_refused_with_the_command_that_works(project_dir, tree):
    path = project_dir / "params.yaml"
    refuse_overrides(tree, path)
    tree["slices"] = {**tree["slices"], "seconds": 5.0}
    with pytest.raises(ParameterError, match=r"changes slices, .* Hint: genredag set slices=VALUE"):
        refuse_overrides(tree, path)
    with pytest.raises(ParameterError, match="changes lr"):
        refuse_overrides(
            {**tree, "slices": {"seconds": 3.0, "overlap": 0.5, "short_tracks": "pad"}, "lr": 1}, path
        )


def test_declared_code_that_is_gone_is_told(project_dir, tmp_path):
    (tmp_path / "dvc.yaml").write_bytes((project_dir / "dvc.yaml").read_bytes())
    with pytest.raises(
        ParameterError, match=r"download.py is declared and not there\. Hint: genredag generate"
    ):
        code_state(tmp_path / "dvc.yaml", "download")
