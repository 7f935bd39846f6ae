"""The two CNNs of Hguimaraes/gtzan.keras, from 2018 and 2020.

Published for slices of mel power, without a logarithm. Its VGG16 is in `genredag.models.families.transfer`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genredag.models.layers import conv_block, probabilities
from genredag.models.options import NotNegative, Share
from genredag.models.registry import network

if TYPE_CHECKING:
    from keras import KerasTensor


@network(
    "cnn2d_2018",
    paper="Hguimaraes/gtzan.keras, 2018",
    published=".832 on slices, leaky split over slices",
    published_input=(128, 129, 1),
    smallest=(78, 78),
)
def cnn2d_2018(x: KerasTensor, n_classes: int, *, dropout: Share) -> KerasTensor:
    """Return class probabilities from five unpadded convolutions, which reduce 128 x 129 to 64 features.

    The last pool is limited to the remaining size of each axis, so that a CQT with 84 bins works.
    """
    import keras

    for filters, pool in ((16, 2), (32, 2), (64, 2), (128, 2), (64, 4)):
        x = keras.layers.Conv2D(filters, 3, activation="relu")(x)
        _, bins, frames, _ = x.shape
        x = keras.layers.MaxPooling2D((min(pool, bins), min(pool, frames)))(x)
        x = keras.layers.Dropout(dropout)(x)
    return probabilities(keras.layers.Flatten()(x), n_classes)


@network(
    "cnn_2020",
    paper="Hguimaraes/gtzan.keras, 2020",
    published=".722 on slices, .820 on tracks (majority vote), random tracks 75:25",
    published_input=(128, 129, 1),
)
def cnn_2020(
    x: KerasTensor,
    n_classes: int,
    *,
    conv_dropout: Share,
    flat_dropout: Share,
    dense_dropout: Share,
    l2: NotNegative,
) -> KerasTensor:
    """Return class probabilities from five blocks of growing width and a dense layer, both with L2 decay."""
    import keras

    for filters in (16, 32, 64, 128, 256):
        x = conv_block(x, filters, pool=(2, 2), dropout=conv_dropout)
    x = keras.layers.Dropout(flat_dropout)(keras.layers.Flatten()(x))
    decay = keras.regularizers.L2(l2)
    x = keras.layers.Dense(512, activation="relu", kernel_regularizer=decay)(x)
    x = keras.layers.Dropout(dense_dropout)(x)
    return keras.layers.Dense(
        n_classes, activation="softmax", dtype="float32", name="probabilities", kernel_regularizer=decay
    )(x)
