r"""The experiments of docs/best.md on other discriminants, of the features of `best`.

Each run of three shuffles takes a few minutes.

    python benchmarks/best_discriminants.py --frames mel_train.npz mel_valid.npz --tracks tracks.csv \
        --output discriminants.json
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from best_experiments import RATE, SHRINKAGE, Folds, Grams, centred, coordinates, product, run, unit
from best_limits import LIMIT, WEIGHT, limited
from best_patches import SHRINKAGE as OF_PATCHES
from scipy.special import logsumexp

from genredag.frames.patches import patches
from genredag.frames.textures import textures

N_FEATURES = 1650  # to which the shrinkage refers
FEW_TRACKS = 4  # artists with fewer share a class with those of their genre
CERTAINTY = 0.1  # of the scores of artists: a discriminant is far too certain


def shrunk(covariance: np.ndarray, shrinkage: float) -> np.ndarray:
    ridge = shrinkage * np.trace(covariance) / N_FEATURES
    return (1 - shrinkage) * covariance + ridge * np.eye(len(covariance))


def weighted(folds: Folds, grams: Grams, shrinkage: float, power: float) -> np.ndarray:
    """Return the scores of a discriminant for which a track of an artist with n tracks weighs n ** -power."""
    found = np.zeros((folds.n_shuffles, len(folds.labels), len(folds.names)))
    for (shuffle, train, test), gram in zip(folds.splits, grams, strict=True):
        learnt, tested = coordinates(gram, train, test)
        labels, artists = folds.labels[train], folds.artists[train]
        weights = np.bincount(artists)[artists] ** -power
        shares = np.eye(len(folds.names))[labels].T * weights
        means = shares @ learnt / shares.sum(axis=1, keepdims=True)
        residuals = (learnt - means[labels]) * np.sqrt(weights / weights.mean())[:, np.newaxis]
        within = shrunk(residuals.T @ residuals / len(train), shrinkage)
        directions = np.linalg.solve(within, means.T)
        level = np.log(np.bincount(labels) / len(train)) - (directions.T * means).sum(axis=1) / 2
        found[shuffle][test] = tested @ directions + level
    return found


def of_artists(folds: Folds, grams: Grams, shrinkage: float) -> np.ndarray:
    """Return the scores of genres from a discriminant that tells artists apart."""
    found = np.zeros((folds.n_shuffles, len(folds.labels), len(folds.names)))
    for (shuffle, train, test), gram in zip(folds.splits, grams, strict=True):
        learnt, tested = coordinates(gram, train, test)
        artists = folds.artists[train]
        own = np.where(np.bincount(artists)[artists] < FEW_TRACKS, -1, artists)
        classes, labels = np.unique(np.stack([folds.labels[train], own]), axis=1, return_inverse=True)
        means, residuals = centred(learnt, labels, classes.shape[1])
        directions = np.linalg.solve(shrunk(residuals.T @ residuals / len(train), shrinkage), means.T)
        level = np.log(np.bincount(labels) / len(train)) - (directions.T * means).sum(axis=1) / 2
        scores = CERTAINTY * (tested @ directions + level)
        for genre in range(len(folds.names)):
            found[shuffle][test, genre] = logsumexp(scores[:, classes[0] == genre], axis=1)
    return found


def own_covariances(folds: Folds, grams: Grams, shrinkage: float, share: float) -> np.ndarray:
    """Return the scores of a discriminant with a covariance for each genre, which weighs `share`."""
    found = np.zeros((folds.n_shuffles, len(folds.labels), len(folds.names)))
    for (shuffle, train, test), gram in zip(folds.splits, grams, strict=True):
        learnt, tested = coordinates(gram, train, test)
        labels = folds.labels[train]
        means, residuals = centred(learnt, labels, len(folds.names))
        common = shrunk(residuals.T @ residuals / len(train), shrinkage)
        for genre, mean in enumerate(means):
            own = residuals[labels == genre]
            covariance = (1 - share) * common + share * shrunk(own.T @ own / len(own), shrinkage)
            factor = np.linalg.cholesky(covariance)
            distances = np.square(np.linalg.solve(factor, (tested - mean).T)).sum(axis=0)
            prior = np.log(len(own) / len(train))
            found[shuffle][test, genre] = prior - distances / 2 - np.log(np.diag(factor)).sum()
    return found


def experiments(folds: Folds, frames: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the name and scores of each experiment; the first is the reference."""
    of_textures, of_patches = textures(frames, RATE), patches(frames, RATE)
    first, second = (folds.grams(features, limited(LIMIT)) for features in (of_textures, of_patches))
    of_first, of_second = folds.scores(first), folds.scores(second, OF_PATCHES)
    yield "the product, limit 1.5", product((1, of_first), (WEIGHT, of_second))
    for power in (0.25, 0.5, 1.0):
        both = weighted(folds, first, SHRINKAGE, power), weighted(folds, second, OF_PATCHES, power)
        yield f"tracks weigh n ** -{power:g}", product((1, both[0]), (WEIGHT, both[1]))
    both = of_artists(folds, first, SHRINKAGE), of_artists(folds, second, OF_PATCHES)
    yield "artists as classes", product((1, both[0]), (WEIGHT, both[1]))
    pairs = (1, of_first), (WEIGHT, of_second), (0.5, both[0]), (0.5 * WEIGHT, both[1])
    yield "artists and genres as classes", product(*pairs)
    for share in (0.05, 0.1, 0.2):
        own = own_covariances(folds, first, SHRINKAGE, share)
        yield f"covariances of genres weigh {share:g}", product((1, own), (WEIGHT, of_second))

    def squash(x: np.ndarray) -> np.ndarray:
        return unit(limited(2)(x))

    scores = folds.scores(folds.grams(of_textures, squash))
    of_lengths = folds.scores(folds.grams(of_patches, squash), OF_PATCHES)
    yield "limit 2, length 1", product((1, scores), (WEIGHT, of_lengths))


if __name__ == "__main__":
    run(__doc__, experiments)
