"""Train a CNN and an LSTM on simulated frames with the backend in KERAS_BACKEND: ``FOLDER SEED...``.

Writes a bundle and its test predictions for each model and seed, and ``accuracies.json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from genredag.bundles.bundle import save_bundle
from genredag.frames.split_slices import SliceSpec, SplitSlices
from genredag.frames.store import Frames, FrameSpec
from genredag.params.groups.models import Network, Train
from genredag.runtime.backend import configure_backend
from genredag.training.train import train_bundle

SIZE, GENRES, N_TRACKS = 16, ("low", "beat", "plain"), 50
RECIPE = {
    **{"kind": "network", "optimizer": "adam", "learning_rate": 0.003, "schedule": "cosine"},
    **{"batch_size": 16, "epochs": 12, "patience": 12, "augment": [], "size": None, "backbone": None},
}
OPTIONS = {"cnn_370k": {"dropout": 0.1}, "lstm": {"units": 16, "dropout": 0.1}}


def store() -> SplitSlices:
    """Make three genres of noise: loud low bins, every fourth frame loud, neither."""
    rng = np.random.default_rng(0)
    genres = np.repeat(GENRES, N_TRACKS)
    values = rng.normal(0, 4, (len(genres), SIZE, SIZE))
    values[genres == "low", :, :4] += 4
    values[genres == "beat", ::4] += 4
    count = len(genres)
    description = ("mel", SIZE, 10.0, count, count * SIZE, "float16", 0.0, 1.0, -80.0, "dB")
    spec = FrameSpec(*description, list(range(SIZE)), {}, 4000)
    tracks = pd.DataFrame({"track_id": [f"t{i:03}" for i in range(count)], "slice": 0})
    part = np.tile(np.repeat(["train", "validation", "test"], [25, 10, 15]), len(GENRES))
    return SplitSlices(
        frames=Frames(spec, tracks, values.reshape(-1, SIZE).astype(np.float16)),
        slices=tracks.assign(first_frame=SIZE * np.arange(count), n_valid=SIZE, parent=None),
        spec=SliceSpec(seconds=1.6, overlap=0.0, n_frames=SIZE),
        split=tracks.assign(genre=genres, part=part),
    )


def main(folder: Path, seeds: list[int]) -> None:
    configure_backend(threads=1)
    data = store()
    held_out = (data.split["part"] == "test").to_numpy()
    slices = data.frames.array.reshape(-1, SIZE, SIZE).astype(np.float32)
    genres = data.split["genre"].to_numpy()
    watched = (data.split["part"] == "validation").to_numpy()
    accuracies: dict[str, list[float]] = {}
    for model, options in OPTIONS.items():
        for seed in seeds:
            recipe = Network(**RECIPE, options=options)
            train = Train(precision="float32", threads=1, normalisation="bin")
            bundle, history, _ = train_bundle(model, recipe, train, data, seed=seed)
            save_bundle(folder / f"{model}-{seed}.zip", bundle)
            p = bundle.predict(slices)
            np.savez(folder / f"{model}-{seed}.npz", slices=slices[held_out], probabilities=p[held_out])
            names = np.array(bundle.class_names)
            accuracies.setdefault(model, []).append(float((names[p.argmax(1)] == genres)[held_out].mean()))
            # The weights kept are those of the best epoch, whatever the backend does with its state.
            loss = -np.log(p[watched, np.searchsorted(names, genres[watched])]).mean()
            np.testing.assert_allclose(loss, history["val_loss"].min(), rtol=1e-3)
    (folder / "accuracies.json").write_text(json.dumps(accuracies), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(seed) for seed in sys.argv[2:]])
