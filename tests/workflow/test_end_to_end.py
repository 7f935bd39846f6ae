"""The real stages on the tiny data set, by Snakemake and by DVC, in a copy of the project."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from genredag.prediction.learned import read_learned
from genredag.project.check_params import check_params
from genredag.project.check_params.plan import choice_of, run_folder, write_tree
from genredag.project.check_params.tiny import tiny_tree
from genredag.project.check_params.workplace import Workplace, copy_project
from genredag.project.editing import set_values

SAME = ("manifest.parquet", "quarantine.csv", "frames.npy", "frames.parquet", "frames.json", "slices.parquet")
SAME += ("slices.json", "split.parquet", "metrics.json", "predictions.parquet", "confusion.csv")
SAME += ("track_predictions.parquet",)
SAME += ("per_genre.csv", "roc.csv", "reliability.csv")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """A copy in which both runners have built the one experiment, on tracks of three slices."""
    root = Path(__file__).resolve().parents[2]
    place = copy_project(root, tmp_path_factory.mktemp("tiny"))
    tree = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    tree = tiny_tree(tree, {**choice_of(tree), "model": "cnn_370k"}, touched=[])
    for recipe in tree["models"].values():
        recipe |= {"epochs": 2} if recipe["kind"] == "network" else {}
    tree["slices"]["seconds"], tree["datasets"]["synthetic"]["clip_seconds"] = 1.0, 2.0
    write_tree(place.folder / "params.yaml", tree)
    place.dvc("init", "--no-scm", "--quiet")
    place.snakemake("--show-failed-logs", "--cores", "1")
    shutil.rmtree(place.environment()["GENREDAG_CACHE"])  # so that DVC makes the tracks again
    place.dvc("repro")
    metrics = [place.folder / folder / "metrics.json" for folder in (run_folder(tree), "experiment")]
    assert metrics[0].read_bytes() == metrics[1].read_bytes()
    return place


@pytest.fixture(scope="module")
def two_models(tiny: Workplace) -> Workplace:
    """The same copy, in which Snakemake has built a second model too."""
    set_values(tiny.folder / "params.yaml", ["matrix.model=[svm_rbf, cnn_370k]"])
    tiny.snakemake("--show-failed-logs", "--cores", "1")
    return tiny


# Not among the slow tests: CI always has Snakemake and DVC run the real stages. The other tests of this
# project are: workers don't share it, and each would make its own.
def test_both_runners_give_the_same_bytes(tiny: Workplace) -> None:
    experiment = {path.name: path.read_bytes() for path in (tiny.folder / "experiment").iterdir()}
    tree = yaml.safe_load((tiny.folder / "params.yaml").read_text(encoding="utf-8"))
    data = tiny.folder / "data" / tree["dataset"]
    frames = data / tree["representation"]
    parts = frames / tree["split"] / str(tree["seed"])
    run = tiny.folder / run_folder(tree)
    ours = {path.name: path for folder in (data, frames, parts, run) for path in folder.glob("*.*")}
    assert set(SAME) <= set(ours)
    assert {name for name in SAME if ours[name].read_bytes() != experiment[name]} == set()
    learned, manifest = read_learned(run / "model.zip"), pd.read_parquet(data / "manifest.parquet")
    part_of = pd.read_parquet(parts / "split.parquet").groupby("track_id")["part"].first()
    told = manifest.set_index("track_id")["sha256"].map(learned.has_recording)
    assert told.to_dict() == part_of.isin(["train", "validation"]).to_dict()


@pytest.mark.slow
def test_metrics_come_from_test_tracks(two_models: Workplace) -> None:
    for path in two_models.folder.glob("results/*/*/*/*/*/metrics.json"):
        metrics = json.loads(path.read_text(encoding="utf-8"))
        assert metrics["n_tracks"]["test"] == 10
        assert metrics["n_slices"]["test"] == 30
        assert 0 <= metrics["test"]["track"]["accuracy"] <= 1


@pytest.mark.slow
def test_the_leaderboard_has_a_row_for_each_run(two_models: Workplace) -> None:
    board = pd.read_csv(two_models.folder / "results/leaderboard.csv")
    assert set(board["model"]) == {"svm_rbf", "cnn_370k"}
    assert len(board) == 2
    assert list(board["track_accuracy"]) == sorted(board["track_accuracy"], reverse=True)
    assert len(pd.read_csv(two_models.folder / "experiment/leaderboard.csv")) == 1
    assert "cnn_370k" in (two_models.folder / "results/report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_neither_runner_has_anything_left_to_do(two_models: Workplace) -> None:
    done = two_models.snakemake("--dry-run")
    assert "Nothing to be done" in done.stdout + done.stderr
    assert json.loads(two_models.dvc("status", "--json").stdout) == {"music": ["always changed"]}


@pytest.mark.slow
def test_check_params_tries_a_change_of_the_real_stages(tmp_path: Path, capsys) -> None:
    root = Path(__file__).resolve().parents[2]
    place = copy_project(root, tmp_path / "repository")
    set_values(place.folder / "params.yaml", ["model=svm_rbf"])
    for command in ("init -q", "add -A", "-c user.name=T -c user.email=t@example.org commit -q -m Start"):
        place.run("git", *command.split())
    set_values(place.folder / "params.yaml", ["models.svm_rbf.options.C=0.001"])
    assert check_params(place.folder, "HEAD", None, tolerance=1.0) == 1
    told = capsys.readouterr().out
    assert "dvc.lock is missing" in told
    told = re.sub(" +", " ", told)
    assert "| train |" in told and "| slices |" not in told
    assert re.search(r"\| svm_rbf \| 3 \| 0\.\d{3} \| 0\.\d{3} \| [+-]\d+\.\d \(", told)


@pytest.mark.slow
def test_both_train_the_same_bundle(tiny: Workplace) -> None:
    """Two trainings from one seed: weights, model card and all else come out the same."""
    tree = yaml.safe_load((tiny.folder / "params.yaml").read_text(encoding="utf-8"))
    for name in ("bundle.zip", "model.zip"):
        ours = tiny.folder / run_folder(tree) / name
        assert ours.read_bytes() == (tiny.folder / "experiment" / name).read_bytes()
