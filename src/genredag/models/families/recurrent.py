"""LSTM over the frames of a slice or the slices of a track, with or without convolutions before it.

The recurrence always uses float32: rounding errors would accumulate over its steps, and bfloat16 is slower on
CPUs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genredag.models.layers import bins_to_channels, conv_block, dense_stack, probabilities
from genredag.models.options import Count, Share
from genredag.models.registry import network

if TYPE_CHECKING:
    from keras import KerasTensor

HEAD = (150, 100, 50)
CONVOLUTIONS = ((32, (2, 2)), (64, (2, 2)), (64, (2, 2)), (64, (4, 1)), (128, (4, 1)))


@network(
    "lstm",
    paper="GTZAN+FMA mix, LSTM 128 over frames, its sequence flattened; our reconstruction",
    published=".687 on tracks, random 8:1:1",
    published_input=(128, 130, 1),
)
def lstm(x: KerasTensor, n_classes: int, *, units: Count, dropout: Share) -> KerasTensor:
    """Return class probabilities from the LSTM's output at every frame.

    Our reconstruction: the source flattens the LSTM's output, and doesn't say what its steps are.
    """
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
def crnn(x: KerasTensor, n_classes: int, *, units: Count, dropout: Share) -> KerasTensor:
    """Return class probabilities from an LSTM over the time steps that remain after convolutions.

    Our reconstruction: the source gives neither filters nor pools. 128 bins are pooled to one. If a taller
    input has more bins left, they become channels of their time step.
    """
    import keras

    for filters, pool in CONVOLUTIONS:
        x = conv_block(x, filters, pool=pool, dropout=dropout)
    x = keras.layers.LSTM(units, dtype="float32")(bins_to_channels(x))
    x = keras.layers.Dropout(0.5)(x)
    return probabilities(dense_stack(x, HEAD), n_classes)


@network(
    "lstm_windows",
    paper="GTZAN+FMA mix, LSTM 128, taken to run over the windows of a track; our reconstruction",
    published=".687 on tracks, random 8:1:1",
    published_input=(128, 130, 1),
    over_windows=True,
)
def lstm_windows(x: KerasTensor, n_classes: int, *, units: Count, dropout: Share) -> KerasTensor:
    """Return class probabilities of each window from an LSTM over the windows up to it.

    Our reconstruction: a window is summarised by the mean and standard deviation of each bin.
    """
    import keras

    _, _, bins, _, channels = x.shape
    x = keras.ops.concatenate([keras.ops.mean(x, 3), keras.ops.std(x, 3)], 2)
    x = keras.layers.Reshape((-1, 2 * bins * channels))(x)
    return _decide_on_windows(x, n_classes, units, dropout)


@network(
    "crnn_windows",
    paper="GTZAN+FMA mix, five convolutions a window, LSTM 128 over windows; our reconstruction",
    published=".772 on tracks, random 8:1:1",
    published_input=(128, 130, 1),
    over_windows=True,
)
def crnn_windows(x: KerasTensor, n_classes: int, *, units: Count, dropout: Share) -> KerasTensor:
    """Return class probabilities of each window from an LSTM over the windows up to it.

    Our reconstruction: the convolutions of `crnn` are applied to each window, and their output is averaged.
    """
    import keras

    for filters, pool in CONVOLUTIONS:
        x = conv_block(x, filters, pool=pool, dropout=dropout)
    return _decide_on_windows(keras.ops.mean(x, (2, 3)), n_classes, units, 0.5)


def _decide_on_windows(x: KerasTensor, n_classes: int, units: int, dropout: float) -> KerasTensor:
    """Return class probabilities of each window of `x` (batch, n_windows, n_features)."""
    import keras

    x = keras.layers.LSTM(units, return_sequences=True, dtype="float32")(x)
    return probabilities(dense_stack(keras.layers.Dropout(dropout)(x), HEAD), n_classes)
