"""Stacks of small convolutions and max-pools, followed by fully connected layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genredag.models.layers import conv_block, dense_stack, probabilities
from genredag.models.options import Share
from genredag.models.registry import network

if TYPE_CHECKING:
    from keras import KerasTensor


@network(
    "cnn_370k",
    paper="GTZAN+FMA mix, CNN with 370 K weights; filters and head are our reconstruction",
    published=".73 on tracks, random 8:1:1",
    published_input=(128, 129, 1),
)
def cnn_370k(x: KerasTensor, n_classes: int, *, dropout: Share) -> KerasTensor:
    """Return class probabilities from five blocks of convolution, pooling and dropout.

    Our reconstruction: the source gives no sizes of filters and dense layers; these give its 370 K weights.
    """
    import keras

    for filters in (32, 64, 64, 64, 128):
        x = conv_block(x, filters, pool=(2, 2), dropout=dropout)
    x = dense_stack(keras.layers.Flatten()(x), (96, 64))
    return probabilities(x, n_classes)
