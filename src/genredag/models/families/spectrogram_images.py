"""Two- and three-layer CNNs for images of spectrograms, with three colours or one channel.

Repository Intelligent-Systems-MSc/Music-genre-classification (notebooks), on images of 30 s of music. Its
fine-tuned VGG16 is in `genredag.models.families.transfer`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genredag.models.layers import probabilities
from genredag.models.options import Share
from genredag.models.registry import network

if TYPE_CHECKING:
    from keras import KerasTensor

PAPER = "Intelligent-Systems-MSc/Music-genre-classification, 2021"


@network(
    "cnn_2layers",
    paper=PAPER,
    published=".55 on GTZAN's last tracks (images of MFCC)",
    published_input=(224, 224, 3),
    smallest=(10, 10),
)
def cnn_2layers(x: KerasTensor, n_classes: int, *, dropout: Share) -> KerasTensor:
    """Return class probabilities from two 3 x 3 convolutions and two dense layers."""
    import keras

    for filters in (64, 32):
        x = keras.layers.Conv2D(filters, 3, activation="relu")(x)
        x = keras.layers.MaxPooling2D(2)(x)
    return _head(x, n_classes, dropout)


@network(
    "cnn_3layers",
    paper=PAPER,
    published=".71 on GTZAN's last tracks (images of mel spectrograms)",
    published_input=(217, 334, 3),
    smallest=(40, 40),
)
def cnn_3layers(x: KerasTensor, n_classes: int, *, dropout: Share) -> KerasTensor:
    """Return class probabilities from convolutions of 3 x 3, 5 x 5 and, with strides of 2, 3 x 3."""
    import keras

    for filters, size, strides, pool in ((64, 3, 1, 2), (32, 5, 1, 3), (32, 3, 2, 2)):
        x = keras.layers.Conv2D(filters, size, strides=strides, activation="relu")(x)
        x = keras.layers.MaxPooling2D(pool)(x)
    return _head(x, n_classes, dropout)


def _head(x: KerasTensor, n_classes: int, dropout: float) -> KerasTensor:
    import keras

    x = keras.layers.Dense(256, activation="relu")(keras.layers.Flatten()(x))
    x = keras.layers.Dense(124, activation="relu")(keras.layers.Dropout(dropout)(x))
    return probabilities(x, n_classes)
