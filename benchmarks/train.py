"""Slices a second of training, forward passes and predicting: genredag against plain Keras, in the same run.

Plain Keras is `model.fit` on float32 arrays in memory, 32 slices a batch, with Keras' own dropout. genredag
gathers its batches from a float16 frame store. The rate of training is that of the epochs after the first,
validation included; forward is one batch again and again; predict goes over all slices. Threads are fixed
when TensorFlow starts, so each setting is a process of its own. Repeats are interleaved, and the best counts.

`--side-by-side` adds as many jobs of one thread at once as there are threads, and their sum.

    python benchmarks/train.py --models cnn_370k crnn --threads 1 4 --repeats 3 --side-by-side --output o.json
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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
WORK = ("train", "forward", "predict")
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
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
        {"track_id": "t", "first_frame": N_FRAMES * np.arange(n_slices), "n_valid": N_FRAMES, "parent": None}
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
    """Train; return the network and what predicts."""
    from genredag.training import train_bundle

    recipe = recipe.model_copy(update={"epochs": epochs, "patience": epochs, "batch_size": BATCH_SIZE})
    train = Train(precision=precision, threads=1, normalisation="bin")
    bundle, _, _ = train_bundle(name, recipe, train, **data, seed=0)
    return bundle.model, bundle.predict


def train_plain(name: str, recipe: Network, precision: str, data: dict[str, Any], epochs: int) -> Any:
    """Train as `train_ours`, with nothing of ours but the layers' sizes."""
    from genredag.models.assembly import build_network

    sizes = {"n_frames": N_FRAMES, "n_bins": N_BINS, "n_classes": N_CLASSES}
    model = build_network(name, recipe, **sizes, statistics=None, precision=precision)
    values = slices_of(data)
    labels = pd.factorize(data["split"]["genre"])[0]
    n_train = len(values) * 7 // 8
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    held_out = (values[n_train:], labels[n_train:])
    model.fit(values[:n_train], labels[:n_train], BATCH_SIZE, epochs, verbose=0, validation_data=held_out)
    return model, lambda x: model.predict(x, BATCH_SIZE, verbose=0)


def slices_of(data: dict[str, Any]) -> np.ndarray:
    return data["frames"].array.reshape(-1, N_FRAMES, N_BINS).astype(np.float32)


def measure(params: Path, name: str, kind: str, threads: int, n_slices: int, clock: str) -> dict[str, Any]:
    """Return the rates of one setting; to be called in a fresh process."""
    configure_backend(threads)
    recipe, now = load_params(params).entry("models", name), CLOCKS[clock]

    def seconds(work: Callable[[], object]) -> float:
        start = now()
        work()
        return now() - start

    with tempfile.TemporaryDirectory() as folder:
        data = make_data(Path(folder), n_slices)
        train, precision = (train_plain, "float32") if kind == "plain" else (train_ours, kind)
        train(name, recipe, precision, data, 1)  # imports Keras, starts TensorFlow
        once = seconds(lambda: train(name, recipe, precision, data, 1))
        start = now()
        model, predict = train(name, recipe, precision, data, 3)
        per_epoch = (now() - start - once) / 2
        values = slices_of(data)
    batch, n_batches = values[:BATCH_SIZE], max(1, n_slices // BATCH_SIZE)
    model.predict_on_batch(batch)
    predict(values)
    forward = seconds(lambda: [model.predict_on_batch(batch) for _ in range(n_batches)])
    return {
        **{"model": name, "kind": kind, "threads": threads, "jobs": 1},
        "train": n_slices * 7 / 8 / per_epoch,
        "forward": n_batches * len(batch) / forward,
        "predict": n_slices / seconds(lambda: predict(values)),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
    }


def in_a_process(*arguments: object) -> dict[str, Any]:
    command = [sys.executable, __file__, "--one", json.dumps(arguments, default=str)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def side_by_side(jobs: int, *arguments: object) -> dict[str, Any]:
    """Return the summed rates of so many equal jobs at once."""
    with ThreadPoolExecutor(jobs) as pool:
        rows = list(pool.map(lambda _: in_a_process(*arguments), range(jobs)))
    return {**rows[0], "jobs": jobs, **{work: sum(row[work] for row in rows) for work in WORK}}


def best(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {**rows[0], **{work: max(row[work] for row in rows) for work in WORK}}


def table(rows: list[dict[str, Any]]) -> str:
    """Return a Markdown table; ratios are to plain Keras with as many threads in all."""
    plain = {(r["model"], r["threads"]): r for r in rows if r["kind"] == KINDS[0] and r["jobs"] == 1}
    columns = " | ".join(f"{work}, slices/s | ratio" for work in WORK)
    lines = [f"| model | jobs x threads | | {columns} |", "|---|---|---" + "|---" * 2 * len(WORK) + "|"]
    for row in rows:
        base = plain.get((row["model"], row["threads"] * row["jobs"]))
        ratios = {work: f"{row[work] / base[work]:.2f}" if base else "" for work in WORK}
        rates = " | ".join(f"{row[work]:.0f} | {ratios[work]}" for work in WORK)
        lines.append(f"| {row['model']} | {row['jobs']} x {row['threads']} | {row['kind']} | {rates} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--models", nargs="+", default=["cnn_370k", "lstm", "crnn"])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, os.cpu_count()])
    parser.add_argument("--slices", type=int, default=256, help="slices in all, an eighth for validation")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--side-by-side", action="store_true", help="jobs of one thread, one a core, as well")
    parser.add_argument(
        "--clock", choices=CLOCKS, default="wall", help="cpu: for one thread on a busy machine"
    )
    parser.add_argument("--output", type=Path, help="a JSON file for the figures")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(*json.loads(args.one))))
        return
    settings = [
        (jobs, (args.params, model, kind, threads, args.slices, args.clock))
        for model in args.models
        for jobs, threads in [(1, n) for n in args.threads] + [(max(args.threads), 1)] * args.side_by_side
        for kind in KINDS
    ]
    runs = [
        [in_a_process(*one) if jobs == 1 else side_by_side(jobs, *one) for jobs, one in settings]
        for _ in range(args.repeats)
    ]
    rows = [best(list(repeats)) for repeats in zip(*runs, strict=True)]
    print(table(rows))
    if args.output:
        write_json(args.output, rows)


if __name__ == "__main__":
    main()
