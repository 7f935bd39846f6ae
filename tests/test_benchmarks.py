"""Benchmarks run; their output is not checked."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from genredag.params.loading import load_params

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("predict", ["--model", "cnn_370k", "--songs", "2", "--repeats", "1", "--long-minutes", "11"]),
        ("kills", ["--files", "14", "--tagged", "7", "--kills", "2"]),
        ("fuzz_decoding", ["--files", "24"]),
        ("render", ["--tracks", "1", "--jobs", "1", "--repeats", "1"]),
        ("embed", ["--models", "squeezenet_frozen", "--slices", "64"]),
        ("report", ["--runs", "2"]),
        ("train", ["--models", "lstm", "--threads", "1", "2", "--tracks", "8", "--side-by-side"]),
    ],
)
def test_a_benchmark_runs(project_dir, tmp_path, name, arguments):
    script = project_dir / "benchmarks" / f"{name}.py"
    output = ["--params", project_dir / "params.yaml", "--output", tmp_path / "figures.json"]
    subprocess.run([sys.executable, script, *arguments, *output], cwd=tmp_path, check=True)
    assert json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["remotes", "pods"])
def test_nothing_is_lost_or_repeated_on_remote_storage(project_dir, tmp_path, name):
    for package in ("moto", "flask_cors", "dvc_s3", "snakemake_storage_plugin_s3"):
        pytest.importorskip(package)
    if name == "pods":
        pytest.importorskip("snakemake_executor_plugin_kubernetes")
    script = [sys.executable, project_dir / "benchmarks" / f"{name}.py", "--output", tmp_path / "found.json"]
    subprocess.run(script, cwd=tmp_path, check=True)


def test_the_benchmark_of_scale_runs(project_dir, shared_dir, tmp_path):
    script = [
        sys.executable,
        project_dir / "benchmarks/scale.py",
        "--tracks",
        shared_dir / "gtzan_mini/genres",
    ]
    (tmp_path / "page.md").write_text(
        "".join(
            f"<!-- begin {name} --><!-- end {name} -->" for name in ("measured", "costs of a track", "totals")
        )
    )
    output = [
        "--sizes",
        "100",
        "120",
        "140",
        "--output",
        tmp_path / "figures.json",
        "--page",
        tmp_path / "page.md",
    ]
    subprocess.run([*script, *output], cwd=tmp_path, check=True)
    found = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert {row["stage"] for row in found["measured"]} == {"download", "spectrograms", "slices", "split"}
    assert "GB of memory: split" in (tmp_path / "page.md").read_text(encoding="utf-8")


def test_the_benchmark_of_sets_runs(project_dir, toy_slices, tmp_path):
    folder = tmp_path / "toys" / "mel"
    folder.mkdir(parents=True)
    frames, tracks = toy_slices.frames, toy_slices.split.drop_duplicates("track_id")
    np.save(folder / "frames.npy", frames.array)
    frames.index.to_parquet(folder / "frames.parquet")
    toy_slices.slices.to_parquet(folder / "slices.parquet")
    for name, spec in (("frames", frames.spec), ("slices", toy_slices.spec)):
        (folder / f"{name}.json").write_text(json.dumps(asdict(spec)), encoding="utf-8")
    manifest = tracks[["track_id", "genre", "artist"]].assign(
        status="ok", sha256=tracks["track_id"], subset=None
    )
    manifest.to_parquet(folder.parent / "manifest.parquet")
    script = [sys.executable, project_dir / "benchmarks/sets.py", "--params", project_dir / "params.yaml"]
    output = ["--splits", "artist_disjoint", "--output", tmp_path / "figures.json"]
    subprocess.run([*script, "--data", folder, *output], cwd=tmp_path, check=True)
    (row,) = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert (row["data"], row["split"]) == ("toys", "artist_disjoint")
    assert 0 <= row["held_low"] <= row["held"] <= row["held_high"] <= 100


def test_the_benchmark_of_learning_curves_runs(project_dir, tmp_path):
    rng, genres = np.random.default_rng(0), np.repeat(["jazz", "rock", "pop"], 20)
    pitch = {"jazz": 2, "rock": 6, "pop": 12}
    frames = rng.normal(40, 5, (60, 16, 40)).astype(np.float32)
    for track, genre in zip(frames, genres, strict=True):
        track[pitch[genre]] += 40
    ids = [f"{genre}.{i}" for i, genre in enumerate(genres)]
    np.savez(tmp_path / "mel.npz", track_id=ids, mel=frames)
    rows = [f"{ids[i]},{genre},artist {i // 2}" for i, genre in enumerate(genres)]
    (tmp_path / "tracks.csv").write_text("\n".join(["track_id,genre,artist", *rows]) + "\n", encoding="utf-8")
    script = [sys.executable, project_dir / "benchmarks/learning_curves.py", "--shuffles", "1"]
    inputs = ["--frames", "mel.npz", "--tracks", "tracks.csv", "--params", project_dir / "params.yaml"]
    outputs = ["--output", "curves.json", "--errors", "errors.json", "--figure", "curves.svg"]
    subprocess.run([*script, *inputs, *outputs], cwd=tmp_path, check=True)
    found = json.loads((tmp_path / "curves.json").read_text(encoding="utf-8"))
    assert [(row["model"], row["share"]) for row in found] == [
        (model, share) for model in ("svm_rbf", "lda_textures") for share in (0.25, 0.5, 1.0)
    ]
    assert found[-1]["accuracy"] > 90
    assert (
        json.loads((tmp_path / "errors.json").read_text(encoding="utf-8"))["predicted"]["jazz"]["jazz"] > 90
    )
    assert (tmp_path / "curves.svg").is_file()


def test_the_benchmark_of_options_says_what_each_entry_changed(project_dir, tmp_path):
    script = runpy.run_path(str(project_dir / "benchmarks" / "options.py"))
    params = load_params(project_dir / "params.yaml")
    rows = {}
    for name, trial in script["TRIALS"].items():
        for representation in trial.representations.split(", "):
            assert params.entry("representations", representation)
        assert trial.split in params.splits
        for model in trial.models.split(", "):
            entry = {"dataset": "gtzan", "representation": "mel", "model": model, "split": trial.split}
            rows[name, model] = entry | {"n_parameters": None, "values": trial.values_of(pd.Series(entry))}
    assert rows["options", "svm_rbf"]["values"] == "options.kernel=linear"
    assert rows["options", "time"]["values"] == "epochs=20, options.output=sigmoid"
    assert rows["power", "svm_rbf"]["values"] == "representations.mel.scale=power"
    assert rows["representations", "svm_rbf"]["values"] == ""
    for name in ("options", "defaults", "kfold"):
        pd.DataFrame([rows[name, "svm_rbf"]]).to_csv(tmp_path / f"{name}.csv", index=False)
    joined = script["joined"](tmp_path, ["options", "defaults", "defaults", "kfold", "power"])
    assert joined["values"].tolist() == ["options.kernel=linear", "", ""]


def test_every_module_that_is_mutated_has_tests(project_dir):
    mutants = runpy.run_path(str(project_dir / "benchmarks" / "mutants.py"))
    source = project_dir / "src" / "genredag"
    for package in mutants["PACKAGES"]:
        for module in (source / package).rglob("*.py"):
            if module.name != "__init__.py":
                tests = mutants["tests_of"](module.relative_to(source).as_posix())
                assert tests and all((project_dir / "tests" / test).exists() for test in tests), module
