import hashlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from genredag.bundles.loading import load_bundle
from genredag.models import registry
from genredag.models.registry import learners
from genredag.tracks.manifest import QUARANTINE_COLUMNS
from genredag.training.networks import Course

MANIFEST = {"manifest": "manifest.parquet"}
INPUTS = {"frames": "frames.npy", "slices": "slices.parquet", "split": "split.parquet"}
EMBEDDED = {"embeddings": "embeddings.npy"}
TRAINED = {"bundle": "bundle.zip", "history": "history.csv", "timing": "timing.json"}
EVALUATED = {
    "predictions": "predictions.parquet",
    "track-predictions": "track_predictions.parquet",
    "metrics": "metrics.json",
    "confusion": "confusion.csv",
    "per-genre": "per_genre.csv",
    "roc": "roc.csv",
    "reliability": "reliability.csv",
    "confusion-matrix": "confusion_matrix.png",
    "learning-curves": "learning_curves.png",
    "roc-curves": "roc_curves.png",
    "reliability-diagram": "reliability_diagram.png",
    "model-file": "model.zip",
}
MODELS = {
    "svm_rbf": {
        **{"kind": "estimator", "features": "bin_statistics", "folds": 2, "backbone": None},
        "options": {"C": 1.0, "kernel": "rbf", "gamma": "scale", "min_variance": 0.0, "selection_trees": 0},
    },
    "lstm": {
        **{"kind": "network", "optimizer": "adam", "learning_rate": 0.01, "schedule": "cosine"},
        **{
            "batch_size": 8,
            "epochs": 6,
            "patience": 6,
            "augment": [],
            "size": None,
            "backbone": None,
            "options": {"units": 8, "dropout": 0.1},
        },
    },
    "resnet18_frozen": {
        **{"kind": "network", "optimizer": "adam", "learning_rate": 0.1, "schedule": "constant"},
        **{
            "batch_size": 8,
            "epochs": 12,
            "patience": 12,
            "augment": [],
            "size": None,
            "options": {"dropout": 0.0},
        },
        "backbone": {
            **{"architecture": "resnet18", "size": [16, 16], "weights": None, "preprocessing": "none"},
            **{"frozen_layers": "all", "embed": True},
        },
    },
}


LOGISTIC = {
    **{"kind": "estimator", "features": "bin_statistics", "folds": 2, "backbone": None},
    "options": {
        **{"C": 1.0, "l1_ratio": 0.0, "max_iter": 100},
        **{"min_variance": 0.0, "selection_trees": 0},
    },
}


@pytest.fixture
def script(project_dir, monkeypatch):
    """Return ``script(name, argv)``, which runs a script's main function and restores the environment."""
    monkeypatch.setattr("os.environ", dict(__import__("os").environ))

    def run(name, argv):
        path = project_dir / "workflow" / "scripts" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(f"script_{name}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.main([str(a) for a in argv])

    return run


@pytest.fixture
def store(toy_slices, tree, tmp_path):
    frames = toy_slices.frames
    np.save(tmp_path / "frames.npy", frames.array)
    frames.index.to_parquet(tmp_path / "frames.parquet")
    (tmp_path / "frames.json").write_text(json.dumps(asdict(frames.spec)))
    toy_slices.slices.to_parquet(tmp_path / "slices.parquet")
    (tmp_path / "slices.json").write_text(json.dumps(asdict(toy_slices.spec)))
    toy_slices.split.to_parquet(tmp_path / "split.parquet")
    tracks = toy_slices.split.drop_duplicates("track_id")[["track_id", "genre"]]
    hashes = [hashlib.sha256(track_id.encode()).hexdigest() for track_id in tracks["track_id"]]
    manifest = tracks.assign(artist=None, path="", duration=1.0, status="ok", sha256=hashes)
    manifest.attrs = {"homepage": "toys.example", "license": "CC0", "citation": "@misc{toys}"}
    manifest.to_parquet(tmp_path / "manifest.parquet")
    np.save(tmp_path / "embeddings.npy", np.empty((0, 0), np.float32))
    tree["models"] |= MODELS
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree))
    return tmp_path


