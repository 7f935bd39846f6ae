r"""The experiments of docs/best.md on copies, more features and ensembles: a shrinkage discriminant each.

All discriminants are computed from Gram matrices of standardised features, so that blocks of features are
combined by adding matrices. With `--cache`, features are computed once. Folds and intervals are those of
`learning_curves.py`; dictionaries of the k-means features are learned on the training tracks of each fold.

    python benchmarks/best_experiments.py --frames mel_train.npz mel_valid.npz --tracks tracks.csv \
        --cache features --output experiments.json
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from learning_curves import SAMPLING, artist_splits, read
from scipy.fft import rfft
from scipy.ndimage import median_filter

from genredag.evaluation.intervals import accuracy_interval, cluster_names, difference_interval
from genredag.frames import textures
from genredag.runtime.files import write_json

RATE, TOP = 11.14, 255.0  # frames per second, and the largest value of the coarse spectrograms
N_BINS, N_SHUFFLES, N_MODULATIONS = 128, 3, 984
SHRINKAGE, CLIP = 0.8, 8.0
# Frames of a patch, its whitened dimensions and centroids.
SCALES = ((1, 60, 400), (4, 240, 800), (8, 320, 800))
Grams = list[np.ndarray]


def pitched(x: np.ndarray, bins: float) -> np.ndarray:
    """Return spectrograms shifted up by `bins`; the outer bins are repeated."""
    place = np.clip(np.arange(N_BINS) - bins, 0, N_BINS - 1)
    return x[..., place.astype(int)]


def stretched(x: np.ndarray, rate: float) -> np.ndarray:
    """Return spectrograms played faster by `rate`."""
    place = np.arange(0, x.shape[1] - 1, rate)
    low, share = place.astype(int), (place % 1).astype(np.float32)[:, np.newaxis]
    return x[:, low] * (1 - share) + x[:, np.minimum(low + 1, x.shape[1] - 1)] * share


def normalised(x: np.ndarray, gain: float = 0.9, smoothing: float = 0.06) -> np.ndarray:
    """Return per-channel energy normalisation (Wang et al. 2017), as a logarithm, assuming 80 dB."""
    power = 10 ** (x / TOP * 8)
    mean = np.empty_like(power)
    mean[:, 0] = power[:, :5].mean(axis=1)
    for t in range(1, x.shape[1]):
        mean[:, t] = (1 - smoothing) * mean[:, t - 1] + smoothing * power[:, t]
    return 30 * np.log1p(power / (mean + 100) ** gain)


def magnitudes_in_bands(x: np.ndarray) -> Iterator[list[np.ndarray]]:
    """Yield each filter's mean magnitude in six bands, (n_tracks, n_frames, n_bands), of a few tracks."""
    for chunk in (x[i : i + textures.CHUNK] for i in range(0, len(x), textures.CHUNK)):
        found = dict(textures.magnitudes_in_bands(chunk))
        yield [np.swapaxes(found[centre], 1, 2) for centre in textures.centres()]


def second_order(x: np.ndarray) -> np.ndarray:
    """Return the energy of each filter's magnitude in each band by octaves of time: a second layer."""
    found = []
    for bands in magnitudes_in_bands(x):
        of_filters = []
        for band in bands:
            n, n_frames = band.shape[:2]
            power = np.abs(rfft(band - band.mean(axis=1, keepdims=True), axis=1)) ** 2 / n_frames**2
            octaves = np.add.reduceat(power, [1, 3, 6, 12, 24, 48, 100], axis=1)
            of_filters.append(np.power(octaves + 1e-8, 0.25).reshape(n, -1))
        found.append(np.concatenate(of_filters, axis=1))
    return np.concatenate(found).astype(np.float32)


def onsets(x: np.ndarray) -> np.ndarray:
    """Return the autocorrelation of onsets in six bands and in all, and its sorted values."""
    flux = np.maximum(np.diff(x, axis=1), 0)
    bands = np.linspace(0, N_BINS, 6, endpoint=False).astype(int)
    flux = np.add.reduceat(flux, bands, axis=2)
    flux = np.concatenate([flux, flux.sum(axis=2, keepdims=True)], axis=2)
    flux -= flux.mean(axis=1, keepdims=True)
    lags = np.fft.irfft(np.abs(np.fft.rfft(flux, n=1024, axis=1)) ** 2, axis=1)[:, :80]
    lags /= lags[:, :1] + 1e-6
    ordered = np.sort(lags[:, 2:80], axis=1)[:, ::-6]
    return np.concatenate([lags[:, 1:64].reshape(len(x), -1), ordered.reshape(len(x), -1)], axis=1)


