"""musicnn in Keras: the network behind the representation ``musicnn``, with every layer as an output.

`genredag.spectrograms.musicnn` computes the same numbers without Keras. This one can be trained further and
runs on any backend of Keras.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from genredag.spectrograms.musicnn import MIDDLE, N_MELS, TAGS, TEMPORAL, TIMBRAL
from genredag.spectrograms.musicnn_weights import DENSE, EPSILON, KERNELS, NORMALISED

if TYPE_CHECKING:
    import keras
    import numpy as np
    from keras import KerasTensor

DROPOUT = 0.5
_NORM_PARTS = ("gamma", "beta", "moving_mean", "moving_variance")


def musicnn(n_frames: int, variables: Mapping[str, np.ndarray] | None = None) -> keras.Model:
    """Return the network for patches (batch, n_frames, 96), log10(1 + 10000 power) of mel bands.

    Its outputs are those of `genredag.spectrograms.musicnn.layers`, by name. Layers have the names of the
    checkpoint's variables.

    Parameters
    ----------
    n_frames
        Length of a patch; 187, or 3 s, in training.
    variables
        What `genredag.spectrograms.musicnn_weights.read_variables` returns; None for random weights.
    """
    import keras
    from keras import layers

    patch = keras.Input((n_frames, N_MELS), name="patch")
    x = _normalised(layers.Reshape((n_frames, N_MELS, 1))(patch), 0)
    front = [_maxima(x, (3, 3), name) for name in TIMBRAL]
    for name in TEMPORAL:
        padding = KERNELS[_number(name)][0] - 1
        # TensorFlow's "same", which other backends would divide in their own way.
        front.append(_maxima(x, (padding // 2, padding - padding // 2), name))
    features = [layers.Concatenate()(front)]
    for number in MIDDLE:
        before = layers.Reshape((n_frames, -1, 1))(features[-1])
        own = _maxima(before, (3, 3), f"conv2d_{number}")
        features.append(layers.Add()([own, features[-1]]) if number > MIDDLE[0] else own)
    pooled = _pooled(layers.Concatenate()(features))
    dense = layers.Dropout(DROPOUT)(_normalised(pooled, 9))
    dense = layers.Dense(DENSE[0][1], activation="relu", name="dense")(dense)
    penultimate = _normalised(dense, 10)
    tags = layers.Dense(len(TAGS), activation="sigmoid", name="dense_1")(layers.Dropout(DROPOUT)(penultimate))
    outputs = {
        "timbral": layers.Concatenate()(front[:2]),
        "temporal": layers.Concatenate()(front[2:]),
        **{f"cnn{i}": features[i] for i in (1, 2, 3)},
        **{"pooled": pooled, "penultimate": penultimate, "tags": tags},
    }
    model = keras.Model(patch, outputs, name="musicnn")
    if variables is not None:
        set_variables(model, variables)
    return model


def set_variables(model: keras.Model, variables: Mapping[str, np.ndarray]) -> None:
    """Give the layers of the network the variables of the checkpoint, by name."""
    for number in range(len(NORMALISED)):
        name = _norm_name(number)
        model.get_layer(name).set_weights([variables[f"{name}/{part}"] for part in _NORM_PARTS])
    names = [*TIMBRAL, *TEMPORAL, *(f"conv2d_{number}" for number in MIDDLE), "dense", "dense_1"]
    for name in names:
        model.get_layer(name).set_weights([variables[f"{name}/kernel"], variables[f"{name}/bias"]])


def _maxima(x: KerasTensor, padding: tuple[int, int], name: str) -> KerasTensor:
    """Return a convolution over time and bins, rectified, normalised, and its maximum over the bins."""
    from keras import layers

    height, width, _, n_filters = KERNELS[_number(name)]
    x = layers.ZeroPadding2D((padding, (0, 0)))(x)
    x = layers.Conv2D(n_filters, (height, width), activation="relu", name=name)(x)
    x = _normalised(x, _number(name) + 1)
    n_frames, n_bins = x.shape[1:3]
    x = layers.MaxPooling2D((1, n_bins))(x)
    return layers.Reshape((n_frames, n_filters))(x)


def _pooled(x: KerasTensor) -> KerasTensor:
    """Return the maximum and the mean over time of each feature, in turns."""
    from keras import layers

    n_features = x.shape[-1]
    parts = [layers.GlobalMaxPooling1D()(x), layers.GlobalAveragePooling1D()(x)]
    pairs = layers.Concatenate()([layers.Reshape((n_features, 1))(part) for part in parts])
    return layers.Flatten()(pairs)


def _normalised(x: KerasTensor, number: int) -> KerasTensor:
    from keras import layers

    return layers.BatchNormalization(epsilon=EPSILON, name=_norm_name(number))(x)


def _norm_name(number: int) -> str:
    return f"batch_normalization_{number}" if number else "batch_normalization"


def _number(name: str) -> int:
    """Return the number in the name of a convolution; the first has none."""
    return int(name.removeprefix("conv2d").removeprefix("_") or 0)