def flags(folder, names):
    return [part for name, file in names.items() for part in (f"--{name}", folder / file)]


@pytest.mark.parametrize("model", MODELS)
def test_train_then_evaluate(script, store, model):
    common = ["--params", store / "params.yaml", "--model", model, "--seed", 3, *flags(store, INPUTS)]
    choice = ["--dataset", "toy", "--representation", "mel", "--split-name", "artist_disjoint", "--fold", 2]
    choice += flags(store, MANIFEST)
    trained = {name: TRAINED[name] for name in ("bundle", "history")}
    outputs = []
    for run in ("a", "b"):
        script("embed", [*common, *flags(store / run, EMBEDDED)])
        script("train", [*common, *flags(store / run, EMBEDDED | TRAINED)])
        script("evaluate", [*common, *choice, *flags(store / run, trained), *flags(store / run, EVALUATED)])
        names = [*trained.values(), *EVALUATED.values()]
        outputs.append({name: (store / run / name).read_bytes() for name in names})
    assert [name for name in outputs[0] if outputs[0][name] != outputs[1][name]] == []
    assert (len(np.load(store / "a" / "embeddings.npy")) == 54) == (model == "resnet18_frozen")
    metrics = json.loads(outputs[0]["metrics.json"])
    chosen = {key: metrics[key] for key in ("dataset", "representation", "model", "split", "fold", "seed")}
    assert list(chosen.values()) == ["toy", "mel", model, "artist_disjoint", 2, 3]
    assert metrics["test"]["track"]["accuracy"] == 1.0
    assert metrics["n_tracks"] == {"train": 12, "validation": 6, "test": 6}
    assert (metrics["n_parameters"] is None) == (model == "svm_rbf")
    predictions = pd.read_parquet(store / "a" / "predictions.parquet")
    assert set(predictions["part"]) == {"validation", "test"}
    assert set(json.loads((store / "a" / "timing.json").read_text())) == {
        *("seconds", "slices_per_second", "peak_memory_mb")
    }