def filtered(size: tuple[int, int]) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function for the median over frames (harmonic part) or over bins (percussive part)."""
    return lambda x: np.stack([median_filter(track, size) for track in x])


# Copies with another pitch or tempo, whose textures are those of the recipe.
COPIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "p+2": lambda x: pitched(x, 2),
    "p-2": lambda x: pitched(x, -2),
    "t1.1": lambda x: stretched(x, 1.1),
    "t.9": lambda x: stretched(x, 1 / 1.1),
}
PARTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "harm": filtered((9, 1)),
    "perc": filtered((1, 13)),
    "pcen": normalised,
}
OWN = {"second": second_order, "onset": onsets}


def computed(frames: np.ndarray, cache: Path) -> dict[str, np.ndarray]:
    """Return all features that need no training, from `cache` if they are there."""
    cache.mkdir(parents=True, exist_ok=True)
    makers: dict[str, Callable[[np.ndarray], np.ndarray]] = {"orig": lambda x: textures.textures(x, RATE)}
    for name, change in (COPIES | PARTS).items():
        makers[name] = lambda x, change=change: textures.textures(change(x), RATE)
    found = {}
    for name, make in (makers | OWN).items():
        file = cache / f"{name}.npy"
        if not file.is_file():
            np.save(file, make(frames))
        found[name] = np.load(file)
    return found


class Folds:
    """The folds of all shuffles, and discriminants on them."""

    def __init__(self, tracks: pd.DataFrame, first_shuffle: int = 0) -> None:
        self.tracks = tracks
        self.names, self.labels = np.unique(tracks["genre"], return_inverse=True)
        self.artists = np.unique(tracks["group"], return_inverse=True)[1]
        self.n_shuffles = N_SHUFFLES
        self.splits = list(artist_splits(tracks, self.n_shuffles, first_shuffle))

    def grams(
        self,
        make: np.ndarray | Callable[[np.ndarray], np.ndarray],
        squash: Callable[[np.ndarray], np.ndarray] = lambda scaled: np.clip(scaled, -CLIP, CLIP),
    ) -> Grams:
        """Return a Gram matrix for each fold, of features or of a function of the training rows.

        `squash` changes standardised features, (n_tracks, n_features).
        """
        found = []
        for _, train, _ in self.splits:
            values = make(train) if callable(make) else make
            spread = values[train].std(axis=0) + 1e-6
            scaled = squash((values - values[train].mean(axis=0)) / spread)
            found.append((scaled @ scaled.T / scaled.shape[1]).astype(np.float64))
        return found

    def scores(self, grams: Grams, shrinkage: float = SHRINKAGE, between: float | None = None) -> np.ndarray:
        """Return the scores (n_shuffles, n_tracks, n_classes) of a discriminant on 1,650 features.

        `between` is the weight of the covariance between artists of a genre, against that within artists.
        """
        found = np.zeros((N_SHUFFLES, len(self.labels), len(self.names)))
        for (shuffle, train, test), gram in zip(self.splits, grams, strict=True):
            learnt, tested = coordinates(gram, train, test)
            labels = self.labels[train]
            means, residuals = centred(learnt, labels, len(self.names))
            within = residuals.T @ residuals / len(train)
            trace = np.trace(within)
            if between is not None:
                key = self.artists[train] * len(self.names) + labels
                key = np.unique(key, return_inverse=True)[1]
                own = centred(learnt, key, key.max() + 1)[1]
                apart = residuals - own
                within = (1 - between) * own.T @ own + between * apart.T @ apart
                within *= trace / np.trace(within)
            within = (1 - shrinkage) * within + shrinkage * trace / 1650 * np.eye(len(within))
            weights = np.linalg.solve(within, means.T).T
            prior = np.log(np.bincount(labels) / len(train))
            found[shuffle][test] = tested @ weights.T - (weights * means).sum(axis=1) / 2 + prior
        return found

    def copied(
        self,
        original: np.ndarray,
        copies: Sequence[np.ndarray],
        *,
        learn: bool,
        test: bool,
        nuisance: float = 0,
    ) -> np.ndarray:
        """Return scores if copies of a track are trained on, averaged in tests, or their covariance added."""
        found = np.zeros((N_SHUFFLES, len(self.labels), len(self.names)))
        for shuffle, train, rows in self.splits:
            mean, spread = original[train].mean(axis=0), original[train].std(axis=0) + 1e-6
            scaled = np.stack([(values - mean) / spread for values in (original, *copies)]).astype(np.float64)
            used = scaled[:, train] if learn else scaled[:1, train]
            labels = np.tile(self.labels[train], len(used))
            means, residuals = centred(used.reshape(-1, used.shape[2]), labels, len(self.names))
            within = residuals.T @ residuals / len(residuals)
            ridge = SHRINKAGE * np.trace(within) / len(within) * np.eye(len(within))
            if nuisance:
                spoilt = (scaled[:, train] - scaled[:, train].mean(axis=0)).reshape(-1, scaled.shape[2])
                within += nuisance * spoilt.T @ spoilt / len(spoilt)
            weights = np.linalg.solve((1 - SHRINKAGE) * within + ridge, means.T).T
            tested = (scaled if test else scaled[:1])[:, rows].mean(axis=0)
            prior = np.log(np.bincount(labels) / len(labels))
            found[shuffle][rows] = tested @ weights.T - (weights * means).sum(axis=1) / 2 + prior
        return found


def coordinates(gram: np.ndarray, train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return tracks in the space that the training tracks span, (n_tracks, n_dimensions) each."""
    values, vectors = np.linalg.eigh(gram[np.ix_(train, train)])
    kept = values > 1e-6 * values[-1]
    vectors, roots = vectors[:, kept], np.sqrt(values[kept])
    return vectors * roots, gram[np.ix_(test, train)] @ (vectors / roots)


