"""Stages declared in dvc.yaml, and overrides that the scripts would not see."""

from __future__ import annotations

import pytest
from snakemake.common.configfile import load_configfile

from genredag.errors import ParameterError
from genredag.models.registry import learners
from genredag.params.stages import EXTRAS, STAGES
from genredag.project.stages import (
    SCRIPTS,
    read_commands,
    read_stages,
    same_code,
    settle_config,
    stage_code,
    take_shards,
)


def test_stages_are_in_the_order_of_the_data_flow(project_dir):
    assert tuple(name for name in read_stages(project_dir / "dvc.yaml") if name in STAGES) == STAGES


@pytest.mark.parametrize("stage", [*STAGES, *EXTRAS])
def test_a_stages_script_comes_first_and_all_its_code_exists(project_dir, stage):
    code = stage_code(project_dir / SCRIPTS, project_dir / "src", stage)
    assert code[0] == project_dir / f"workflow/scripts/{stage}.py"
    assert len(code) == len(set(code)) > 5
    assert all(path.is_file() for path in code)


def test_members_of_one_module_share_their_code(project_dir):
    """Snakemake fingerprints the code once a module, not once a model."""
    folders = project_dir / SCRIPTS, project_dir / "src"
    choices = [{"model": name, "representation": "mel"} for name in ("vgg16_ft_published", "crnn", "best")]
    choices += [{"model": "crnn", "representation": "my_encoder"}]
    for choice in choices:
        assert stage_code(*folders, "train", **same_code(**choice)) == stage_code(*folders, "train", **choice)
    families = {same_code(model=name)["model"] for name in learners()}
    assert len(families) == len({known.module for known in learners().values()})


def test_the_code_of_a_choice_leaves_out_the_modules_of_others(project_dir):
    def names(stage, **choice):
        return {path.stem for path in stage_code(project_dir / SCRIPTS, project_dir / "src", stage, **choice)}

    families = {path.stem for path in (project_dir / "src/genredag/models/families").glob("[!_]*.py")}
    assert names("train") & families == families
    assert names("train", model="crnn") & families == {"recurrent"}
    assert names("train", model="time_frequency_init_published") & families == {"pons"}
    # What a network starts from, where its weights are named, and a step of the discriminants in `best`.
    own = {"musicnn_weights", "spectrograms", "soft_limit"}
    assert names("train") - names("train", model="crnn") == families - {"recurrent"} | own
    assert "soft_limit" in names("train", model="lda_textures")
    chroma = {"chroma_stft", "chroma_cqt", "chroma_cens"}
    representations = {"stft", "mel", "cqt", "handcrafted", "mfcc", "stack"} | chroma
    assert names("spectrograms", representation="cqt") & representations == {"cqt"}
    assert names("spectrograms", representation="handcrafted") & representations == {"handcrafted", "mel"}
    assert names("spectrograms", representation="mel") & representations == {"mel"}
    assert names("spectrograms", representation="mfcc") & representations == {"mfcc", "mel"}
    assert names("spectrograms", representation="chroma_stft") & representations == {"chroma_stft"}
    assert names("spectrograms", representation="chroma_cqt") & representations == {"chroma_cqt", "cqt"}
    assert names("spectrograms", representation="stack") & representations == representations - {
        "handcrafted"
    }
    encoders = {"musicnn", "musicnn_weights", "onnx_encoder"}
    assert not names("spectrograms", representation="mel") & encoders
    assert names("spectrograms", representation="musicnn") & encoders == {"musicnn", "musicnn_weights"}
    assert names("spectrograms", representation="of_my_own") & encoders == {"onnx_encoder"}
    assert names("download", dataset="folder") & {"gtzan", "fma", "folder", "instruments"} == {"folder"}
    assert {"gtzan", "fma"} <= names("download", dataset="gtzan_fma")


def test_commands_run_scripts_in_the_folder_of_dvc_yaml(project_dir, monkeypatch):
    monkeypatch.chdir(project_dir)
    assert read_commands("dvc.yaml")["slices"].startswith("python workflow/scripts/slices.py --params ")
    script = project_dir / "workflow/scripts/slices.py"
    assert read_commands(project_dir / "dvc.yaml")["slices"].startswith(f"python {script} --params ")


def test_snakemakes_values_become_those_that_scripts_read(project_dir, tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("seconds: 3e0\ntitle: on\n", encoding="utf-8")
    config = load_configfile(str(path))
    assert config == {"seconds": "3e0", "title": True}
    settle_config(config, path)
    assert config == {"seconds": 3.0, "title": "on"}


def test_overrides_are_refused_with_the_command_that_works(project_dir, tree):
    path = project_dir / "params.yaml"
    settle_config(tree, path)
    tree["slices"] = {**tree["slices"], "seconds": 5.0}
    with pytest.raises(ParameterError, match=r"changes slices, .* Hint: genredag set slices=VALUE"):
        settle_config(tree, path)
    with pytest.raises(ParameterError, match="changes lr"):
        settle_config(
            {**tree, "slices": {"seconds": 3.0, "overlap": 0.5, "short_tracks": "pad"}, "lr": 1}, path
        )


@pytest.mark.parametrize(("config", "n_shards"), [({}, 1), ({"shards": 1}, 1), ({"shards": 500}, 500)])
def test_the_number_of_shards_is_no_value_of_scripts(config, n_shards):
    config = config | {"seed": 1}
    assert take_shards(config) == n_shards
    assert config == {"seed": 1}


@pytest.mark.parametrize("value", [0, -1, 501, 2.0, True, "abc", None, [2]])
def test_another_number_of_shards_is_refused(value):
    with pytest.raises(ParameterError, match=r"--config: shards=.*; expected a whole number from 1 to 500\."):
        take_shards({"shards": value})
