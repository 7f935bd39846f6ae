"""Running a study: the commands of dvc.yaml in another folder, and what is watched."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from genredag.as_published.running import LACKS, commands, run_stages, watching
from genredag.as_published.studies import LeftOutError
from genredag.dealing import by_artist
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


def refusing(told):
    told = f"genredag: error: {told}"
    return python(f"import sys; print({told!r}, file=sys.stderr); sys.exit(2)")


LACKING = [
    ("split", "manifest: no artist is known. Hint: use", "manifest: no artist is known"),
    (
        "split",
        "split: genre rock has too few artists: 1; expected at least 3. Hint: add",
        "split: genre rock has too few artists: 1",
    ),
    (
        "split",
        "manifest: the data set lists no track for train. Hint: use",
        "manifest: the data set lists no track for train",
    ),
    (
        "slices",
        "slices: all 8 tracks are shorter than 29.9 s. Hint: shorten",
        "slices: all 8 tracks are shorter than 29.9 s",
    ),
    (
        "train",
        "vgg16: pictures of 40 bins x 20 frames are too small; expected at least 32 bins x 32 frames",
        "vgg16: pictures of 40 bins x 20 frames are too small",
    ),
]


@pytest.mark.parametrize(("stage", "told", "reason"), LACKING)
def test_a_study_is_left_out_with_what_its_data_set_lacks(tmp_path, stage, told, reason):
    with pytest.raises(LeftOutError) as caught:
        run_stages({stage: refusing(told)}, tmp_path, tmp_path, "validation")
    assert str(caught.value) == f"{stage}: {reason}"


@pytest.mark.parametrize(
    ("stage", "told"),
    [
        ("split", "params.yaml: fold: 3 is no fold of own; expected 0. Hint: look"),
        ("train", "params.yaml: models.x.backbone.weights: 'w.h5' is no file; expected imagenet"),
        ("train", "w.h5: not a Keras weights file; expected HDF5"),
        ("slices", "slices.overlap: 0.99: slices begin 0.3 frames apart; expected at least one frame"),
    ],
)
def test_a_users_mistake_leaves_nothing_out(tmp_path, stage, told):
    with pytest.raises(GenredagError, match=r"expected") as caught:
        run_stages({stage: refusing(told)}, tmp_path, tmp_path, "validation")
    assert not isinstance(caught.value, LeftOutError)
    assert str(caught.value) == f"{stage}: {told}"


def test_the_split_stage_begins_its_refusals_as_expected():
    tracks = pd.DataFrame({"track_id": ["a", "b", "c"], "genre": "rock", "artist": ["x", "x", "x"]})
    for artists in (tracks, tracks.assign(artist=None)):
        with pytest.raises(GenredagError) as caught:
            by_artist(artists, [0.8, 0.1, 0.1], np.random.default_rng(0))
        assert LACKS["split"].match(str(caught.value))


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