def centred(values: np.ndarray, labels: np.ndarray, n_labels: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of each label's rows, and the rows without it."""
    means = np.stack([values[labels == label].mean(axis=0) for label in range(n_labels)])
    return means, values - means[labels]


def patches(frames: np.ndarray, width: int) -> np.ndarray:
    """Return every second run of `width` frames, flat."""
    level = frames.mean(axis=(1, 2), keepdims=True)
    windows = np.lib.stride_tricks.sliding_window_view(frames - level, width, axis=1)[:, ::2]
    return windows.transpose(0, 1, 3, 2).reshape(len(frames), -1, width * N_BINS)


def dictionary_features(cut: np.ndarray, train: np.ndarray, size: int, n_centroids: int) -> np.ndarray:
    """Return mean and deviation of thresholded similarities to the centroids of spherical k-means.

    After Dieleman & Schrauwen 2013, with whitened patches of the training tracks.
    """
    rng = np.random.default_rng(0)
    sample = cut[train][:, ::5].reshape(-1, cut.shape[2])
    sample = sample[rng.permutation(len(sample))[:20000]]
    mean = sample.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov((sample - mean).T))
    values, vectors = values[::-1][:size], vectors[:, ::-1][:, :size]
    whitening = (vectors / np.sqrt(values + 0.01 * values[0])).astype(np.float32)
    units = unit((sample - mean) @ whitening)
    centroids = units[rng.permutation(len(units))[:n_centroids]].copy()
    for _ in range(5):
        nearest = (units @ centroids.T).argmax(axis=1)
        sums = np.zeros_like(centroids)
        np.add.at(sums, nearest, units)
        empty = np.linalg.norm(sums, axis=1) < 1e-3
        sums[empty] = units[rng.integers(0, len(units), empty.sum())]
        centroids = unit(sums)
    found = []
    for track in cut:
        near = np.maximum(unit((track - mean) @ whitening) @ centroids.T - 0.1, 0)
        found.append(np.concatenate([np.sqrt(near.mean(axis=0)), near.std(axis=0)]))
    return np.array(found)


def unit(rows: np.ndarray) -> np.ndarray:
    """Return rows of length 1."""
    return rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-6)


def radial(grams: Grams, gamma: float) -> Grams:
    """Return radial kernels of the same features."""
    found = []
    for gram in grams:
        square = np.diag(gram)
        found.append(np.exp(-gamma * np.maximum(square[:, np.newaxis] + square - 2 * gram, 0)))
    return found


def summed(*weighted: tuple[float, Grams]) -> Grams:
    """Return the weighted sum of Gram matrices, fold by fold."""
    return [sum(w * grams[i] for w, grams in weighted) for i in range(len(weighted[0][1]))]


def product(*weighted: tuple[float, np.ndarray]) -> np.ndarray:
    """Return the weighted sum of scores, each scaled to deviation 1."""
    return sum(weight * scores / scores.std() for weight, scores in weighted)


