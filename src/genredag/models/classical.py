"""Classical estimators on statistics of each slice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genredag.models.options import CountOrZero, Gamma, NotNegative, Positive
from genredag.models.registry import estimator
from genredag.models.trees_and_linear import selecting_pipeline

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


@estimator(
    "svm_rbf",
    paper="H. Guimaraes, gtzan.keras (2020): support vector machine on statistics of frame features",
    published=".788 on tracks, one 75/25 hold-out",
)
def svm_rbf(
    *, C: Positive, gamma: Gamma, min_variance: NotNegative, selection_trees: CountOrZero, seed: int
) -> Pipeline:
    """Return a support vector machine with a radial kernel on standardised features.

    It has no probabilities of its own: `genredag.training` calibrates it on the validation slices.
    """
    from sklearn.svm import SVC

    machine = SVC(C=C, gamma=gamma, random_state=seed)
    return selecting_pipeline(machine, True, min_variance, selection_trees, seed)


def svm_on_features(*, C: Positive, gamma: Gamma, seed: int) -> Pipeline:
    """Return a support vector machine with a radial kernel on features scaled to 0 to 1, for `vgg16_svm`."""
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import MinMaxScaler
    from sklearn.svm import SVC

    return Pipeline([("scale", MinMaxScaler()), ("classify", SVC(C=C, gamma=gamma, random_state=seed))])
