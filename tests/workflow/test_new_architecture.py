"""The architecture in the README trains: it needs one function and one entry in params.yaml."""

from __future__ import annotations

import json
import re
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from genredag.bundles.loading import load_bundle
from genredag.project.check_params.workplace import Workplace, copy_project
from genredag.training.embedding import NOTHING

HEADING = "## Add your own architecture"


@pytest.fixture(scope="module")
def shown(project_dir) -> dict[str, str]:
    """Give the code and the parameters that the README shows."""
    section = (project_dir / "README.md").read_text(encoding="utf-8").split(HEADING)[1].split("\n## ")[0]
    return dict(re.findall(r"```(\w+)\n(.*?)```", section, flags=re.DOTALL))


@pytest.fixture
def place(project_dir, tmp_path, shown) -> Workplace:
    """A copy of the project with the README's function and entry, and nothing else."""
    place = copy_project(project_dir, tmp_path / "project")
    (place.folder / "src/genredag/models/families/my_cnn.py").write_text(shown["python"], encoding="utf-8")
    params = place.folder / "params.yaml"
    text = params.read_text(encoding="utf-8").replace("\nmodels:\n", f"\nmodels:\n{shown['yaml']}")
    params.write_text(text, encoding="utf-8")
    return place


def write_store(folder: Path, toy_slices: dict) -> None:
    folder.mkdir()
    frames = toy_slices.frames
    np.save(folder / "frames.npy", frames.array)
    frames.index.to_parquet(folder / "frames.parquet")
    (folder / "frames.json").write_text(json.dumps(asdict(frames.spec)))
    toy_slices.slices.to_parquet(folder / "slices.parquet")
    (folder / "slices.json").write_text(json.dumps(asdict(toy_slices.spec)))
    toy_slices.split.to_parquet(folder / "split.parquet")
    np.save(folder / "embeddings.npy", NOTHING)


def test_it_is_twenty_lines(shown) -> None:
    assert len([line for text in shown.values() for line in text.splitlines() if line.strip()]) <= 20


def test_its_parameters_are_valid(place) -> None:
    place.run(sys.executable, "-m", "genredag", "set", "model=my_cnn", "models.my_cnn.epochs=1")


@pytest.mark.slow
def test_it_trains(place, toy_slices) -> None:
    write_store(place.folder / "toy", toy_slices)
    place.run(sys.executable, "-m", "genredag", "set", "model=my_cnn", "models.my_cnn.epochs=1")
    flags = "--model my_cnn --seed 1 --frames toy/frames.npy --slices toy/slices.parquet"
    flags += " --split toy/split.parquet --embeddings toy/embeddings.npy"
    flags += " --bundle toy/b.zip --history toy/h.csv --timing toy/t.json"
    place.run(sys.executable, "workflow/scripts/train.py", "--params", "params.yaml", *flags.split())
    bundle = load_bundle(place.folder / "toy/b.zip")
    assert bundle.info["recipe"]["options"] == {"filters": 32}
    assert bundle.info["n_parameters"] == 32 * 3 * 3 + 32 + 32 * 3 + 3
    assert len(pd.read_csv(place.folder / "toy/h.csv")) == 1
    assert bundle.predict(np.zeros((2, 10, 12), np.float32)).shape == (2, 3)


@pytest.mark.slow
def test_the_contract_tests_include_it(project_dir, place) -> None:
    for name in ("tests", "docs"):
        shutil.copytree(project_dir / name, place.folder / name)
    for name in ("README.md", "pyproject.toml", "requirements.lock"):
        shutil.copyfile(project_dir / name, place.folder / name)
    pytest_of_copy = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider")
    done = place.run(*pytest_of_copy, "tests/models", "tests/contract", "-k", "my_cnn")
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 9
    place.run(*pytest_of_copy, "tests/workflow/test_parity.py", "-k", "declared_code")
