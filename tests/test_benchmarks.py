"""Benchmarks run; their output is not checked."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict

import numpy as np
import pytest

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
