"""A killed training resumes from its checkpoint and gives the same bytes.

`tests/workflow/test_train_scripts.py` does so with SIGKILL.
"""

import dataclasses

import numpy as np
import pytest

from genredag.bundles.bundle import save_bundle
from genredag.params.groups.models import Network, Train
from genredag.training.networks import Course
from genredag.training.train import train_bundle

TRAIN = Train(precision="float32", threads=1, normalisation="bin")
BASE = {"kind": "network", "optimizer": "adam", "learning_rate": 0.01, "batch_size": 8, "epochs": 6}
BASE |= {"size": None, "backbone": None}
BASE |= {"augment": [{"kind": "noise", "std": 2.0}, {"kind": "mixup", "alpha": 0.4}]}
RECIPES = {
    # Two networks before it, each with a checkpoint of its own.
    "time_frequency_init": BASE
    | {
        "schedule": "cosine",
        "patience": 6,
        "options": {"filter_frames": 0, "filter_bins": 0, "dropout": 0.3, "output": "softmax"},
    },
    "crnn": BASE | {"schedule": "cosine", "patience": 6, "options": {"units": 8, "dropout": 0.3}},
    "lstm_windows": BASE
    | {
        **{"schedule": "cosine", "patience": 6, "augment": [{"kind": "noise", "std": 2.0}]},
        "options": {"units": 8, "dropout": 0.3},
    },
    # Batch normalisation, and a plateau whose waiting has begun before the kill.
    "homebrew": BASE
    | {
        "schedule": {"kind": "plateau", "factor": 0.5, "patience": 1, "cooldown": 1, "floor": 0.0},
        "patience": 3,
        "size": [72, 72],
        "options": {"momentum": 0.5, "conv_dropout": 0.2, "dense_dropout": 0.2, "units": 192},
    },
}


class KilledError(Exception):
    """Replaces SIGKILL, which would need a separate process and take seconds."""


def train(model, data, folder, *, seed=1, **changes):
    folder.mkdir(exist_ok=True)
    recipe = Network(**RECIPES[model] | changes)
    bundle, history, timing = train_bundle(
        model, recipe, TRAIN, data, seed=seed, checkpoint=folder / "checkpoint"
    )
    save_bundle(folder / "bundle.zip", bundle)
    history.to_csv(folder / "history.csv")
    return timing


def killed(monkeypatch, after):
    """Make training die in the epoch after these many."""
    begin = Course.begin

    def dying(self, epoch, logs=None):
        if epoch == after:
            raise KilledError
        begin(self, epoch, logs)

    monkeypatch.setattr(Course, "begin", dying)


def outcome(folder):
    return [(folder / name).read_bytes() for name in ("bundle.zip", "history.csv")]


QUICK = [("crnn", 4), ("lstm_windows", 1)]
THOROUGH = [(model, after) for model in RECIPES for after in (1, 4) if (model, after) not in QUICK]


@pytest.mark.parametrize(
    ("model", "after"), [*QUICK, *(pytest.param(*case, marks=pytest.mark.slow) for case in THOROUGH)]
)
def test_resuming_gives_the_same_bytes(toy_slices, tmp_path, monkeypatch, model, after):
    train(model, toy_slices, tmp_path / "undisturbed")
    with monkeypatch.context() as patch:
        killed(patch, after)
        with pytest.raises(KilledError):
            train(model, toy_slices, tmp_path / "killed")
    trained = []
    end = Course.end
    monkeypatch.setattr(
        Course, "end", lambda self, epoch, logs: trained.append(epoch) or end(self, epoch, logs)
    )
    train(model, toy_slices, tmp_path / "killed")
    assert trained[0] == after
    assert outcome(tmp_path / "killed") == outcome(tmp_path / "undisturbed")
    # All epochs are done: killed before its bundle was written, it would train none again.
    trained.clear()
    train(model, toy_slices, tmp_path / "killed")
    assert trained == []
    assert outcome(tmp_path / "killed") == outcome(tmp_path / "undisturbed")


@pytest.mark.parametrize("change", ["seed", "recipe", "data", "code"])
def test_training_restarts_if_anything_differs(toy_slices, tmp_path, monkeypatch, change):
    folder = tmp_path / "run"
    train("lstm_windows", toy_slices, folder, epochs=1)
    seed, changes, data = 1, {"epochs": 1}, toy_slices
    if change == "seed":
        seed = 2
    elif change == "recipe":
        changes = {"epochs": 1, "batch_size": 9}
    elif change == "data":
        data = dataclasses.replace(data, slices=data.slices.assign(n_valid=np.int32(9)))
    else:
        monkeypatch.setattr("genredag.training.train.training_code", lambda model: "edited")
    began = []
    begin = Course.begin
    monkeypatch.setattr(
        Course, "begin", lambda self, epoch, logs=None: began.append(epoch) or begin(self, epoch)
    )
    train("lstm_windows", data, folder, seed=seed, **changes)
    assert began == [0]
