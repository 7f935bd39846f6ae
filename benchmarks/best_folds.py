r"""Cross-validation of whole recipes as `genredag fit` trains them, with artists kept apart.

Of each fold's training tracks, 15 % are set aside for validation, by whole artists; then estimators learn
from all training tracks. Before that, they are shown as `set aside`. For an ensemble, its members are shown,
too, and products of them with other weights. The first model is the reference of the differences.
Probabilities of each fold are kept in `--cache`, so that a stopped run continues.

    python benchmarks/best_folds.py --frames mel_train.npz mel_valid.npz --tracks tracks.csv \
        --models lda_textures:30 best:30 --shuffles 6 --cache folds --output folds.json

With `--held-out`, the first file of frames is trained on and the second is for validation, whose accuracy is
shown, with several `--seeds`. With `--tracks-apart`, the splits are random and stratified, 8:1:1, and artists
are on both sides.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from learning_curves import SAMPLING, artist_splits, errors, random_splits

from genredag.bundles.bundle import Bundle
from genredag.bundles.ensemble import EnsembleBundle, product
from genredag.evaluation.intervals import accuracy_interval, cluster_names, difference_interval
from genredag.frames.batches import SliceSet
from genredag.frames.split_slices import SlicedFrames
from genredag.prediction.fitting_frames import (
    TRAIN,
    VALIDATION,
    Settings,
    build_manifest,
    cut_frames,
    part_of_tracks,
    read_settings,
    split_by,
)
from genredag.prediction.refitting import refitted
from genredag.project.catalogue_listing import params_file
from genredag.runtime.backend import configure_backend
from genredag.runtime.files import write_json
from genredag.tracks.artists import artist_groups
from genredag.training.ensembles import predicted
from genredag.training.train import train_bundle

TEST = "test"
WEIGHTS = (0.3, 0.4, 0.5, 0.6, 0.7)
# Class probabilities (n_tracks, n_classes) by experiment.
Scores = dict[str, np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=Path, nargs=2, required=True)
    parser.add_argument("--tracks", type=Path, required=True)
    parser.add_argument("--models", nargs="+", default=["lda_textures:30", "best:30"], help="model:seconds")
    parser.add_argument("--first-shuffle", type=int, default=0)
    parser.add_argument("--shuffles", type=int, default=1)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--tracks-apart", action="store_true")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--errors", type=Path, help="genres confused and artists, of the last model")
    args = parser.parse_args()
    configure_backend(1)
    args.cache.mkdir(parents=True, exist_ok=True)
    tables = []
    for entry in args.models:
        model, seconds = entry.split(":")
        settings = read_settings(params_file(), model)
        files = dict(zip((TRAIN, VALIDATION), args.frames, strict=True))
        manifest = build_manifest(files, args.tracks, settings)
        recipe = hashlib.sha256(settings.recipe.model_dump_json().encode()).hexdigest()[:8]
        own: dict[str, list[pd.DataFrame]] = {}
        with TemporaryDirectory() as folder:
            sliced = cut_frames(manifest, settings, Path(folder), float(seconds))
            for name, part, seed in splits(manifest, args):
                file = args.cache / f"{model}-{seconds}-{name}-{recipe}.parquet"
                if not file.is_file():
                    again = not (args.held_out or args.tracks_apart)
                    out_of_fold(model, settings, sliced, manifest, part, seed, again).to_parquet(file)
                for state, table in pd.read_parquet(file).groupby("state", sort=False):
                    shown = f"{entry}{state}"
                    own.setdefault(shown, []).append(table.assign(model=shown, split=name))
        tables += [table for state in own.values() for table in state]
        write_json(args.output, compared(pd.concat(tables), manifest))
    if args.errors:
        found = pd.concat(tables)
        write_json(args.errors, errors(predictions(found[found["model"] == args.models[-1]], manifest)))


def splits(manifest: pd.DataFrame, args: argparse.Namespace) -> Iterator[tuple[str, pd.Series, int]]:
    """Yield a name, the part of each track, and a seed."""
    if args.held_out:
        part = pd.Series(manifest["subset"].to_numpy(object), manifest["track_id"].to_numpy())
        yield from ((f"held-out-{seed}", part, seed) for seed in args.seeds)
        return
    group = artist_groups(manifest["artist"]).fillna("unknown: " + manifest["track_id"])
    tracks = manifest.assign(group=group.to_numpy())
    if args.tracks_apart:
        for shuffle, train, test in random_splits(tracks):
            held = np.setdiff1d(np.arange(len(tracks)), [*train, *test])
            rows = {TRAIN: train, VALIDATION: held, TEST: test}
            parts = [pd.Series(part, tracks["track_id"].iloc[own]) for part, own in rows.items()]
            yield f"random_{shuffle}-0", pd.concat(parts), shuffle
        return
    for i, (shuffle, train, test) in enumerate(artist_splits(tracks, args.shuffles, args.first_shuffle)):
        inner = part_of_tracks(tracks.iloc[train].assign(subset=TRAIN), shuffle)
        outer = pd.Series(TEST, tracks["track_id"].iloc[test])
        yield f"{args.first_shuffle + shuffle}-{i % 5}", pd.concat([inner, outer]), shuffle


def out_of_fold(
    model: str,
    settings: Settings,
    sliced: SlicedFrames,
    manifest: pd.DataFrame,
    part: pd.Series,
    seed: int,
    again: bool,
) -> pd.DataFrame:
    """Train on the training part; return the slices held out, with the probabilities of each bundle.

    With `again`, there are also those before the validation part was learned from.
    """
    started, data = time.process_time(), split_by(sliced, manifest, part)
    bundle, _, _ = train_bundle(model, settings.recipe, settings.train, data, seed=seed)
    states = {"": refitted(bundle, data), ", set aside": bundle} if again else {"": bundle}
    print(f"{model}: {time.process_time() - started:.0f} s of CPU", flush=True)
    tested = TEST if TEST in set(part) else VALIDATION
    slices = data.part(tested, class_names=bundle.class_names)
    return pd.concat([probabilities(own, slices, seed).assign(state=state) for state, own in states.items()])


def probabilities(bundle: Bundle | EnsembleBundle, slices: SliceSet, seed: int) -> pd.DataFrame:
    """Return the slices with the probabilities of each member of a bundle, and its weight."""
    members = bundle.members if isinstance(bundle, EnsembleBundle) else [bundle]
    copies: dict[str, int] = {}
    columns = {"track_id": slices.track_ids, "seed": seed}
    for member, weight in zip(members, bundle.info.get("weights", [1.0]), strict=True):
        of_model = member.info["model"]
        copies[of_model] = copies.get(of_model, 0) + 1
        for genre, values in zip(bundle.class_names, predicted(member, slices).T, strict=True):
            columns[f"{of_model}/{copies[of_model]}/{genre}"] = values
        columns[f"{of_model}/{copies[of_model]}/weight"] = weight
    return pd.DataFrame(columns)


def experiments(table: pd.DataFrame, genres: list[str]) -> Scores:
    """Return the probabilities of tracks (in order of track_id) of a model and of parts of it."""
    keys = list(dict.fromkeys(c.rsplit("/", 1)[0] for c in table.columns if c.endswith("/weight")))
    keys = [key for key in keys if table[f"{key}/weight"].notna().all()]
    model, own = (
        table["model"].iloc[0],
        {key: table[[f"{key}/{g}" for g in genres]].to_numpy() for key in keys},
    )

    def by_track(values: np.ndarray) -> np.ndarray:
        return pd.DataFrame(values).groupby(table["track_id"].to_numpy()).mean().to_numpy()

    if len(keys) == 1:
        return {model: by_track(own[keys[0]])}
    weights = table[[f"{key}/weight" for key in keys]].to_numpy()
    found = {model: by_track(_weighted(own, weights))}
    names = list(dict.fromkeys(key.split("/")[0] for key in keys))
    for name in names:
        copies = [values for key, values in own.items() if key.split("/")[0] == name]
        for n in range(1, len(copies) + 1):
            found[f"{model}: {name} alone, copies: {n}"] = by_track(product(copies[:n], [1 / n] * n))
    first, others = own[keys[0]], [own[key] for key in keys[1:]]
    for n in range(1, len(others) + 1):
        for weight in WEIGHTS:
            both = product([first, *others[:n]], [1 - weight, *[weight / n] * n])
            found[f"{model}: {keys[0].split('/')[0]} and {n} of the others, weight {weight}"] = by_track(both)
    return found


def predictions(table: pd.DataFrame, manifest: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each track and run of a model: its track_id, genre, artist and predicted genre."""
    known = manifest.set_index("track_id")
    genres, found = np.array(sorted(known["genre"].unique())), []
    for run in _runs(table):
        rows = known.loc[sorted(run["track_id"].unique()), ["genre", "artist"]].reset_index()
        scores = next(iter(experiments(run, list(genres)).values()))
        found.append(rows.assign(predicted=genres[scores.argmax(axis=1)]))
    return pd.concat(found)


