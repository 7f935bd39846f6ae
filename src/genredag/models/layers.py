"""Building blocks shared by networks of several families."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras import KerasTensor


def probabilities(x: KerasTensor, n_classes: int) -> KerasTensor:
    """Return class probabilities (batch, n_classes) of features (batch, n_features), always in float32."""
    import keras

    return keras.layers.Dense(n_classes, activation="softmax", dtype="float32", name="probabilities")(x)


def dense_stack(x: KerasTensor, units: tuple[int, ...]) -> KerasTensor:
    """Return `x` (batch, n_features) after fully connected ReLU layers of these sizes."""
    import keras

    for size in units:
        x = keras.layers.Dense(size, activation="relu")(x)
    return x


def conv_block(x: KerasTensor, filters: int, *, pool: tuple[int, int], dropout: float) -> KerasTensor:
    """Return `x` after a 3x3 convolution with ReLU, a max-pool and dropout.

    `pool` is (bins, frames). It is limited to the remaining size of each axis, so that small inputs work. If
    `x` has an axis of windows after the batch axis, the block is applied to each window.
    """
    import keras

    *_, bins, frames, _ = x.shape
    pool = (min(pool[0], bins), min(pool[1], frames))
    if len(x.shape) == 5:
        # In bfloat16, it crashes on CPUs (TensorFlow 2.21, segmentation fault).
        x = keras.layers.Conv3D(filters, (1, 3, 3), padding="same", dtype="float32")(x)
        x = keras.layers.MaxPooling3D((1, *pool))(x)
    else:
        x = keras.layers.Conv2D(filters, 3, padding="same")(x)
        x = keras.layers.MaxPooling2D(pool)(x)
    # Equivalent to ReLU before the pool, but on fewer values.
    return keras.layers.Dropout(dropout)(keras.layers.ReLU()(x))


def bins_to_channels(x: KerasTensor) -> KerasTensor:
    """Return the sequence (batch, n_frames, n_bins * channels) of `x` (batch, n_bins, n_frames, channels)."""
    import keras

    _, bins, frames, channels = x.shape
    return keras.layers.Reshape((frames, bins * channels))(keras.layers.Permute((2, 1, 3))(x))
