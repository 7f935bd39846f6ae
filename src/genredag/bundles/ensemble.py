"""A bundle of several bundles: the product of their probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genredag.bundles.predictor import BundleInfo, Predictor

# A probability of 0 would rule a genre out whatever the other members say.
LEAST = 1e-7


@dataclass(frozen=True)
class EnsembleBundle(Predictor):
    """A trained ensemble.

    Attributes
    ----------
    info
        ``bundle.json``, with the `weights` of the members.
    members
        Bundles of the members, copies side by side.
    """

    info: BundleInfo
    members: tuple[Predictor, ...]

    @property
    def over_windows(self) -> bool:
        """No: no member is."""
        return False

    def _predict(self, slices: np.ndarray, n_valid: np.ndarray) -> np.ndarray:
        return product([member.predict(slices, n_valid) for member in self.members], self.info["weights"])


def product(probabilities: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """Return the product of probabilities (n_slices, n_classes), each to the power of its weight.

    The product is scaled to sum to 1.
    """
    scores = sum(
        weight * np.log(np.maximum(own, LEAST, dtype=np.float64))
        for own, weight in zip(probabilities, weights, strict=True)
    )
    powers = np.exp(scores - np.max(scores, axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
