"""Stages declared in dvc.yaml, and overrides that the scripts would not see."""

from __future__ import annotations

import pytest

from genredag.errors import ParameterError
from genredag.params.stages import EXTRAS, STAGES
from genredag.project.stages import SCRIPTS, read_commands, read_stages, refuse_overrides, stage_code


def test_stages_are_in_the_order_of_the_data_flow(project_dir):
    assert tuple(name for name in read_stages(project_dir / "dvc.yaml") if name in STAGES) == STAGES


@pytest.mark.parametrize("stage", [*STAGES, *EXTRAS])
def test_a_stages_script_comes_first_and_all_its_code_exists(project_dir, stage):
    code = stage_code(project_dir / SCRIPTS, project_dir / "src", stage)
    assert code[0] == project_dir / f"workflow/scripts/{stage}.py"
    assert len(code) == len(set(code)) > 5
    assert all(path.is_file() for path in code)


def test_the_code_of_a_choice_leaves_out_the_modules_of_others(project_dir):
    def names(stage, **choice):
        return {path.stem for path in stage_code(project_dir / SCRIPTS, project_dir / "src", stage, **choice)}

    families = {path.stem for path in (project_dir / "src/genredag/models/families").glob("[!_]*.py")}
    assert names("train") & families == families
    assert names("train", model="crnn") & families == {"recurrent"}
    assert names("train", model="time_frequency_init_published") & families == {"pons"}
    assert names("train") - names("train", model="crnn") == families - {"recurrent"}
    representations = {"stft", "mel", "cqt", "handcrafted"}
    assert names("spectrograms", representation="cqt") & representations == {"cqt"}
    assert names("spectrograms", representation="handcrafted") & representations == {"handcrafted", "mel"}
    assert names("download", dataset="folder") & {"gtzan", "fma", "folder", "instruments"} == {"folder"}
    assert {"gtzan", "fma"} <= names("download", dataset="gtzan_fma")


def test_commands_run_scripts_in_the_folder_of_dvc_yaml(project_dir, monkeypatch):
    monkeypatch.chdir(project_dir)
    assert read_commands("dvc.yaml")["slices"].startswith("python workflow/scripts/slices.py --params ")
    script = project_dir / "workflow/scripts/slices.py"
    assert read_commands(project_dir / "dvc.yaml")["slices"].startswith(f"python {script} --params ")


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
