"""A pretrained ear against handcrafted features and networks, with the same tracks, splits and seeds.

Frames come from `snakemake --until slices`, with `matrix.representation` naming those in `ENTRIES`. Two
protocols: artists kept apart, on the genres that have enough artists; and whole tracks of all genres.
`musicnn_ft` needs `representations.musicnn.layer` to be pooled; the others were run on penultimate.
Differences are paired with the first entry. Intervals are 95 %, over artists and seeds.

    python benchmarks/pretrained_ear.py --data data/gtzan --params params.yaml --out ear.csv
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import pandas as pd

from genredag.evaluation.intervals import Interval, accuracy_interval, difference_interval
from genredag.evaluation.predictions import track_predictions
from genredag.frames.slices import cut
from genredag.frames.split_slices import SliceSpec, SplitSlices
from genredag.frames.store import open_frames
from genredag.params.groups.models import Estimator, Recipe
from genredag.params.groups.slices import Slices
from genredag.params.groups.splits import KFold
from genredag.params.loading import load_params
from genredag.params.schema import Params
from genredag.prediction.held_out import predict_split
from genredag.runtime.backend import configure_backend
from genredag.splits.split import check_split, split_slices
from genredag.training.train import train_bundle

# Representation, model, and seconds of a slice.
ENTRIES = [
    ("handcrafted", "svm_rbf", 3.0),
    ("handcrafted", "logistic_regression", 3.0),
    ("mel", "time_frequency", 3.0),
    ("mel", "lda_textures", 30.0),
    ("mel", "best", 30.0),
    ("musicnn", "svm_rbf", 3.0),
    ("musicnn", "logistic_regression", 3.0),
    ("musicnn", "mlp_embedding", 3.0),
    ("musicnn", "musicnn_ft", 3.0),
]
PROTOCOLS = {
    "artists": KFold(protocol="kfold", k=4, group_by="artist"),
    "tracks": KFold(protocol="kfold", k=10, group_by="track"),
}
N_RESAMPLES = 2000


def usable(manifest: pd.DataFrame, protocol: KFold) -> pd.DataFrame:
    """Return the tracks of genres that have an artist for each fold."""
    tracks = manifest[manifest["status"] == "ok"]
    if protocol.group_by == "artist":
        artists = tracks.groupby("genre")["artist"].nunique()
        tracks = tracks[tracks["genre"].isin(artists[artists >= protocol.k].index)]
    return tracks


def sliced(folder: Path, tracks: pd.DataFrame, seconds: float) -> SplitSlices:
    """Return slices of the frame store in `folder`, without a split."""
    frames = open_frames(folder)
    index = frames.index[frames.index["track_id"].isin(tracks["track_id"])]
    params = Slices(seconds=seconds, overlap=0.5, short_tracks="pad")
    table, summary = cut(index, frames.spec.frames_per_second, params)
    return SplitSlices(frames, table, SliceSpec.of(summary), table.iloc[:0])


def tested(
    name: str, data: SplitSlices, tracks: pd.DataFrame, protocol: KFold, seed: int, params: Params
) -> pd.DataFrame:
    """Return the track predictions of all test folds: track_id, artist, correct."""
    recipe = params.models[name]
    if protocol.group_by == "artist":
        recipe = without_search(recipe)
    found = []
    for fold in range(protocol.k):
        split = split_slices(tracks, data.slices, protocol, seed, fold)
        check_split(split, tracks, protocol)
        own = dataclasses.replace(data, split=split)
        bundle, _, _ = train_bundle(name, recipe, params.train, own, seed=seed)
        predictions = track_predictions(predict_split(bundle, own), "mean")
        found.append(predictions[predictions["part"] == "test"])
    table = pd.concat(found)
    return table.assign(correct=table["genre"] == table["predicted"], seed=seed)[
        ["track_id", "artist", "genre", "predicted", "correct", "seed"]
    ]


def without_search(recipe: Recipe) -> Recipe:
    """Return a recipe with C 1 instead of a search, for whose folds there are too few artists."""
    if not isinstance(recipe, Estimator):
        return recipe
    options = {key: 1.0 if isinstance(value, list) else value for key, value in recipe.options.items()}
    return recipe.model_copy(update={"options": options})


def compared(results: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy of each entry and its difference from the first one, with intervals."""
    rows = []
    keys = ["track_id", "seed"]
    for protocol, table in results.groupby("protocol", sort=False):
        names = list(table["entry"].unique())
        reference = table[table["entry"] == names[0]].sort_values(keys)
        for name in names:
            own = table[table["entry"] == name].sort_values(keys)
            clusters, seeds = own["artist"].fillna(own["track_id"]).to_numpy(), own["seed"].to_numpy()
            sampling = {"n_resamples": N_RESAMPLES, "seed": 0}
            ids = own["track_id"].to_numpy()
            both = (own["correct"].to_numpy(), reference["correct"].to_numpy())
            accuracy = accuracy_interval(both[0], clusters, seeds, **sampling)
            change = difference_interval(*both, clusters, ids, seeds, **sampling)
            rows.append(
                {
                    "protocol": protocol,
                    "entry": name,
                    "accuracy, %": shown(accuracy),
                    "difference, points": "reference" if name == names[0] else shown(change, "+"),
                    "by seed": ", ".join(f"{100 * v:.0f}" for v in own.groupby("seed")["correct"].mean()),
                    "tracks": own["track_id"].nunique(),
                }
            )
    return pd.DataFrame(rows)


def shown(interval: Interval, sign: str = "") -> str:
    """Return an estimate and its interval, in per cent."""
    estimate, low, high = (
        f"{100 * value:{sign}.1f}" for value in (interval.estimate, interval.low, interval.high)
    )
    return f"{estimate} ({low} to {high})"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument(
        "--out", type=Path, required=True, help="a row for each entry, track and seed; resumes"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[42, 43, 44])
    parser.add_argument("--protocols", nargs="+", choices=PROTOCOLS, default=list(PROTOCOLS))
    parser.add_argument("--models", nargs="+", help="only these")
    args = parser.parse_args()
    configure_backend(1)
    params, manifest = load_params(args.params), pd.read_parquet(args.data / "manifest.parquet")
    table = (
        pd.read_csv(args.out) if args.out.is_file() else pd.DataFrame(columns=["protocol", "entry", "seed"])
    )
    for protocol in args.protocols:
        tracks = usable(manifest, PROTOCOLS[protocol])
        for representation, model, seconds in ENTRIES:
            if args.models and model not in args.models:
                continue
            data, entry = sliced(args.data / representation, tracks, seconds), f"{model} on {representation}"
            for seed in args.seeds:
                known = table[["protocol", "entry", "seed"]].eq([protocol, entry, seed]).all(axis=1)
                if not known.any():
                    found = tested(model, data, tracks, PROTOCOLS[protocol], seed, params)
                    print(protocol, entry, seed, f"{found['correct'].mean():.3f}", flush=True)
                    table = pd.concat([table, found.assign(protocol=protocol, entry=entry)])
                    table.to_csv(args.out, index=False)
    print(compared(table).to_markdown(index=False))


if __name__ == "__main__":
    main()
