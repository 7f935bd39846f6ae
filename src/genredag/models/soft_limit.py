"""A pipeline step that squashes extreme values, so that a few of them don't decide."""

from __future__ import annotations

from typing import Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin


class SoftLimit(TransformerMixin, BaseEstimator):
    """Map each value x to limit * tanh(x / limit): small values hardly change, large ones approach the limit.

    Parameters
    ----------
    limit
        In the unit of the values: standard deviations after a ``StandardScaler``.
    """

    def __init__(self, limit: float = 1.5) -> None:
        self.limit = limit

    def fit(self, X: np.ndarray, y: np.ndarray | None = None) -> Self:
        """Remember the number of features."""
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return squashed values, of the shape and type of `X`."""
        return self.limit * np.tanh(X / self.limit)
