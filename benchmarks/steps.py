"""Time of a training step of networks as they are built and as training rewrites them, in the same process.

A step takes a batch of 32 slices of 128 mel bands x 130 frames of noise. The steps of both alternate.

    python benchmarks/steps.py --models cnn_370k crnn --precisions float32 mixed_bfloat16 --output steps.json
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

from genredag.params.loading import load_params
from genredag.runtime.backend import configure_backend
from genredag.runtime.files import write_json
from genredag.runtime.logs import configure_logging
from genredag.runtime.progress import progress

Row = dict[str, str | float]
MODELS = ("cnn_370k", "crnn", "cnn_2020", "cnn2d_2018", "time_frequency", "homebrew", "cnn_103k")
PRECISIONS = ("float32", "mixed_bfloat16")
N_BINS, N_FRAMES, N_CLASSES, BATCH_SIZE = 128, 130, 10, 32


def measure(params: Path, name: str, precision: str, threads: int, n_steps: int) -> Row:
    """Return the median times of a step; call it in a new process."""
    configure_backend(threads)
    from genredag.models.assembly import build_network
    from genredag.training.rewrites import rewritten

    sizes = {"n_frames": N_FRAMES, "n_bins": N_BINS, "n_classes": N_CLASSES}
    recipe = load_params(params).entry("models", name)
    built = build_network(name, recipe, **sizes, statistics=None, precision=precision)
    networks = {"as built": built, "rewritten": rewritten(built)}
    slices = np.random.default_rng(0).normal(-40, 10, (BATCH_SIZE, N_FRAMES, N_BINS)).astype(np.float32)
    labels = np.arange(BATCH_SIZE) % N_CLASSES
    seconds: dict[str, list[float]] = {kind: [] for kind in networks}
    for network in networks.values():
        network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        for _ in range(2):
            network.train_on_batch(slices, labels)
    for _ in range(n_steps):
        for kind, network in networks.items():
            start = time.perf_counter()
            network.train_on_batch(slices, labels)
            seconds[kind].append(time.perf_counter() - start)
    before, after = (1000 * median(values) for values in seconds.values())
    row: Row = {"model": name, "precision": precision, "built_ms": before, "rewritten_ms": after}
    return row | {"times_as_fast": before / after}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--precisions", nargs="+", default=PRECISIONS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--output", type=Path, help="JSON file for the results")
    args = parser.parse_args()
    configure_logging()
    rows = []
    settings = [(name, precision) for name in args.models for precision in args.precisions]
    for name, precision in progress(settings, "networks", len(settings)):
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            rows.append(pool.submit(measure, args.params, name, precision, args.threads, args.steps).result())
    print(pd.DataFrame(rows).round(2).to_markdown(index=False))
    if args.output:
        write_json(args.output, rows)


if __name__ == "__main__":
    main()
