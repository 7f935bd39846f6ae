"""Benchmarks run; their output is not checked."""

from __future__ import annotations

import importlib
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
        ("overhead", ["--repeats", "1"]),
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
    # Several seeds, for an interval needs several artists.
    output = ["--splits", "artist_disjoint", "--seeds", "1", "2", "3", "--output", tmp_path / "figures.json"]
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
        (model, share) for model in ("svm_rbf", "lda_textures", "best") for share in (0.25, 0.5, 1.0)
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
    assert rows["kernel_linear", "svm_rbf"]["values"] == "options.kernel=linear"
    assert rows["options", "time"]["values"] == "epochs=20, options.output=sigmoid"
    assert rows["power", "svm_rbf"]["values"] == "representations.mel.scale=power"
    assert rows["svm", "svm_rbf"]["values"] == ""
    assert rows["kfold_clips", "svm_rbf_published"]["values"] == "slices.seconds=29.9"
    for name in ("kernel_linear", "svm", "kfold"):
        pd.DataFrame([rows[name, "svm_rbf"]]).to_csv(tmp_path / f"{name}.csv", index=False)
    joined = script["joined"](tmp_path, ["kernel_linear", "svm", "svm", "kfold", "power"])
    assert joined["values"].tolist() == ["options.kernel=linear", "", ""]


def test_every_module_that_is_mutated_has_tests(project_dir):
    mutants = runpy.run_path(str(project_dir / "benchmarks" / "mutants.py"))
    source = project_dir / "src" / "genredag"
    for package in mutants["PACKAGES"]:
        for module in (source / package).rglob("*.py"):
            if module.name != "__init__.py":
                tests = mutants["tests_of"](module.relative_to(source).as_posix())
                assert tests and all((project_dir / "tests" / test).exists() for test in tests), module


@pytest.fixture
def benchmark(project_dir, monkeypatch):
    """Return a function that imports a module of benchmarks, which import each other."""
    monkeypatch.syspath_prepend(str(project_dir / "benchmarks"))
    return importlib.import_module


def test_a_killed_run_heals(project_dir, tmp_path):
    script, record = project_dir / "benchmarks" / "kill_runs.py", tmp_path / "kills.jsonl"
    options = ["--kills", "1", "--scenarios", "snakemake", "--record", record]
    subprocess.run([sys.executable, script, *options, "--work", tmp_path / "work"], check=True)
    (line,) = [json.loads(text) for text in record.read_text(encoding="utf-8").splitlines()]
    assert line["files"] > 100 and len(line["kills"]) == 1


def test_stages_are_found_in_commands_and_files_that_differ_are_named(benchmark, tmp_path):
    tiny = benchmark("tiny_runs")
    assert tiny.stage_of(["python", "workflow/scripts/train.py", "--seed", "1"]) == "train"
    assert tiny.stage_of(["bash", "-c", "python workflow/scripts/train.py --seed 1"]) == ""
    assert tiny.stage_of(["python", "workflow/scripts/music.py"]) == ""
    expected, found = {"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "3", ".0.a": "1"}
    assert tiny.differences(expected, found) == ["b", "c"]
    assert tiny.left_over(expected, found) == [".0.a"]
    record = tmp_path / "runs" / "record.jsonl"
    tiny.append_record(record, {"build": 0})
    with record.open("a") as file:
        file.write('{"build": 1, "ki')
    assert tiny.read_record(record) == [{"build": 0}]


def test_all_kills_are_shared_among_scenarios(benchmark):
    kill_runs = benchmark("kill_runs")
    assert sum(kill_runs.n_wanted(scenario, 100) for scenario in kill_runs.SCENARIOS) == 100
    healed = {"differences": [], "left_over": [], "left_in_cache": [], "still_running": 0}
    assert not kill_runs.is_wrong(healed)
    for key in healed:
        assert kill_runs.is_wrong({**healed, key: 1})


def test_the_first_error_of_ours_is_what_a_user_reads(benchmark):
    message = benchmark("disasters").message
    assert (
        message("RuleException:\n genredag: error: disk full\nError in rule") == "genredag: error: disk full"
    )
    assert message("Building\nError: locked\n") == "Error: locked"
    assert message("LockException:\nDirectory is locked.\nMore") == "LockException: Directory is locked."
    assert message("Nothing to be done") == ""


def test_a_record_keeps_finished_disasters_alone(benchmark, tmp_path):
    disasters, record = benchmark("disasters"), tmp_path / "record.jsonl"
    lines = [{"name": name, "runner": "dvc", "disaster": name} for name in ("clock", "memory")]
    lines.insert(1, {"name": "clock", "runner": "dvc", "finished": True})
    for line in lines:
        disasters.append_record(record, line)
    assert disasters.finished(record) == {("clock", "dvc")}
    assert disasters.read_record(record) == lines[:2]


def test_the_page_of_survival_counts_kills_and_shows_what_did_not_heal(benchmark, squeezed):
    kill = {"stage": "train", "with_children": True, "children": 1}
    kills = [
        {
            "scenario": name,
            "files": 10,
            "kills": [kill],
            "differences": bad,
            "left_over": [],
            "left_in_cache": [],
        }
        for name, bad in (("snakemake", []), ("snakemake, restoring", ["a"]), ("dvc", []))
    ]
    row = {"disaster": "disk full", "where": "train", "runner": "dvc", "status": 1, "message": "full"}
    row |= {"traceback": True, "damaged": ["a"], "left": [], "healed": False}
    clock = {"name": "clock", "runner": "dvc", "finished": True}
    page = squeezed(benchmark("survival_page").page(kills, [row, clock], {}))
    assert "| all | 3 | 3 | 0 | 30 | 1 | 0 | 0 |" in page
    assert "| train | 2 | 1 |" in page
    assert "`clock` (snakemake)" in page and "`clock` (dvc)" not in page
    assert "| disk full | train | dvc | 1: full (after a traceback) | 1 | 0 | no |" in page


def test_the_page_of_survival_is_up_to_date(project_dir, benchmark):
    page, tiny = benchmark("survival_page"), benchmark("tiny_runs")
    twice = json.loads(page.DETERMINISM_RECORD.read_text(encoding="utf-8"))
    text = page.page(tiny.read_record(page.KILL_RECORD), tiny.read_record(page.DISASTER_RECORD), twice)
    assert (project_dir / "docs/survival.md").read_text(encoding="utf-8") == text
