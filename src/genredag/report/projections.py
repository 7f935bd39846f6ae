"""Tracks in two dimensions: principal components, linear discriminants, t-SNE."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genredag.report.feature_map import principal_components

PERPLEXITY = 30.0  # of t-SNE: roughly the number of neighbours that a track keeps
_SEED = 0


@dataclass(frozen=True)
class Projection:
    """Tracks in two dimensions.

    Attributes
    ----------
    points
        Shape (n_tracks, 2).
    labels
        Of the two axes.
    note
        How to read it.
    """

    name: str
    points: np.ndarray
    labels: tuple[str, str]
    note: str


def projections(features: np.ndarray, genres: np.ndarray) -> list[Projection]:
    """Return the projections that are possible: linear discriminants take three genres and more tracks.

    Parameters
    ----------
    features
        Shape (n_tracks, n_features). They are standardised first.
    genres
        Shape (n_tracks,).
    """
    points, shares = principal_components(features)
    found = [
        Projection(
            "PCA",
            points,
            component_labels(shares),
            "The directions in which tracks differ most, whatever their genre.",
        )
    ]
    n_genres = len(set(genres))
    if 3 <= n_genres < len(features):
        note = "The directions that separate the genres best. They know the genres, so with few tracks even"
        found.append(
            Projection(
                "LDA",
                _discriminants(features, genres),
                ("first discriminant", "second"),
                f"{note} features of pure noise look separate.",
            )
        )
    if len(features) > 4:
        note = "Neighbours stay neighbours; distances between groups, and their sizes, mean nothing."
        found.append(Projection("t-SNE", _neighbourhoods(features), ("no unit", "no unit"), note))
    return found


def component_labels(shares: np.ndarray) -> tuple[str, str]:
    """Return the labels of two principal components, with the shares of the variance that they explain."""
    return f"first component, {shares[0]:.0%} of the variance", f"second, {shares[1]:.0%}"


def _discriminants(features: np.ndarray, genres: np.ndarray) -> np.ndarray:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    # There may be fewer tracks than features. The estimated shrinkage is 0 for genres of two tracks.
    lda = LinearDiscriminantAnalysis(solver="eigen", shrinkage=0.1, n_components=2)
    with threadpool_limits(1):
        return make_pipeline(StandardScaler(), lda).fit_transform(features, genres)


def _neighbourhoods(features: np.ndarray) -> np.ndarray:
    from sklearn.manifold import TSNE
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    perplexity = min(PERPLEXITY, (len(features) - 1) / 3)
    with threadpool_limits(1):  # a figure that is the same in every build
        return TSNE(2, perplexity=perplexity, init="pca", random_state=_SEED).fit_transform(
            StandardScaler().fit_transform(features).astype(np.float32)
        )
