"""Two parallel convolutional branches: one pools over time, the other over frequency.

Schindler, Lidy & Rauber: Comparing Shallow versus Deep Neural Network Architectures for Automatic Music Genre
Classification, FMT 2016 (CEUR-WS Vol-1734, paper 2), figures 1 and 2, on 80 mel bands x 80 frames. They find
that the shallow form is better on small data sets. The text puts dropout after the dense layer, as here;
figure 1 shows it elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from genredag.models.layers import probabilities
from genredag.models.options import Share
from genredag.models.registry import network

if TYPE_CHECKING:
    from keras import KerasTensor

PAPER = "Schindler, Lidy & Rauber, CEUR-WS 1734, 2016"
Stage = tuple[int, tuple[int, int], tuple[int, int]]  # filters, their size, pool; both bins x frames


@network("lidy_shallow", paper=PAPER, published_input=(80, 80, 1), smallest=(20, 20))
def lidy_shallow(x: KerasTensor, n_classes: int, *, dropout: Share) -> KerasTensor:
    """Return class probabilities from one convolution per branch (after Lidy's MIREX 2015 entry)."""
    over_time = _branch(x, [(16, (10, 23), (1, 20))])
    over_frequency = _branch(x, [(16, (21, 20), (20, 1))])
    return _merged([over_time, over_frequency], n_classes, dropout)


@network("schindler_deep", paper=PAPER, published_input=(80, 80, 1), smallest=(40, 40))
def schindler_deep(x: KerasTensor, n_classes: int, *, dropout: Share) -> KerasTensor:
    """Return class probabilities from four convolutions per branch."""
    half = (2, 2)
    over_time = _branch(
        x, [(16, (10, 23), half), (32, (5, 11), half), (64, (3, 5), half), (128, (2, 4), (1, 5))]
    )
    over_frequency = _branch(
        x, [(16, (21, 20), half), (32, (10, 5), half), (64, (5, 3), half), (128, (4, 2), (5, 1))]
    )
    return _merged([over_time, over_frequency], n_classes, dropout)


def _branch(x: KerasTensor, stages: Sequence[Stage]) -> KerasTensor:
    import keras

    for filters, size, pool in stages:
        x = keras.layers.Conv2D(filters, size, padding="same", activation="relu")(x)
        x = keras.layers.MaxPooling2D(pool)(x)
    return keras.layers.Flatten()(x)


def _merged(branches: list[KerasTensor], n_classes: int, dropout: float) -> KerasTensor:
    import keras

    x = keras.layers.Dense(200)(keras.layers.Concatenate()(branches))
    x = keras.layers.LeakyReLU(negative_slope=0.3)(x)
    return probabilities(keras.layers.Dropout(dropout)(x), n_classes)
