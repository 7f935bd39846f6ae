"""Benchmarks run; their output is not checked."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("predict", ["--model", "cnn_370k", "--songs", "2", "--repeats", "1", "--long-minutes", "11"]),
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