def experiments(
    folds: Folds, frames: np.ndarray, known: dict[str, np.ndarray]
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the name and scores of each experiment; the first is the reference."""
    original, copies = known["orig"], [known[name] for name in COPIES]
    recipe = folds.grams(original)
    base = folds.scores(recipe)
    yield "the recipe", base
    yield "trained on copies, too", folds.copied(original, copies, learn=True, test=False)
    yield "tested on copies, too", folds.copied(original, copies, learn=False, test=True)
    yield "both", folds.copied(original, copies, learn=True, test=True)
    for weight in (0.5, 2.0):
        name = f"covariance over copies of a track added, {weight:g}"
        yield name, folds.copied(original, copies, learn=False, test=False, nuisance=weight)
    for share in (0.2, 0.8):
        yield f"covariance between artists weighs {share:g}", folds.scores(recipe, between=share)
    for name in ("second", "onset", *PARTS):
        own = folds.grams(known[name])
        alone = folds.scores(own)
        yield f"{name} alone", alone
        yield f"{name} added", folds.scores(summed((1, recipe), (0.3, own)))
        yield f"product with {name}", product((1, base), (0.3, alone))
    modulations, covariances = original[:, :N_MODULATIONS], original[:, N_MODULATIONS:]
    weighted = summed((0.75, folds.grams(modulations)), (0.25, folds.grams(covariances)))
    yield "modulations weigh 0.75", folds.scores(weighted)
    for gamma in (0.1, 0.3):
        yield f"radial kernel, {gamma:g}", folds.scores(radial(recipe, gamma))
    both = folds.scores(summed((1, radial(weighted, 0.3)), (0.3, weighted)))
    yield "radial and linear kernel, modulations weigh 0.75", both
    scales = []
    for width, size, n_centroids in SCALES:
        cut = patches(frames, width)
        own = folds.grams(lambda train: dictionary_features(cut, train, size, n_centroids))  # noqa: B023
        scales.append((1 / len(SCALES), own))
        yield f"k-means of {width} frames alone", (alone := folds.scores(own, 0.6))
        yield f"product with k-means of {width} frames", product((1, base), (0.3, alone))
    learnt = folds.scores(summed(*scales), 0.6)
    yield "k-means of three scales alone", learnt
    yield "k-means of three scales added", folds.scores(summed((1, recipe), (0.1, summed(*scales))))
    yield "product with k-means of three scales", product((1, base), (0.3, learnt))
    yield "product of radial and linear kernel and k-means", product((1, both), (0.3, learnt))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=Path, nargs="+", required=True)
    parser.add_argument("--tracks", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--first-shuffle", type=int, default=0, help="3 for folds that chose nothing")
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    tracks, frames = read(args.frames, args.tracks)
    frames = frames.astype(np.float32)
    folds = Folds(tracks, args.first_shuffle)
    report(tracks, folds, experiments(folds, frames, computed(frames, args.cache)), args.output)


def run(doc: str, experiments: Callable[[Folds, np.ndarray], Iterator[tuple[str, np.ndarray]]]) -> None:
    """Run the experiments of another script, whose arguments are described in `doc`."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=Path, nargs="+", required=True)
    parser.add_argument("--tracks", type=Path, required=True)
    parser.add_argument("--first-shuffle", type=int, default=0, help="3 for the other three")
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    tracks, frames = read(args.frames, args.tracks)
    folds = Folds(tracks, args.first_shuffle)
    report(tracks, folds, experiments(folds, frames.astype(np.float32)), args.output)


def report(tracks: pd.DataFrame, folds: Folds, found: Iterator[tuple[str, np.ndarray]], output: Path) -> None:
    """Print and write the accuracy of named scores, and their difference from the first."""
    rows, reference, clusters = [], None, cluster_names(tracks)
    for name, scores in found:
        correct = scores.argmax(axis=2) == folds.labels
        mean = correct.mean(axis=0)
        reference = mean if reference is None else reference
        row = {"experiment": name, "accuracy, %": accuracy_interval(mean, clusters, **SAMPLING)}
        row["difference, points"] = difference_interval(mean, reference, clusters, **SAMPLING)
        row |= {"by_shuffle": [round(100 * float(value), 1) for value in correct.mean(axis=1)]}
        rows.append(shown(row))
        print(rows[-1], flush=True)
        write_json(output, rows)


def shown(row: dict[str, object]) -> dict[str, object]:
    """Return a row with its intervals as text, in percent."""
    values = {}
    for key, value in row.items():
        if key.startswith(("accuracy", "difference")):
            numbers = tuple(100 * end for end in (value.estimate, value.low, value.high))
            sign = "+" if key.startswith("difference") else ""
            value = f"{numbers[0]:{sign}.1f} ({numbers[1]:{sign}.1f} to {numbers[2]:{sign}.1f})"
        values[key] = value
    return values


if __name__ == "__main__":
    main()
