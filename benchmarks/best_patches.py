r"""The experiments of docs/best.md on random patches: shrinkage discriminants, as in `best_experiments.py`.

    python benchmarks/best_patches.py --frames mel_train.npz mel_valid.npz --tracks tracks.csv \
        --output patches.json

Features of patches are computed anew: each run takes about two minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from unittest import mock

import numpy as np
from best_experiments import N_BINS, RATE, Folds, filtered, normalised, product, run, summed

from genredag.frames import patches as random_patches
from genredag.frames.textures import textures

# About that of `lda_patches`: like `SHRINKAGE`, it is relative to 1,650 features (see `Folds.scores`).
SHRINKAGE = 0.2
VARIANTS: dict[str, dict[str, object]] = {
    "150 patterns of each length": {"N_PATTERNS": 150},
    "2,000 patterns": {"N_PATTERNS": 2000},
    "8 cepstra": {"N_CEPSTRA": 8},
    "40 cepstra": {"N_CEPSTRA": 40},
    "no emphasis": {"CEPSTRAL_EMPHASIS": 0.0, "TEMPORAL_EMPHASIS": 0.0},
    "twice the emphasis": {"CEPSTRAL_EMPHASIS": 0.5, "TEMPORAL_EMPHASIS": 1.0},
    "four frames": {"LENGTHS": (4,)},
    "one to sixteen frames": {"LENGTHS": (1, 2, 4, 8, 16)},
}
SOURCES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "the percussive part": filtered((1, 13)),
    "the harmonic part": filtered((9, 1)),
    "normalised energy": normalised,
    **{f"medians over {width} bins": filtered((1, width)) for width in (5, 9, 17, 25, 33)},
    "differences of frames": lambda x: np.diff(x, axis=1),
    "the lower half of the bins": lambda x: x[:, :, : N_BINS // 2],
}


def experiments(folds: Folds, frames: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the name and scores of each experiment; the first, without patches, is the reference."""
    recipe = folds.grams(textures(frames, RATE))
    base = folds.scores(recipe)
    yield "the recipe", base
    grams = folds.grams(random_patches.patches(frames, RATE))
    own = folds.scores(grams, SHRINKAGE)
    both = product((1, base), (0.35, own))
    yield "patches alone", own
    for weight in (0.3, 1.0):
        yield f"patches added, {weight:g}", folds.scores(summed((1, recipe), (weight, grams)))
    yield "product with patches", both
    for name, changed in VARIANTS.items():
        with mock.patch.multiple(random_patches, **changed):
            scores = folds.scores(folds.grams(random_patches.patches(frames, RATE)), SHRINKAGE)
        yield f"patches, {name}, alone", scores
        yield f"product with patches, {name}", product((1, base), (0.35, scores))
    for name, change in SOURCES.items():
        scores = folds.scores(folds.grams(random_patches.patches(change(frames), RATE)), SHRINKAGE)
        yield f"patches of {name} alone", scores
        yield f"product with patches of {name}", product((1, base), (0.35, scores))
        yield f"product with patches and patches of {name}", product((1, both), (0.15, scores))


if __name__ == "__main__":
    run(__doc__, experiments)