WITHOUT_KERAS = """
import runpy, sys
sys.modules["keras"] = sys.modules["tensorflow"] = None  # importing them is an error
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_a_classical_model_needs_no_keras(store, project_dir):
    common = ["--params", store / "params.yaml", "--model", "svm_rbf", "--seed", 3, *flags(store, INPUTS)]
    choice = ["--dataset", "toy", "--representation", "mel", "--split-name", "artist_disjoint", "--fold", 0]
    trained = {name: TRAINED[name] for name in ("bundle", "history")}
    for name, argv in (
        ("train", [*common, *flags(store, EMBEDDED | TRAINED)]),
        ("evaluate", [*common, *choice, *flags(store, MANIFEST | trained | EVALUATED)]),
    ):
        script = project_dir / "workflow/scripts" / f"{name}.py"
        subprocess.run([sys.executable, "-c", WITHOUT_KERAS, script, *map(str, argv)], check=True)
    assert json.loads((store / "metrics.json").read_text())["model"] == "svm_rbf"


@pytest.fixture
def titles(monkeypatch):
    """Return the titles of all saved figures, by folder and name."""
    from matplotlib.figure import Figure

    save, found = Figure.savefig, {}

    def remember(figure, path, **options):
        if isinstance(path, Path):  # the report's own are drawn into the page
            # Written to a temporary name in the folder of the run.
            found[path.parent.name, path.name.split(".", 2)[-1]] = figure.get_suptitle()
        save(figure, path, **options)

    monkeypatch.setattr(Figure, "savefig", remember)
    return found


def leaky_run(script, store, model):
    """Split, train and evaluate with a leaky split, and return the results folder."""
    pd.DataFrame(columns=QUARANTINE_COLUMNS).to_csv(store / "quarantine.csv", index=False)
    run = store / model
    common = ["--params", store / "params.yaml", "--seed", 3]
    data = flags(store, {name: INPUTS[name] for name in ("frames", "slices")})
    dealt = {"split": "split.parquet", "near-duplicates": "near_duplicates.csv"}
    given = [*data, *flags(store, MANIFEST), *flags(run, dealt)]
    script("split", [*common, "--split-name", "leaky_slices", "--fold", 0, *given])
    given = [*common, "--model", model, *data, "--split", run / "split.parquet"]
    script("train", [*given, *flags(store, EMBEDDED), *flags(run, TRAINED)])
    trained = {name: TRAINED[name] for name in ("bundle", "history")}
    choice = ["--dataset", "synthetic", "--representation", "mel", "--split-name", "leaky_slices"]
    choice += ["--fold", 0, *flags(store, MANIFEST)]
    script("evaluate", [*given, *choice, *flags(run, trained), *flags(run, EVALUATED)])
    return run


def test_every_output_of_a_leaky_split_is_marked(script, store, titles):
    runs = [leaky_run(script, store, model) for model in ("svm_rbf", "lstm")]
    reports = {"leaderboard": "leaderboard.csv", "markdown": "leaderboard.md", "html": "report.html"}
    reports |= {"comparisons": "comparisons.csv", "significance": "significance.html", "data": "data.html"}
    near = [f"--near-duplicates=synthetic={run / 'near_duplicates.csv'}" for run in runs]
    data = ["--dataset", f"synthetic={store / 'manifest.parquet'}", "--params", store / "params.yaml"]
    script("report", [*data, *near, "--runs", *runs, *flags(store / "report", reports)])
    made = [path for folder in (*runs, store / "report") for path in folder.iterdir()]
    assert len(made) == 2 * (2 + len(TRAINED) + len(EVALUATED)) + len(reports)
    # What shows the data set alone tells nothing that leaks.
    silent = {(path.parent.name, path.name) for path in made if b"LEAKY" not in path.read_bytes()}
    figures = {(path.parent.name, path.name) for path in made if path.suffix == ".png"}
    assert silent == {*figures, ("report", "data.html")}
    assert {place for place, title in titles.items() if "LEAKY" in title} == figures


# Runs a script, and kills itself while Keras waits for the fourth batch of the third epoch.
MORTAL = """
import os, runpy, signal, sys
from genredag.frames.batches import SliceSet
from genredag.training.networks import Course

begin, take, state = Course.begin, SliceSet.take, {}

def count_epochs(self, epoch, logs=None):
    begin(self, epoch, logs)
    state.update(epoch=epoch, batches=0)

def die_in_mid_epoch(self, rows):
    if state.get("epoch") == 2:
        state["batches"] += 1
        if state["batches"] == 4:
            os.kill(os.getpid(), signal.SIGKILL)
    return take(self, rows)

Course.begin, SliceSet.take = count_epochs, die_in_mid_epoch
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.slow
def test_training_killed_in_mid_epoch_resumes_to_the_same_bytes(project_dir, store):
    def train(folder, *python):
        (store / folder).mkdir(exist_ok=True)
        inputs = [
            "--params",
            store / "params.yaml",
            "--model",
            "lstm",
            "--seed",
            3,
            *flags(store, INPUTS | EMBEDDED),
        ]
        command = [sys.executable, *python, project_dir / "workflow/scripts/train.py", *inputs]
        command += flags(store / folder, TRAINED)
        return subprocess.run([str(part) for part in command], check=False).returncode

    assert train("undisturbed") == 0
    assert train("killed", "-c", MORTAL) == -signal.SIGKILL
    assert [path.name for path in (store / "killed").iterdir()] == [".bundle.zip.checkpoint"]
    assert train("killed") == 0
    assert sorted(path.name for path in (store / "killed").iterdir()) == sorted(TRAINED.values())
    for name in ("bundle.zip", "history.csv"):
        assert (store / "killed" / name).read_bytes() == (store / "undisturbed" / name).read_bytes()


