"""Long short-term memory over the frames of a slice, bare or behind convolutions.

The recurrence is float32 whatever the precision: rounding would add up over its steps, and on CPUs bfloat16
makes it slower.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genredag.models.layers import bins_to_channels, conv_block, dense_stack, probabilities
from genredag.models.registry import network

if TYPE_CHECKING:
    from keras import KerasTensor

HEAD = (150, 100, 50)


@network(
    "lstm",
    paper="GTZAN+FMA mix, LSTM 128 over frames, its sequence flattened; our reconstruction",
    published=".687 on tracks, random 8:1:1",
    published_input=(128, 130, 1),
)
def lstm(x: KerasTensor, n_classes: int, *, units: int, dropout: float) -> KerasTensor:
    """Return class probabilities from the LSTM's output at every frame."""
    import keras

    x = keras.layers.LSTM(units, return_sequences=True, dtype="float32")(bins_to_channels(x))
    x = keras.layers.Flatten()(keras.layers.Dropout(dropout)(x))
    return probabilities(dense_stack(x, HEAD), n_classes)


@network(
    "crnn",
    paper="GTZAN+FMA mix, five convolutions and an LSTM 128; pools are our reconstruction",
    published=".772 on tracks, random 8:1:1",
    published_input=(128, 130, 1),
)
def crnn(x: KerasTensor, n_classes: int, *, units: int, dropout: float) -> KerasTensor:
    """Return class probabilities from an LSTM over what convolutions leave of the time axis.

    128 bins are pooled to one; bins left of a taller input become channels of their time step.
    """
    import keras

    for filters, pool in zip((32, 64, 64, 64, 128), ((2, 2), (2, 2), (2, 2), (4, 1), (4, 1)), strict=True):
        x = conv_block(x, filters, pool=pool, dropout=dropout)
    x = keras.layers.LSTM(units, dtype="float32")(bins_to_channels(x))
    x = keras.layers.Dropout(0.5)(x)
    return probabilities(dense_stack(x, HEAD), n_classes)
