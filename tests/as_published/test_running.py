"""Running a study: the commands of dvc.yaml in another folder, and what is watched."""

import sys
from pathlib import Path

import pandas as pd
import pytest

from genredag.as_published.running import LeftOutError, commands, run_stages, watching
from genredag.errors import GenredagError
from genredag.stages import STAGES, read_stages

FOLDER = Path("some/folder")


def test_the_commands_are_those_of_dvc_in_the_studys_folder(project_dir, tree):
    found = commands(read_stages(project_dir / "dvc.yaml"), tree, FOLDER)
    assert list(found) == [stage for stage in STAGES if stage not in ("download", "report")]
    for stage, command in found.items():
        assert command[:2] == [sys.executable, f"workflow/scripts/{stage}.py"]
        assert command[command.index("--params") + 1] == "some/folder/params.yaml"
        assert not [word for word in command if "experiment" in word or "$" in word]
    assert found["slices"][-4:] == [
        "--frames",
        "some/folder/frames.npy",
        "--slices",
        "some/folder/slices.parquet",
    ]
    assert found["train"][found["train"].index("--model") + 1] == tree["model"]


@pytest.fixture
def dealt():
    parts = ["train", "train", "validation", "test", "test"]
    split = pd.DataFrame({"track_id": list("abcde"), "slice": 0, "part": parts})
    return split[["track_id", "slice"]].assign(first_frame=range(5)), split


@pytest.mark.parametrize(("part", "watched"), [("test", "de"), ("train", "abc")])
def test_copies_of_the_watched_part_stand_for_validation(dealt, part, watched):
    slices, split = watching(*dealt, part)
    assert slices["track_id"].tolist() == split["track_id"].tolist()
    by_part = {name: "".join(own) for name, own in split.groupby("part")["track_id"]}
    assert by_part == {"train": "abc", "test": "de", "validation": watched}
    assert slices["first_frame"].tolist() == [*range(5), *("abcde".index(name) for name in watched)]


def python(code):
    return [sys.executable, "-c", code]


TOLD = "genredag: error: no weights; expected /home/me/w.h5. Hint: get it"
REFUSAL = f"import sys; print({TOLD!r}, file=sys.stderr); sys.exit(2)"


def test_a_stage_that_refuses_leaves_the_study_out_with_its_reason(tmp_path):
    with pytest.raises(LeftOutError, match=r"^train: no weights$"):
        run_stages({"train": python(REFUSAL)}, tmp_path, tmp_path, "validation")


def test_a_stage_that_crashes_is_an_error(tmp_path):
    with pytest.raises(GenredagError, match=r"train failed \(1\)") as caught:
        run_stages({"train": python("raise ValueError")}, tmp_path, tmp_path, "validation")
    assert not isinstance(caught.value, LeftOutError)


def test_after_the_split_its_validation_is_what_was_watched(tmp_path, dealt):
    for name, table in zip(("slices", "split"), dealt, strict=True):
        table.to_parquet(tmp_path / f"{name}.parquet")
    files = [str(tmp_path / f"{name}.parquet") for name in ("split", "predictions")]
    copy = f"import shutil; shutil.copyfile(*{files!r})"
    todo = {"split": python("pass"), "evaluate": python(copy)}
    assert len(run_stages(todo, tmp_path, tmp_path, "validation")) == 5
    assert run_stages(todo, tmp_path, tmp_path, "test")["part"].tolist()[-2:] == ["validation"] * 2