def _runs(table: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the rows of a model by shuffle, or by seed if they are held out."""
    split = table["split"].str.rsplit("-", n=1).str
    name = split[1] if table["split"].iloc[0].startswith("held") else split[0]
    return [run for _, run in table.groupby(name)]


def _weighted(own: Scores, weights: np.ndarray) -> np.ndarray:
    """Return the product as trained: the weights differ by fold."""
    found = np.empty_like(next(iter(own.values())))
    for row in np.unique(weights, axis=0):
        here = (weights == row).all(axis=1)
        found[here] = product([values[here] for values in own.values()], list(row))
    return found


def compared(table: pd.DataFrame, manifest: pd.DataFrame) -> list[dict[str, object]]:
    """Return and print the accuracy of each experiment and its difference from the first."""
    known = manifest.set_index("track_id")
    genres = sorted(known["genre"].unique())
    rows, reference = [], None
    for _, own in table.groupby("model", sort=False):
        runs = _runs(own)
        pieces = [experiments(run, genres) for run in runs]
        ids = [sorted(run["track_id"].unique()) for run in runs]
        tracks = known.loc[np.concatenate(ids)].reset_index()
        right = tracks["genre"].map(genres.index).to_numpy()
        for name in pieces[0]:
            correct = np.concatenate([piece[name] for piece in pieces]).argmax(axis=1) == right
            row: dict[str, object] = {"experiment": name}
            row |= accuracy_interval(correct, cluster_names(tracks), **SAMPLING).columns("accuracy")
            if reference is None:
                reference = correct
            elif len(correct) == len(reference):
                pair = (correct, reference, cluster_names(tracks), tracks["track_id"].to_numpy())
                row |= difference_interval(*pair, **SAMPLING).columns("difference")
            rows.append(row)
    print(pd.DataFrame(rows).round(1).to_markdown(index=False), flush=True)
    return rows


if __name__ == "__main__":
    main()
