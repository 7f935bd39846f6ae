"""The "homebrew" network of solak647/ATML19 (PyTorch): filters over frequency only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genredag.models.layers import probabilities
from genredag.models.options import CountOrZero, Share
from genredag.models.registry import network

if TYPE_CHECKING:
    from keras import KerasTensor


@network(
    "homebrew",
    paper="solak647/ATML19 (Conv1DNet2), 2019",
    published=".750 on slices, leaky split over slices",
    published_input=(216, 216, 1),
    smallest=(72, 8),
)
def homebrew(
    x: KerasTensor,
    n_classes: int,
    *,
    size: CountOrZero,
    momentum: Share,
    conv_dropout: Share,
    dense_dropout: Share,
) -> KerasTensor:
    """Return class probabilities from four k x 1 convolutions with batch normalisation.

    Slices are resized to squares of side `size` (published: 216); 0 keeps their size. `momentum` is the
    weight of the past, as in Keras. In PyTorch it is the weight of the new batch, so the published .9 is .1
    here. The project's text gives 182 units and a fourth map of 24 x 27; its code has 192 and 20 x 27, as
    here.
    """
    import keras

    if size:
        x = keras.layers.Resizing(size, size)(x)
    for filters, height, pool in ((128, 5, (2, 2)), (64, 5, (2, 2)), (64, 4, (2, 2)), (64, 5, (2, 1))):
        x = keras.layers.Conv2D(filters, (height, 1))(x)
        x = keras.layers.BatchNormalization(momentum=momentum, epsilon=1e-5)(x)
        x = keras.layers.LeakyReLU(negative_slope=0.2)(x)
        x = keras.layers.MaxPooling2D(pool)(x)
        x = keras.layers.Dropout(conv_dropout)(x)
    x = keras.layers.Flatten()(x)
    for units in (364, 192):
        x = keras.layers.LeakyReLU(negative_slope=0.2)(keras.layers.Dense(units)(x))
        x = keras.layers.Dropout(dense_dropout)(x)
    return probabilities(x, n_classes)
