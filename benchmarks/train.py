"""Slices per second in training, forward passes and prediction: genredag against plain Keras, in one run.

Plain Keras is `model.fit` on float32 arrays in memory, with batches of 32 slices and Keras' own dropout.
genredag gathers its batches from a float16 frame store. The training rate is that of the median epoch after
the first, validation included; forward repeats one batch; predict covers all training slices. Each setting
runs in its own process. Repeats are interleaved, and the best one counts.

On one processor (`taskset -c 0`), plain Keras often waits at the end of an epoch, for a time that depends on
its length (docs/decisions/training.md): give several `--tracks`.

`--side-by-side` also runs one single-threaded job per thread at the same time and reports the sum of their
rates; each timed part begins when all jobs have reached it.
`--memory` measures the peak memory of training in such a process instead.

    python benchmarks/train.py --models cnn_370k crnn --threads 1 4 --repeats 3 --side-by-side --output o.json
    taskset -c 0 python benchmarks/train.py --threads 1 --kinds plain float32 --tracks 16 24 32 40 48
    python benchmarks/train.py --models cnn_370k crnn --threads 4 --tracks 1000 --memory
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from genredag.frames.split_slices import SliceSpec, SplitSlices
from genredag.frames.store import Frames, FrameSpec
from genredag.params.groups.models import Network, Train
from genredag.params.loading import load_params
from genredag.runtime.backend import configure_backend
from genredag.runtime.files import write_json
from genredag.runtime.logs import configure_logging
from genredag.runtime.progress import progress

if TYPE_CHECKING:
    import keras

    # A network and its prediction function.
    Trained = tuple[keras.Model, Callable[[np.ndarray], np.ndarray]]

Row = dict[str, str | int | float]
KINDS = ("plain", "float32", "mixed_bfloat16")
WORK = ("train", "forward", "predict")
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
N_BINS, N_FRAMES, N_CLASSES, BATCH_SIZE = 128, 130, 10, 32
TRACK_FRAMES, TRACK_SLICES, HOP_FRAMES = 1292, 19, 64  # 30 s, in slices of 3 s that overlap by half


def make_data(folder: Path, n_tracks: int) -> SplitSlices:
    """Return data for `train_bundle`: tracks of 30 s of noise, on disk; every eighth track validates."""
    rng = np.random.default_rng(0)
    shape = (n_tracks * TRACK_FRAMES, N_BINS)
    array = np.lib.format.open_memmap(folder / "frames.npy", "w+", np.float16, shape)
    for start in range(0, len(array), TRACK_FRAMES):  # one track at a time: peak memory is measured
        array[start : start + TRACK_FRAMES] = rng.normal(-40, 10, (TRACK_FRAMES, N_BINS))
    array.flush()
    del array
    spec = FrameSpec(
        *("mel", N_BINS, 43.07, n_tracks, shape[0], "float16", 0.0, 1.0, -80.0, "dB"),
        bins=list(range(N_BINS)),
        params={},
        sr=22050,
    )
    tracks = pd.DataFrame({"track": np.repeat(np.arange(n_tracks), TRACK_SLICES)})
    starts = np.tile(HOP_FRAMES * np.arange(TRACK_SLICES), n_tracks)
    slices = pd.DataFrame(
        {
            "track_id": tracks["track"].map("track{:04d}".format),
            "first_frame": TRACK_FRAMES * tracks["track"] + starts,
            "n_valid": N_FRAMES,
            "parent": None,
        }
    )
    split = pd.DataFrame(
        {
            "track_id": slices["track_id"],
            "genre": (tracks["track"] % N_CLASSES).map("genre{}".format),
            "part": np.where(tracks["track"] % 8 == 7, "validation", "train"),
        }
    )
    return SplitSlices(
        frames=Frames(spec, pd.DataFrame(), np.load(folder / "frames.npy", mmap_mode="r")),
        slices=slices,
        spec=SliceSpec(seconds=3.0, overlap=0.5, n_frames=N_FRAMES),
        split=split,
    )


def train_ours(name: str, recipe: Network, precision: str, data: SplitSlices, epochs: int) -> Trained:
    """Train with genredag; return the network and its prediction function."""
    from genredag.training.train import train_bundle

    recipe = recipe.model_copy(update={"epochs": epochs, "patience": epochs, "batch_size": BATCH_SIZE})
    train = Train(precision=precision, threads=1, normalisation="bin")
    bundle, _, _ = train_bundle(name, recipe, train, data, seed=0)
    return bundle.model, bundle.predict


def train_plain(name: str, recipe: Network, precision: str, data: SplitSlices, epochs: int) -> Trained:
    """Train with plain Keras; only the architecture is genredag's."""
    from genredag.models.assembly import build_network

    sizes = {"n_frames": N_FRAMES, "n_bins": N_BINS, "n_classes": N_CLASSES}
    model = build_network(name, recipe, **sizes, statistics=None, precision=precision)
    parts = [data.split["part"] == part for part in ("train", "validation")]
    labels = pd.factorize(data.split["genre"])[0]
    (values, held_out), (labels, held_out_labels) = zip(
        *((slices_of(data, part), labels[part]) for part in parts), strict=True
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(values, labels, BATCH_SIZE, epochs, verbose=0, validation_data=(held_out, held_out_labels))
    return model, lambda x: model.predict(x, BATCH_SIZE, verbose=0)


def slices_of(data: SplitSlices, part: pd.Series) -> np.ndarray:
    """Return the slices of a part in memory, (n_slices, n_frames, n_bins), float32."""
    array, first = data.frames.array, data.slices["first_frame"][part]
    return np.stack([array[start : start + N_FRAMES] for start in first]).astype(np.float32)


@contextmanager
def timed_epochs(now: Callable[[], float]) -> Iterator[list[float]]:
    """Yield a list that collects the seconds of each epoch, with its validation and checkpoint."""
    import keras

    fit, seconds = keras.Model.fit, []

    def watched(
        model: keras.Model, *args: object, callbacks: Sequence[object] = (), **options: object
    ) -> keras.callbacks.History:
        starts: list[float] = []
        watch = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda *_: starts.append(now()),
            on_epoch_end=lambda *_: seconds.append(now() - starts[-1]),
        )
        return fit(model, *args, callbacks=[*callbacks, watch], **options)

    keras.Model.fit = watched
    try:
        yield seconds
    finally:
        keras.Model.fit = fit


