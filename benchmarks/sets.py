"""How often the sets of genres hold the right genre on test tracks, by data set and split protocol.

Trains a model for each split and seed (all folds of a k-fold split), calibrates its sets on the validation
tracks, and pools the test tracks. `held` is the share of them whose set holds their genre, with a 95 %
interval by artist; `accuracy_if_unsure` and `accuracy_if_sure` show whether the size of a set says
anything; `unlike` is the share of them that is unlike the training music.

    snakemake --cores 2 data/gtzan/mel/slices.parquet
    python benchmarks/sets.py --data data/gtzan/mel --splits artist_disjoint leaky_slices --output o.json
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from genredag.evaluation.intervals import accuracy_interval, cluster_names
from genredag.evaluation.predictions import probabilities_of, track_predictions
from genredag.frames.split_slices import SplitSlices, open_sliced_frames
from genredag.params.groups.splits import n_folds
from genredag.params.loading import load_params
from genredag.params.schema import Params
from genredag.prediction.held_out import predict_split
from genredag.prediction.model_file import track_features
from genredag.prediction.trust import calibrate
from genredag.runtime.files import write_json
from genredag.runtime.logs import configure_logging
from genredag.splits.split import split_slices
from genredag.training.train import train_bundle


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, help="data/<data set>/<representation>"
    )
    parser.add_argument("--model", default="svm_rbf")
    parser.add_argument("--splits", nargs="+", default=["stratified_8_1_1", "artist_disjoint"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    configure_logging()
    params, rows = load_params(args.params), []
    for folder in args.data:
        for split in args.splits:
            found = pd.concat(tested(params, folder, args.model, split, args.seeds))
            rows.append({"data": folder.parent.name, "model": args.model, "split": split} | summary(found))
            print(pd.DataFrame(rows).to_markdown(index=False))
            write_json(args.output, rows)


def tested(params: Params, folder: Path, model: str, split: str, seeds: list[int]) -> Iterator[pd.DataFrame]:
    """Yield the test tracks of each seed and fold, with `held`, `size`, `unsure` and `unlike`."""
    data = open_sliced_frames(folder / "frames.npy", folder / "slices.parquet")
    manifest, protocol = pd.read_parquet(folder.parent / "manifest.parquet"), params.splits[split]
    for seed in seeds:
        for fold in range(n_folds(protocol)):
            table = split_slices(manifest, data.slices, protocol, seed, fold)
            yield tested_once(params, data.with_split(table), model, seed)


def tested_once(params: Params, data: SplitSlices, model: str, seed: int) -> pd.DataFrame:
    """Train, calibrate and test."""
    bundle, _, _ = train_bundle(model, params.models[model], params.train, data, seed=seed)
    tracks = track_predictions(predict_split(bundle, data), params.evaluate.track_decision)
    features = {part: track_features(data.part(part)) for part in ("train", "validation", "test")}
    found = calibrate(tracks[tracks["part"] == "validation"], features["train"], features["validation"])
    test = tracks[tracks["part"] == "test"].reset_index(drop=True)
    in_set = found.in_set(probabilities_of(test))
    right = test["genre"].to_numpy(object)[:, np.newaxis] == np.array(found.class_names, object)
    return test[["track_id", "genre", "artist", "predicted"]].assign(
        held=(in_set & right).any(axis=1),
        size=in_set.sum(axis=1),
        unsure=found.is_unsure(in_set),
        unlike=found.is_unlike(features["test"]),
        groups=found.n_groups,
    )


def summary(tracks: pd.DataFrame) -> dict[str, object]:
    """Return the figures of pooled test tracks."""
    correct = tracks["genre"] == tracks["predicted"]
    held = accuracy_interval(tracks["held"].to_numpy(), cluster_names(tracks), n_resamples=2000, seed=0)
    return {
        "test_tracks": len(tracks),
        "artists_of_validation": round(float(tracks["groups"].mean()), 1),
        "accuracy": round(float(correct.mean()), 3),
        **held.columns("held"),
        "mean_size": round(float(tracks["size"].mean()), 2),
        "unsure": round(float(tracks["unsure"].mean()), 3),
        "accuracy_if_unsure": round(float(correct[tracks["unsure"]].mean()), 3)
        if tracks["unsure"].any()
        else None,
        "accuracy_if_sure": round(float(correct[~tracks["unsure"]].mean()), 3)
        if not tracks["unsure"].all()
        else None,
        "unlike": round(float(tracks["unlike"].mean()), 3),
    }


if __name__ == "__main__":
    main()
