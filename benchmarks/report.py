"""Time to evaluate (without predicting) and to report, for a matrix of the embedded data set's size.

Predictions are simulated: 480 tracks of ten genres, three per artist, four slices per track, with an eighth
of the tracks each for validation and test. Evaluating computes metrics, tables and figures of each run.
Reporting reads all runs, bootstraps, tests every pair and writes the page, with spectrograms of three
representations.

    python benchmarks/report.py --params params.yaml --runs 12 60 --output o.json
"""

from __future__ import annotations

import argparse
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from genredag.evaluation.metrics import evaluate_predictions, tables_of_test
from genredag.evaluation.plots import run_figures, save_figure
from genredag.frames.store import Frames, FrameSpec
from genredag.params.loading import load_params
from genredag.params.schema import Params
from genredag.report.data_sets import DataSet
from genredag.report.leaderboard import all_comparisons, entries, leaderboard
from genredag.report.page import report_pages
from genredag.report.runs import read_run
from genredag.report.what_ran import WhatRan
from genredag.runtime.files import write_csv, write_json, write_parquet

GENRES = [f"genre {i}" for i in range(10)]
N_TRACKS, N_SLICES, HELD_OUT = 48, 4, 6
REPRESENTATIONS = {"stft": 216, "mel": 128, "cqt": 84}


def make_data_set() -> DataSet:
    rows = [(f"{g}.{i:02d}", g, f"{g} {i // 3}") for g in GENRES for i in range(N_TRACKS)]
    manifest = pd.DataFrame(rows, columns=["track_id", "genre", "artist"]).assign(status="ok", duration=8.0)
    manifest["path"] = manifest["track_id"] + ".flac"
    quarantine = pd.DataFrame(columns=["track_id", "genre", "reason"])
    return DataSet("synthetic", manifest, quarantine, [make_frames(manifest, r) for r in REPRESENTATIONS])


def make_frames(manifest: pd.DataFrame, representation: str) -> Frames:
    n_bins, n_frames = REPRESENTATIONS[representation], 345
    rng = np.random.default_rng(0)
    values = rng.normal(-40, 10, (n_frames * len(manifest), n_bins)).astype(np.float16)
    first = n_frames * np.arange(len(manifest))
    index = manifest[["track_id"]].assign(first_frame=first, n_frames=n_frames, duration=8.0)
    counts = (n_bins, 43.07, len(manifest), len(values))
    bins = list(np.geomspace(30, 11000, n_bins))
    spec = FrameSpec(representation, *counts, "float16", 0.0, 1.0, -80.0, "dB", bins, {}, 22050)
    return Frames(spec, index, values)


def make_predictions(manifest: pd.DataFrame, skill: float, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return simulated predictions and their split."""
    number = manifest.groupby("genre").cumcount()
    parts = np.select([number < HELD_OUT, number < 2 * HELD_OUT], ["test", "validation"], "train")
    split = manifest[["track_id", "genre", "artist"]].assign(part=parts)
    split = split.loc[split.index.repeat(N_SLICES)].reset_index(drop=True)
    split["slice"] = split.groupby("track_id").cumcount()
    held_out = split[split["part"] != "train"].reset_index(drop=True)
    logits = np.random.default_rng(seed).normal(0, 1, (len(held_out), len(GENRES)))
    logits[np.arange(len(held_out)), held_out["genre"].map(GENRES.index)] += skill
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    held_out["predicted"] = np.array(GENRES, dtype=object)[p.argmax(axis=1)]
    columns = pd.DataFrame(p.astype(np.float32), columns=[f"p_{genre}" for genre in GENRES])
    return held_out.join(columns), split


def evaluate(folder: Path, choice: dict[str, str | int], made: tuple[pd.DataFrame, pd.DataFrame]) -> Path:
    """Write the files of the stage evaluate, and those of the stage train."""
    predictions, split = made
    epoch = np.arange(1, 11)
    curves = {name: 1 / epoch for name in ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")}
    history = pd.DataFrame({"epoch": epoch, **curves})
    write_csv(folder / "history.csv", history)
    write_json(folder / "timing.json", {"seconds": 9.0, "slices_per_second": 9.0, "peak_memory_mb": 9.0})
    write_parquet(folder / "predictions.parquet", predictions)
    with zipfile.ZipFile(folder / "bundle.zip", "w") as bundle:
        bundle.writestr("bundle.json", '{"layers": []}')
    write_json(
        folder / "metrics.json",
        {**choice, "n_parameters": 9} | evaluate_predictions(predictions, split, "mean"),
    )
    tables = tables_of_test(predictions, "mean")
    for name, table in tables.items():
        write_csv(folder / f"{name}.csv", table)
    for name, figure in run_figures(tables, history, GENRES).items():
        save_figure(folder / f"{name}.png", figure)
    return folder


def report(folders: list[Path], data_set: DataSet, params: Params) -> None:
    runs = [read_run(folder) for folder in folders]
    pooled = entries(runs, params.evaluate.track_decision, params.report.n_resamples)
    leaderboard(pooled)
    all_comparisons(pooled)
    what_ran = WhatRan("", "", None, {}, "")
    report_pages(pooled, [data_set], {}, params.report, params.model_dump(), what_ran, Path())


def measure(params: Params, n_runs: int, root: Path) -> dict[str, float]:
    """Time the evaluation of `n_runs` models of increasing skill, and their report."""
    data_set = make_data_set()
    models = list(params.models)
    folders, choices, made = [], [], []
    for i in range(n_runs):
        names = {"dataset": "synthetic", "representation": list(REPRESENTATIONS)[i % 3]}
        names |= {"model": models[i // 3], "split": next(iter(params.splits))}
        choices.append({**names, "fold": 0, "seed": 42})
        made.append(make_predictions(data_set.manifest, 1 + i / n_runs, i))
        folders.append(root / str(i))
    start = time.perf_counter()
    for work in zip(folders, choices, made, strict=True):
        evaluate(*work)
    evaluated = time.perf_counter()
    report(folders, data_set, params)
    reported = time.perf_counter()
    return {"runs": n_runs, "evaluate_seconds": evaluated - start, "report_seconds": reported - evaluated}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--runs", type=int, nargs="+", default=[12, 60])
    parser.add_argument("--output", type=Path, help="JSON file for the results")
    args = parser.parse_args()
    params, rows = load_params(args.params), []
    for n_runs in args.runs:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(measure(params, n_runs, Path(folder)))
        print(", ".join(f"{name} {value:.1f}" for name, value in rows[-1].items()))
    if args.output:
        write_json(args.output, rows)


if __name__ == "__main__":
    main()