def test_another_grid_reuses_the_saved_network_of_a_hybrid(script, store, tree, monkeypatch):
    # SqueezeNet is small, so the hybrid is built on it here.
    hybrid = replace(learners()["vgg16_svm"], backbones=("squeezenet",))
    monkeypatch.setitem(registry._LEARNERS, "vgg16_svm", hybrid)
    epochs, begin = [], Course.begin
    monkeypatch.setattr(Course, "begin", lambda *args: (epochs.append(args[1]), begin(*args)))
    backbone = {"architecture": "squeezenet", "size": [32, 32], "weights": None, "preprocessing": "none"}
    backbone |= {"frozen_layers": 0, "embed": False}
    recipe = MODELS["lstm"] | {"kind": "hybrid", "epochs": 2, "folds": 2, "backbone": backbone}
    common = ["--params", store / "params.yaml", "--model", "vgg16_svm", "--seed", 3]
    for C in (1.0, 100.0):
        options = {"options": {"dropout": 0.1}, "classifier": {"C": C, "gamma": "scale"}}
        tree["models"]["vgg16_svm"] = recipe | options
        (store / "params.yaml").write_text(yaml.safe_dump(tree))
        script("train", [*common, *flags(store, INPUTS | EMBEDDED), *flags(store / "run", TRAINED)])
        assert epochs == [0, 1]
        assert load_bundle(store / "run" / "bundle.zip").info["options"]["C"] == C


@pytest.mark.slow
def test_params_override_thread_settings_of_the_environment(project_dir, store, tree):
    """DVC leaves OMP_NUM_THREADS as it is, Snakemake sets it; BLAS reads it as soon as NumPy is imported."""
    grow(store)
    tree["models"]["logistic_regression"] = LOGISTIC
    (store / "params.yaml").write_text(yaml.safe_dump(tree))
    common = ["--params", store / "params.yaml", "--model", "logistic_regression", "--seed", 3]
    bundles = []
    plain = {key: value for key, value in os.environ.items() if "NUM_THREADS" not in key}
    for name, environment in (("dvc", {}), ("snakemake", {"OMP_NUM_THREADS": "1"})):
        (store / name).mkdir()
        argv = [*common, *flags(store, INPUTS | EMBEDDED), *flags(store / name, TRAINED)]
        command = [sys.executable, project_dir / "workflow/scripts/train.py", *argv]
        subprocess.run([str(part) for part in command], env=plain | environment, check=True)
        bundles.append((store / name / "bundle.zip").read_bytes())
    assert bundles[0] == bundles[1]


def grow(store):
    """Widen the frames of a store and repeat its slices, so that BLAS shares its products among threads."""
    array = np.load(store / "frames.npy")
    noise = np.random.default_rng(1).normal(-40, 5, (len(array), 128 - array.shape[1]))
    np.save(store / "frames.npy", np.concatenate([array, noise], axis=1).astype(np.float16))
    spec = json.loads((store / "frames.json").read_text())
    (store / "frames.json").write_text(json.dumps(spec | {"n_bins": 128, "bins": list(range(128))}))
    for name in ("slices.parquet", "split.parquet"):
        pd.concat([pd.read_parquet(store / name)] * 20, ignore_index=True).to_parquet(store / name)


def test_a_user_error_is_one_line(script, store, capsys):
    common = ["--params", store / "params.yaml", "--seed", 3, *flags(store, INPUTS | EMBEDDED | TRAINED)]
    with pytest.raises(SystemExit, match="2"):
        script("train", [*common, "--model", "crnnn"])
    message = "params.yaml: models: 'crnnn' is unknown. Hint: did you mean 'crnn'?"
    assert capsys.readouterr().err == f"genredag: error: {message}\n"
