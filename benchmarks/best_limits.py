r"""The experiments of docs/best.md on squashed features: discriminants, as in `best_experiments.py`.

Each run of three shuffles takes two minutes.

    python benchmarks/best_limits.py --frames mel_train.npz mel_valid.npz --tracks tracks.csv \
        --output limits.json
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from best_experiments import RATE, Folds, filtered, product, radial, run, unit
from best_patches import SHRINKAGE as OF_PATCHES
from scipy.stats import norm, rankdata

from genredag.frames.patches import patches
from genredag.frames.textures import textures

# As in `best`: the limit in standard deviations, and the weight of patches against textures.
LIMIT, WEIGHT = 1.5, 0.35
Squash = Callable[[np.ndarray], np.ndarray]


def limited(limit: float) -> Squash:
    return lambda x: limit * np.tanh(x / limit)


def normal(x: np.ndarray) -> np.ndarray:
    """Return the normal deviates of the ranks of each feature, over all tracks."""
    return norm.ppf((rankdata(x, axis=0) - 0.5) / len(x))


SQUASHED: dict[str, Squash] = {
    **{f"limit {limit:g}": limited(limit) for limit in (3, 2, 1.5, 1, 0.7)},
    "cut off at 3": lambda x: np.clip(x, -3, 3),
    "cut off at 1.5": lambda x: np.clip(x, -1.5, 1.5),
    "square roots": lambda x: np.sign(x) * np.sqrt(np.abs(x)),
    "ranks": normal,
    "length 1": unit,
    "limit 2, length 1": lambda x: unit(limited(2)(x)),
}


def experiments(folds: Folds, frames: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the name and scores of each experiment; the first is the reference."""
    of_textures, of_patches = textures(frames, RATE), patches(frames, RATE)
    of_percussion = patches(filtered((1, 13))(frames), RATE)

    def patch_scores(features: np.ndarray, *squash: Squash) -> np.ndarray:
        return folds.scores(folds.grams(features, *squash), OF_PATCHES)

    raw = folds.scores(folds.grams(of_textures)), patch_scores(of_patches)
    yield "the product without a limit", product((1, raw[0]), (WEIGHT, raw[1]))
    yield "textures alone", raw[0]
    yield "patches alone", raw[1]
    for name, squash in SQUASHED.items():
        scores = folds.scores(folds.grams(of_textures, squash)), patch_scores(of_patches, squash)
        yield f"textures alone, {name}", scores[0]
        yield f"patches alone, {name}", scores[1]
        yield f"product, {name}", product((1, scores[0]), (WEIGHT, scores[1]))
    squash, limit = limited(LIMIT), f"product, limit {LIMIT:g}"
    grams = folds.grams(of_textures, squash)
    first, second = folds.scores(grams), patch_scores(of_patches, squash)
    yield f"{limit} for textures only", product((1, first), (WEIGHT, raw[1]))
    yield f"{limit} for patches only", product((1, raw[0]), (WEIGHT, second))
    for weight in (0.2, 0.5, 0.7):
        yield f"{limit}, patches weigh {weight:g}", product((1, first), (weight, second))
    for shrinkage in (0.6, 0.7, 0.9):
        other = folds.scores(grams, shrinkage)
        yield f"{limit}, s {shrinkage:g} for textures", product((1, other), (WEIGHT, second))
    for gamma in (0.1, 0.3):
        other = folds.scores(radial(grams, gamma))
        yield f"{limit}, radial kernel {gamma:g} for textures", product((1, other), (WEIGHT, second))
    percussive = patch_scores(of_percussion, squash)
    yield f"{limit}, patches of the percussive part", product((1, first), (WEIGHT, percussive))
    both = product((1, first), (0.2, second), (0.2, percussive))
    yield f"{limit}, patches and patches of the percussive part", both


if __name__ == "__main__":
    run(__doc__, experiments)