def share_barrier(shared: Barrier) -> None:
    """Set the barrier at which the simultaneous jobs wait for each other; initialises each process."""
    global barrier
    barrier = shared


def measure(params: Path, name: str, kind: str, threads: int, n_tracks: int, clock: str) -> Row:
    """Return the rates of one setting; call it in a new process."""
    configure_backend(threads, keep_memory=kind != "plain")
    recipe, now = load_params(params).entry("models", name), CLOCKS[clock]

    def seconds(work: Callable[[], object]) -> float:
        barrier.wait()
        start = now()
        work()
        return now() - start

    with tempfile.TemporaryDirectory() as folder:
        data = make_data(Path(folder), n_tracks)
        train, precision = (train_plain, "float32") if kind == "plain" else (train_ours, kind)
        with timed_epochs(now) as epochs:
            barrier.wait()
            model, predict = train(name, recipe, precision, data, 4)
        is_training = data.split["part"] == "train"
        values = slices_of(data, is_training)
    batch, n_batches = values[:BATCH_SIZE], max(1, len(values) // BATCH_SIZE)
    model.predict_on_batch(batch)
    predict(values)
    forward = seconds(lambda: [model.predict_on_batch(batch) for _ in range(n_batches)])
    return {
        **{"model": name, "kind": kind, "tracks": n_tracks, "threads": threads, "jobs": 1},
        "train": len(values) / statistics.median(epochs[1:]),
        "forward": n_batches * len(batch) / forward,
        "predict": len(values) / seconds(lambda: predict(values)),
    }


def measure_memory(params: Path, name: str, kind: str, threads: int, n_tracks: int, _: str) -> Row:
    """Return the peak memory of training for one epoch; call it in a new process."""
    configure_backend(threads, keep_memory=kind != "plain")
    recipe = load_params(params).entry("models", name)
    with tempfile.TemporaryDirectory() as folder:
        data = make_data(Path(folder), n_tracks)
        train, precision = (train_plain, "float32") if kind == "plain" else (train_ours, kind)
        train(name, recipe, precision, data, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"model": name, "kind": kind, "threads": threads, "tracks": n_tracks, "peak_memory_gib": peak}


def in_processes(jobs: int, measurement: Callable[..., Row], *arguments: object) -> list[Row]:
    """Call a function in `jobs` new processes at once; TensorFlow fixes its threads when it starts."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, spawn, share_barrier, (spawn.Barrier(jobs),)) as pool:
        calls = [pool.submit(measurement, *arguments) for _ in range(jobs)]
        return [call.result() for call in calls]


def rates(jobs: int, *arguments: object) -> Row:
    """Return the sum of the rates of `jobs` simultaneous, equal jobs."""
    rows = in_processes(jobs, measure, *arguments)
    return {**rows[0], "jobs": jobs, **{work: sum(row[work] for row in rows) for work in WORK}}


def best(rows: list[Row]) -> Row:
    return {**rows[0], **{work: max(row[work] for row in rows) for work in WORK}}


def table(rows: list[Row]) -> str:
    """Return a Markdown table; ratios are relative to plain Keras with the same total number of threads."""
    plain = {
        (r["model"], r["tracks"], r["threads"]): r for r in rows if r["kind"] == KINDS[0] and r["jobs"] == 1
    }
    columns = " | ".join(f"{work}, slices/s | ratio" for work in WORK)
    lines = [f"| model | tracks | jobs x threads | | {columns} |"]
    lines.append("|---|---|---|---" + "|---" * 2 * len(WORK) + "|")
    for row in rows:
        base = plain.get((row["model"], row["tracks"], row["threads"] * row["jobs"]))
        ratios = {work: f"{row[work] / base[work]:.2f}" if base else "" for work in WORK}
        rates = " | ".join(f"{row[work]:.0f} | {ratios[work]}" for work in WORK)
        setting = f"{row['model']} | {row['tracks']} | {row['jobs']} x {row['threads']} | {row['kind']}"
        lines.append(f"| {setting} | {rates} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--models", nargs="+", default=["cnn_370k", "lstm", "crnn"])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, os.cpu_count()])
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument(
        "--tracks", type=int, nargs="+", default=[16], help="tracks of 30 s (19 slices); an eighth validates"
    )
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--side-by-side", action="store_true", help="also run one-thread jobs at once")
    parser.add_argument(
        "--clock", choices=CLOCKS, default="wall", help="use cpu to measure one thread on a busy machine"
    )
    parser.add_argument("--memory", action="store_true", help="measure peak memory of one epoch, not rates")
    parser.add_argument("--output", type=Path, help="JSON file for the results")
    args = parser.parse_args()
    configure_logging()
    settings = [
        (jobs, (args.params, model, kind, threads, n_tracks, args.clock))
        for model in args.models
        for n_tracks in args.tracks
        for jobs, threads in [(1, n) for n in args.threads] + [(max(args.threads), 1)] * args.side_by_side
        for kind in args.kinds
    ]
    if args.memory:
        rows = [in_processes(1, measure_memory, *one)[0] for jobs, one in settings if jobs == 1]
        print(pd.DataFrame(rows).round(2).to_markdown(index=False))
    else:
        runs = [
            [rates(jobs, *one) for jobs, one in progress(settings, f"repeat {i + 1}", len(settings))]
            for i in range(args.repeats)
        ]
        rows = [best(list(repeats)) for repeats in zip(*runs, strict=True)]
        print(table(rows))
    if args.output:
        write_json(args.output, rows)


if __name__ == "__main__":
    main()
