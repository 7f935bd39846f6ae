"""Running a study: the commands of dvc.yaml in another folder, and the watched part."""

import contextlib
import io
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from genredag.audits.as_published.running import commands, run_stages, watching
from genredag.audits.as_published.studies import LeftOutError
from genredag.errors import GenredagError, exits_cleanly
from genredag.frames.slices import cut
from genredag.models.frozen import check_image_size
from genredag.models.pretrained import check_layers
from genredag.models.registry import learner
from genredag.params.groups.slices import Slices
from genredag.params.groups.splits import Official, Stratified
from genredag.params.stages import STAGES
from genredag.project.stages import read_commands
from genredag.splits.assignment import assign_by_artist, assign_by_genre
from genredag.splits.split import check_split, split_slices

FOLDER = Path("some/folder")


def test_commands_are_those_of_dvc_yaml_in_the_studys_folder(project_dir, tree):
    found = commands(read_commands(project_dir / "dvc.yaml"), tree, FOLDER)
    assert list(found) == [stage for stage in STAGES if stage not in ("download", "report")]
    for stage, command in found.items():
        assert command[:2] == [sys.executable, str(project_dir / f"workflow/scripts/{stage}.py")]
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
def test_copies_of_the_watched_part_become_the_validation_part(dealt, part, watched):
    slices, split = watching(*dealt, part)
    assert slices["track_id"].tolist() == split["track_id"].tolist()
    by_part = {name: "".join(own) for name, own in split.groupby("part")["track_id"]}
    assert by_part == {"train": "abc", "test": "de", "validation": watched}
    assert slices["first_frame"].tolist() == [*range(5), *("abcde".index(name) for name in watched)]


def python(code):
    return [sys.executable, "-c", code]


def failing_as(raised_by):
    """Return the command of a stage whose script raises the same error as `raised_by`, and that error."""
    with pytest.raises(GenredagError) as caught:
        raised_by()
    stderr = io.StringIO()
    with pytest.raises(SystemExit) as stop, contextlib.redirect_stderr(stderr):
        exits_cleanly(raised_by)()
    told = stderr.getvalue()
    return python(f"import sys; sys.stderr.write({told!r}); sys.exit({stop.value.code})"), str(caught.value)


def tracks_of(*artists, **columns):
    """Return manifest rows: usable rock tracks by these artists."""
    table = pd.DataFrame({"track_id": [f"t{i}" for i in range(len(artists))], "genre": "rock"})
    return table.assign(artist=list(artists), status="ok", sha256=table["track_id"], subset=None, **columns)


def split_of(tracks, *parts):
    return tracks[["track_id", "genre", "artist"]].assign(slice=0, part=list(parts))


def deal(deal_by, tracks):
    return deal_by(tracks, [0.8, 0.1, 0.1], np.random.default_rng(0))


BY_TRACK = Stratified(protocol="stratified", ratios=[0.8, 0.1, 0.1], group_by="track")
LISTED = Official(protocol="official", test="test", validation_share=None)
SLICES = Slices(seconds=29.9, overlap=0.0, short_tracks="quarantine")
FRAMES = pd.DataFrame(
    {"track_id": list("ab"), "first_frame": 0, "n_frames": 9, "duration": 1.0, "parent": None}
)
# What stages raise where the data set lacks something, and the reason that a table shows.
LACKING = [
    ("split", lambda: deal(assign_by_artist, tracks_of(None, None)), "manifest: no artist is known"),
    ("split", lambda: deal(assign_by_artist, tracks_of(*"xxx")), "split: genre rock has too few artists: 1"),
    ("split", lambda: deal(assign_by_genre, tracks_of(*"xy")), "split: genre rock has too few tracks: 2"),
    (
        "split",
        lambda: deal(assign_by_artist, tracks_of(*"vwxvwyvxy").assign(genre=list("aaabbbccc"))),
        "split: genre c shares too many artists with other genres to keep them apart",
    ),
    (
        "split",
        lambda: split_slices(tracks_of(*"xyz"), split_of(tracks_of(*"xyz"), *"aaa"), LISTED, 0),
        "manifest: the data set lists no track for train",
    ),
    (
        "split",
        lambda: check_split(split_of(tracks_of(*"xy"), "train", "test"), tracks_of(*"xy"), BY_TRACK),
        "split: genre rock is missing in validation",
    ),
    ("slices", lambda: cut(FRAMES, 10.0, SLICES), "slices: all 2 tracks are shorter than 29.9 s"),
    (
        "embed",
        lambda: check_image_size(SimpleNamespace(architecture="vgg16", size=None), 40, 20, 1),
        "vgg16: images of 40 bins x 20 frames are too small",
    ),
    (
        "train",
        lambda: learner("homebrew").check_size(60, 130, {}),
        "homebrew: slices of 60 bins x 130 frames are too small",
    ),
]


@pytest.mark.parametrize(("stage", "refused", "reason"), LACKING, ids=[reason for *_, reason in LACKING])
def test_a_study_is_left_out_if_its_data_set_is_unsuitable(tmp_path, stage, refused, reason):
    command, _ = failing_as(refused)
    with pytest.raises(LeftOutError) as caught:
        run_stages({stage: command}, tmp_path, tmp_path, "validation")
    assert str(caught.value) == f"{stage}: {reason}"


MISTAKES = [
    (
        "split",
        lambda: split_slices(tracks_of(*"xyz"), split_of(tracks_of(*"xyz"), *"aaa"), BY_TRACK, 0, fold=3),
    ),
    ("split", lambda: check_split(split_of(tracks_of(*"xy"), "train", None), tracks_of(*"xy"), BY_TRACK)),
    (
        "split",
        lambda: check_split(
            split_of(tracks_of(*"xy"), "train", "test"), tracks_of(*"xy").assign(sha256="same"), BY_TRACK
        ),
    ),
    ("slices", lambda: cut(FRAMES, 10.0, SLICES.model_copy(update={"seconds": 1.0, "overlap": 0.99}))),
    ("train", lambda: check_layers(Path("no/w.h5"), ["conv1"])),
]


@pytest.mark.parametrize(("stage", "refused"), MISTAKES)
def test_a_user_error_is_not_left_out(tmp_path, stage, refused):
    command, told = failing_as(refused)
    with pytest.raises(GenredagError) as caught:
        run_stages({stage: command}, tmp_path, tmp_path, "validation")
    assert not isinstance(caught.value, LeftOutError)
    assert str(caught.value) == f"{stage}: {told}"


def test_a_stage_that_crashes_is_an_error(tmp_path):
    with pytest.raises(GenredagError, match=r"train failed \(1\)") as caught:
        run_stages({"train": python("raise ValueError")}, tmp_path, tmp_path, "validation")
    assert not isinstance(caught.value, LeftOutError)


def test_the_split_stage_is_followed_by_the_watched_part(tmp_path, dealt):
    for name, table in zip(("slices", "split"), dealt, strict=True):
        table.to_parquet(tmp_path / f"{name}.parquet")
    files = [str(tmp_path / f"{name}.parquet") for name in ("split", "predictions")]
    copy = f"import shutil; shutil.copyfile(*{files!r})"
    todo = {"split": python("pass"), "evaluate": python(copy)}
    assert len(run_stages(todo, tmp_path, tmp_path, "validation")) == 5
    assert run_stages(todo, tmp_path, tmp_path, "test")["part"].tolist()[-2:] == ["validation"] * 2
