"""Slices a second of training and predicting: genredag against plain Keras, in the same run.

Plain Keras is `model.fit` on float32 arrays in memory, 32 slices a batch. genredag gathers its batches from a
float16 frame store. A rate is that of the epochs after the first, validation included. Threads are fixed when
TensorFlow starts, so that each setting is a process of its own.

    python benchmarks/train.py --params params.yaml --models cnn_370k lstm crnn --threads 1 4 --output o.json
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genredag.atomic import write_json
from genredag.backend import configure_backend
from genredag.frames import Frames, FrameSpec
from genredag.params import Train, load_params
from genredag.recipes import Network

KINDS = ("plain", "float32", "mixed_bfloat16")
N_BINS, N_FRAMES, N_CLASSES, BATCH_SIZE = 128, 130, 10, 32


def make_data(folder: Path, n_slices: int) -> dict[str, Any]:
    """Return what `train_bundle` trains on: noise, on disk, with an eighth of the slices for validation."""
    rng = np.random.default_rng(0)
    values = rng.normal(-40, 10, (n_slices * N_FRAMES, N_BINS)).astype(np.float16)
    np.save(folder / "frames.npy", values)
    spec = FrameSpec(
        *("mel", N_BINS, 43.07, n_slices, len(values), "float16", 0.0, 1.0, -80.0, "dB"),
        bins=list(range(N_BINS)),
        params={},
        sr=22050,
    )
    slices = pd.DataFrame(
        {"track_id": "t", "first_frame": N_FRAMES * np.arange(n_slices), "n_valid": N_FRAMES}
    )
    split = pd.DataFrame({"genre": [f"g{i % N_CLASSES}" for i in range(n_slices)], "part": "train"})
    split.loc[split.index >= n_slices * 7 // 8, "part"] = "validation"
    return {
        "frames": Frames(spec, pd.DataFrame(), np.load(folder / "frames.npy", mmap_mode="r")),
        "slices": slices,
        "slice_spec": {"seconds": 3.0, "overlap": 0.5, "n_frames": N_FRAMES},
        "split": split,
    }


def train_ours(name: str, recipe: Network, precision: str, data: dict[str, Any], epochs: int) -> Any:
    from genredag.training import train_bundle

    recipe = recipe.model_copy(update={"epochs": epochs, "patience": epochs, "batch_size": BATCH_SIZE})
    train = Train(precision=precision, threads=1, normalisation="bin")
    bundle, _, _ = train_bundle(name, recipe, train, **data, seed=0)
    return bundle.predict


def train_plain(name: str, recipe: Network, precision: str, data: dict[str, Any], epochs: int) -> Any:
    from genredag.models.assembly import build_network

    sizes = {"n_frames": N_FRAMES, "n_bins": N_BINS, "n_classes": N_CLASSES}
    model = build_network(name, recipe, **sizes, statistics=None, precision=precision)
    values = data["frames"].array.reshape(-1, N_FRAMES, N_BINS).astype(np.float32)
    labels = pd.factorize(data["split"]["genre"])[0]
    n_train = len(values) * 7 // 8
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    held_out = (values[n_train:], labels[n_train:])
    model.fit(values[:n_train], labels[:n_train], BATCH_SIZE, epochs, verbose=0, validation_data=held_out)
    return lambda x: model.predict(x, BATCH_SIZE, verbose=0)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(params: Path, name: str, kind: str, threads: int, n_slices: int) -> dict[str, Any]:
    """Return the rates of one setting; to be called in a fresh process."""
    configure_backend(threads)
    recipe = load_params(params).entry("models", name)
    with tempfile.TemporaryDirectory() as folder:
        data = make_data(Path(folder), n_slices)
        train, precision = (train_plain, "float32") if kind == "plain" else (train_ours, kind)
        train(name, recipe, precision, data, 1)  # imports Keras, starts TensorFlow
        once = seconds(lambda: train(name, recipe, precision, data, 1))
        start = time.perf_counter()
        predict = train(name, recipe, precision, data, 3)
        per_epoch = (time.perf_counter() - start - once) / 2
        values = data["frames"].array.reshape(-1, N_FRAMES, N_BINS).astype(np.float32)
    predict(values)
    return {
        "model": name,
        "kind": kind,
        "threads": threads,
        "train": n_slices * 7 / 8 / per_epoch,
        "predict": n_slices / seconds(lambda: predict(values)),
    }


def in_a_process(*arguments: object) -> dict[str, Any]:
    command = [sys.executable, __file__, "--one", json.dumps(arguments, default=str)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def table(rows: list[dict[str, Any]]) -> str:
    plain = {(r["model"], r["threads"]): r for r in rows if r["kind"] == KINDS[0]}
    lines = [
        "| model | threads | | train, slices/s | ratio | predict, slices/s | ratio |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        base = plain[row["model"], row["threads"]]
        rates = (f"{row[k]:.0f} | {row[k] / base[k]:.2f}" for k in ("train", "predict"))
        lines.append(f"| {row['model']} | {row['threads']} | {row['kind']} | {' | '.join(rates)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--models", nargs="+", default=["cnn_370k", "lstm", "crnn"])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, os.cpu_count()])
    parser.add_argument("--slices", type=int, default=256, help="slices in all, an eighth for validation")
    parser.add_argument("--output", type=Path, help="a JSON file for the figures")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(*json.loads(args.one))))
        return
    rows = [
        in_a_process(args.params, model, kind, threads, args.slices)
        for model in args.models
        for threads in args.threads
        for kind in KINDS
    ]
    print(table(rows))
    if args.output:
        write_json(args.output, rows)


if __name__ == "__main__":
    main()
