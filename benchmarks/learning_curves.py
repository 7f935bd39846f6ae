r"""Accuracy by the number of training tracks, from precomputed frames, and where the last model errs.

Cross-validation with 5 folds and artists kept apart; a track of unknown artist is another artist. A
share of the training tracks is drawn artist by artist, the same for each model. `--tracks-apart` measures 10
random stratified splits 8:1:1 of whole tracks instead, where artists are on both sides. Intervals are 95 %
bootstrap intervals over artists. Estimators and ensembles of them only: their features are computed once. An
ensemble is not calibrated: it adds the weighted scores of its members, each scaled to deviation 1. Of a list
of options, the second is used, without a search.

    python benchmarks/learning_curves.py --frames mel_train.npz mel_valid.npz --tracks tracks.csv \
        --models svm_rbf:10 lda_textures:30 best:30 \
        --output curves.json --figure curves.svg --errors errors.json
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedShuffleSplit

from genredag.audits.learning_curves.shares import drawn
from genredag.evaluation.intervals import accuracy_interval, cluster_names, difference_interval
from genredag.frames.features import choose, features
from genredag.models.registry import learner
from genredag.params.groups.models import Ensemble, Estimator
from genredag.params.loading import load_params
from genredag.params.schema import Params
from genredag.runtime.files import write_json
from genredag.tracks.artists import artist_groups
from genredag.tracks.precomputed import load_spectrograms

SHARES = (0.25, 0.5, 1.0)
N_FOLDS, N_RANDOM = 5, 10
TRACK_SECONDS = 30.0
SAMPLING = {"n_resamples": 2000, "seed": 0}
Split = tuple[int, np.ndarray, np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--params", type=Path, default=Path("params.yaml"))
    parser.add_argument("--frames", type=Path, nargs="+", required=True)
    parser.add_argument("--tracks", type=Path, required=True)
    parser.add_argument(
        "--models",
        nargs="+",
        default=["svm_rbf:10", "lda_textures:30", "best:30"],
        help="model:slice seconds",
    )
    parser.add_argument("--shuffles", type=int, default=3)
    parser.add_argument("--tracks-apart", action="store_true")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--errors", type=Path, help="genres confused and artists, of the last model")
    args = parser.parse_args()
    params = load_params(args.params)
    tracks, frames = read(args.frames, args.tracks)
    found = []
    for entry in args.models:
        model, seconds = entry.split(":")
        members = [
            Scorer(name, recipe, weight, *slice_features(recipe, frames, float(seconds)))
            for name, recipe, weight in members_of(params, model)
        ]
        for share in (1.0,) if args.tracks_apart else SHARES:
            splits = random_splits(tracks) if args.tracks_apart else artist_splits(tracks, args.shuffles)
            found.append(tested(members, tracks, splits, share).assign(model=model, share=share))
            print(curve(pd.concat(found)).to_markdown(index=False), flush=True)
    table = pd.concat(found)
    write_json(args.output, [row.dropna().to_dict() for _, row in curve(table).iterrows()])
    if args.errors:
        write_json(args.errors, errors(table[(table["model"] == model) & (table["share"] == 1)]))
    if args.figure:
        draw(curve(table), args.figure)


def read(files: list[Path], listed: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """Return tracks (track_id, genre, artist, cluster) and their frames (n_tracks, n_frames, n_bins)."""
    parts = [load_spectrograms(file) for file in files]
    ids = [track_id for part, _ in parts for track_id in part]
    table = pd.read_csv(listed).drop_duplicates("track_id").set_index("track_id")
    tracks = table.loc[ids, ["genre", "artist"]].reset_index()
    group = artist_groups(tracks["artist"]).fillna("unknown: " + tracks["track_id"])
    return tracks.assign(group=group), np.concatenate([frames for _, frames in parts])


def members_of(params: Params, model: str) -> list[tuple[str, Estimator, float]]:
    """Return the estimators that a model consists of, with their recipes and weights."""
    recipe = params.models[model]
    if isinstance(recipe, Ensemble):
        members = [(name, member.recipe, member.weight) for name, member in recipe.members.items()]
    else:
        members = [(model, recipe, 1.0)]
    for name, own, _ in members:
        if not isinstance(own, Estimator):
            raise SystemExit(f"{name} is not an estimator")
    return members


def slice_features(recipe: Estimator, frames: np.ndarray, seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the features of slices that overlap by half, and the row of each slice's track."""
    n_frames = frames.shape[1]
    length = min(n_frames, round(n_frames * seconds / TRACK_SECONDS))
    starts = range(0, n_frames - length + 1, max(1, length // 2))
    slices = np.concatenate([frames[:, start : start + length] for start in starts]).astype(np.float32)
    bins: list[float | str] = list(map(float, range(frames.shape[2])))
    values = features(slices, bins, choose(recipe.features, bins), None, n_frames / TRACK_SECONDS)
    return values, np.tile(np.arange(len(frames)), len(starts))


@dataclass(frozen=True)
class Scorer:
    """A model or a member, with the features of all slices and the row of each slice's track."""

    name: str
    recipe: Estimator
    weight: float
    values: np.ndarray
    of_track: np.ndarray

    def scores(
        self, genres: np.ndarray, train: np.ndarray, test: np.ndarray, seed: int, is_member: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Learn from the tracks in rows `train`; return classes and the mean scores of those in `test`.

        Scores are probabilities if a model that is no member of an ensemble has them.
        """
        options = {name: v[1] if isinstance(v, list) else v for name, v in self.recipe.options.items()}
        learns, slices = np.isin(self.of_track, train), np.isin(self.of_track, test)
        fitted = learner(self.name).build(**options, seed=seed)
        fitted.fit(self.values[learns], genres[self.of_track[learns]])
        has_probabilities = hasattr(fitted, "predict_proba") and not is_member
        score = fitted.predict_proba if has_probabilities else fitted.decision_function
        means = pd.DataFrame(score(self.values[slices])).groupby(self.of_track[slices]).mean().loc[test]
        return np.asarray(fitted.classes_), means.to_numpy()


def artist_splits(tracks: pd.DataFrame, n_shuffles: int, first: int = 0) -> Iterator[Split]:
    """Yield shuffle, training rows and test rows of every fold, artists apart."""
    for shuffle in range(n_shuffles):
        folds = StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=first + shuffle)
        for train, test in folds.split(tracks, tracks["genre"], tracks["group"]):
            yield shuffle, train, test


def random_splits(tracks: pd.DataFrame) -> Iterator[Split]:
    """Yield 8:1:1 splits of whole tracks, without the tenth for validation, which estimators don't need."""
    for shuffle in range(N_RANDOM):
        halves = StratifiedShuffleSplit(1, train_size=0.8, test_size=0.1, random_state=shuffle)
        train, test = next(halves.split(tracks, tracks["genre"]))
        yield shuffle, train, test


def tested(
    members: Sequence[Scorer], tracks: pd.DataFrame, splits: Iterator[Split], share: float
) -> pd.DataFrame:
    """Return a row for each test track of each split: its track, shuffle, and prediction."""
    rows, genres = [], tracks["genre"].to_numpy(str)
    for shuffle, train, test in splits:
        chosen = drawn(tracks.iloc[train], share, shuffle)
        total = np.zeros((len(test), len(np.unique(genres))))
        for member in members:
            classes, scores = member.scores(genres, train[chosen], test, shuffle, len(members) > 1)
            if scores.shape[1] != len(classes):
                raise SystemExit("three genres or more are needed")
            centred = scores - scores.mean(axis=1, keepdims=True)
            total += member.weight * centred / centred.std()
        predicted = classes[total.argmax(axis=1)]
        found = tracks.iloc[test].assign(shuffle=shuffle, n_training=chosen.sum(), predicted=predicted)
        rows.append(found)
    return pd.concat(rows)


def curve(table: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy of each model and share, and its difference from the first model at that share."""
    found, reference = [], table["model"].iloc[0]
    table = table.assign(correct=table["predicted"] == table["genre"])
    for (model, share), own in table.groupby(["model", "share"], sort=False):
        own = own.sort_values(["shuffle", "track_id"])
        clusters = cluster_names(own)
        row = {"model": model, "share": share, "tracks": round(own["n_training"].mean())}
        row |= accuracy_interval(own["correct"].to_numpy(), clusters, **SAMPLING).columns("accuracy")
        row["by_shuffle"] = [round(100 * v, 1) for v in own.groupby("shuffle")["correct"].mean()]
        if model != reference:
            base = table[(table["model"] == reference) & (table["share"] == share)]
            base = base.sort_values(["shuffle", "track_id"])
            pair, ids = (own["correct"].to_numpy(), base["correct"].to_numpy()), own["track_id"].to_numpy()
            row |= difference_interval(*pair, clusters, ids, **SAMPLING).columns("difference")
        found.append(row)
    return pd.DataFrame(found)


def errors(table: pd.DataFrame) -> dict[str, object]:
    """Return the shares of predictions by genre, in percent, and the artists that are most often wrong."""
    correct = table["predicted"] == table["genre"]
    shares = pd.crosstab(table["genre"], table["predicted"], normalize="index").mul(100).round(1)
    known = table.assign(correct=correct).dropna(subset="artist").groupby(["genre", "artist"])
    artists = known.agg(tracks=("track_id", "nunique"), wrong=("correct", lambda c: 1 - c.mean()))
    artists["lost"] = (artists["wrong"] * artists["tracks"]).round(1)
    by_knowledge = correct.groupby(np.where(table["artist"].isna(), "unknown", "known")).mean()
    worst = artists.sort_values("lost", ascending=False).head(20).round(2).reset_index()
    always = correct.groupby(table["track_id"]).max()
    return {
        "predicted": shares.to_dict("index"),
        "artists": worst.to_dict("records"),
        "accuracy_by_artist": by_knowledge.mul(100).round(1).to_dict(),
        "never_right": sorted(always.index[~always]),
    }


def draw(table: pd.DataFrame, path: Path) -> None:
    """Draw accuracy over the number of training tracks, a line with bars for each model."""
    from matplotlib.figure import Figure

    axes = (figure := Figure(figsize=(6, 4), layout="constrained")).subplots()
    for model, own in table.groupby("model", sort=False):
        bounds = [own["accuracy"] - own["accuracy_low"], own["accuracy_high"] - own["accuracy"]]
        axes.errorbar(own["tracks"], own["accuracy"], bounds, marker="o", capsize=3, label=str(model))
    axes.set(xlabel="training tracks", ylabel="accuracy on other artists, %", xscale="log")
    axes.set_xticks(sorted(set(table["tracks"])))
    axes.set_xticks([], minor=True)
    axes.xaxis.set_major_formatter("{x:.0f}")
    axes.legend()
    figure.savefig(path)


if __name__ == "__main__":
    main()
