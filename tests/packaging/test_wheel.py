"""The wheel, installed with its base dependencies or one extra, and used from another folder."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from genredag.bundles.bundle import Bundle, save_bundle
from genredag.errors import EXTRAS
from genredag.models.registry import learners
from genredag.params.groups.models import Estimator, Train
from genredag.training.train import train_bundle

pytestmark = pytest.mark.slow

PREDICT = """
import sys
import numpy as np
from genredag.bundles.loading import load_bundle
np.save("probabilities.npy", load_bundle(sys.argv[1]).predict(np.load("slices.npy")))
"""
REFUSED = """
import sys
from pathlib import Path
from genredag.bundles.loading import load_bundle
from genredag.errors import exits_cleanly
exits_cleanly(load_bundle)(Path(sys.argv[1]))
"""


class Installation:
    """A virtual environment with the wheel in it, and an empty folder to work in."""

    def __init__(self, folder: Path, project: Path, extras: str = "") -> None:
        self.environment, self.cwd = folder / "environment", folder / "elsewhere"
        self.cwd.mkdir()
        wheels, uv = folder / "wheels", (sys.executable, "-m", "uv")
        build = (*uv, "build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable)
        subprocess.run([*build, "--out-dir", wheels, project], check=True)
        subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, self.environment], check=True)
        (wheel,) = wheels.glob("genredag-*.whl")
        install = (*uv, "pip", "install", "--quiet", "--python", self.environment / "bin" / "python")
        subprocess.run(
            [*install, "--constraint", project / "requirements.lock", f"{wheel}{extras}"], check=True
        )

    @property
    def size_mb(self) -> float:
        """Return the size of the environment, in MiB."""
        return sum(file.stat().st_size for file in self.environment.rglob("*") if file.is_file()) / 2**20

    def run(self, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment in the empty folder."""
        return subprocess.run(
            [self.environment / "bin" / program, *arguments],
            cwd=self.cwd,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.cwd)},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def installation(tmp_path_factory, project_dir):
    return Installation(tmp_path_factory.mktemp("wheel"), project_dir)


@pytest.fixture(scope="module")
def for_prediction(tmp_path_factory, project_dir):
    return Installation(tmp_path_factory.mktemp("predict"), project_dir, "[predict]")


@pytest.fixture(scope="module")
def bundle(toy_slices):
    options = {"C": 1.0, "kernel": "rbf", "gamma": "scale", "min_variance": 0.0, "selection_trees": 0}
    recipe = Estimator(kind="estimator", features="bin_statistics", backbone=None, folds=2, options=options)
    train = Train(precision="float32", threads=1, normalisation="bin")
    return train_bundle("svm_rbf", recipe, train, toy_slices, seed=1)[0]


def test_no_optional_dependency_is_installed(installation):
    program = f"from importlib.util import find_spec; print([m for m in {sorted(EXTRAS)} if find_spec(m)])"
    # pooch brings `packaging`, which `genredag generate` uses.
    assert installation.run("python", "-c", program).stdout.strip() == "['packaging']"


def test_the_command_line_answers(installation):
    assert "check-params" in installation.run("genredag", "--help").stdout
    assert installation.run("genredag", "--version").stdout.startswith("genredag 0.")


def test_models_are_listed_without_counts(installation):
    done = installation.run("genredag", "models", "--json")
    rows = json.loads(done.stdout)
    assert [row["id"] for row in rows] == list(learners())
    assert {row["parameters"] for row in rows} == {None}
    assert "pip install 'genredag[tensorflow]'" in done.stderr
    assert "crnn" in installation.run("genredag", "models", "--ids").stdout


def test_a_bundle_predicts_the_same_as_in_the_checkout(installation, bundle, toy_slices):
    save_bundle(installation.cwd / "bundle.zip", bundle)
    slices = toy_slices.frames.array[:200].astype(np.float32).reshape(20, 10, -1)
    np.save(installation.cwd / "slices.npy", slices)
    done = installation.run("python", "-c", PREDICT, "bundle.zip")
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(
        np.load(installation.cwd / "probabilities.npy"), bundle.predict(slices), atol=1e-6
    )


def test_a_network_names_the_extra_that_it_needs(installation, bundle):
    import keras

    network = keras.Sequential([keras.Input((10, 12)), keras.layers.Flatten(), keras.layers.Dense(3)])
    info = bundle.info | {"recipe": {"kind": "network"}, "features": None}
    save_bundle(installation.cwd / "network.zip", Bundle(info, network))
    done = installation.run("python", "-c", REFUSED, "network.zip")
    assert done.returncode == 2
    assert done.stderr.strip() == (
        "genredag: error: network.zip: holds a network, and neither TensorFlow nor JAX is installed. "
        "Hint: where TensorFlow is installed, run `genredag export network.zip --onnx model.onnx` and use "
        "model.onnx here; or pip install 'genredag[tensorflow]'"
    )


@pytest.mark.parametrize("command", [["check-params"], ["generate"]])
def test_a_command_of_the_workflow_names_its_extra(installation, command):
    done = installation.run("genredag", *command)
    assert done.returncode == 2
    assert done.stderr.strip() == (
        "genredag: error: snakemake is not installed. Hint: pip install 'genredag[workflow]'"
    )


@pytest.fixture(scope="module")
def network(for_prediction, project_dir):
    """An untrained network for mel spectrograms, as an ONNX model in the empty folder."""
    make_bundles = runpy.run_path(str(project_dir / "benchmarks" / "predict.py"))["make_bundles"]
    return make_bundles(for_prediction.cwd, project_dir / "params.yaml", "cnn_370k")["ONNX"]


def test_a_network_predicts_a_song_without_keras(for_prediction, network, shared_songs, record_property):
    absent = ["keras", "tensorflow", "snakemake", "dvc"]
    program = f"from importlib.util import find_spec; print(*map(find_spec, {absent}))"
    assert for_prediction.run("python", "-c", program).stdout.split() == ["None"] * 4
    done = for_prediction.run("genredag", "predict", *shared_songs, "--model", network, "--format", "json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)) == len(shared_songs)
    record_property("size_mb", for_prediction.size_mb)
    assert for_prediction.size_mb < 900


@pytest.fixture
def shared_songs(project_dir, tmp_path):
    """Real songs if there are some next to the project, else one of noise."""
    songs = sorted((project_dir.parent / "shared" / "songs").glob("*.ogg"))[:2]
    if songs:
        return songs
    soundfile.write(tmp_path / "song.wav", np.random.default_rng(0).normal(0, 0.1, 100_000), 22_050)
    return [tmp_path / "song.wav"]
