"""The input of every network: normalised slices with the frequency axis first, and the layers' precision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from keras import KerasTensor


def slices_input(
    n_frames: int,
    n_bins: int,
    statistics: tuple[np.ndarray, np.ndarray] | None,
    over_windows: bool = False,
    n_channels: int = 1,
) -> tuple[KerasTensor, KerasTensor]:
    """Return the input (batch, n_frames, n_bins), and the pictures of it that networks see.

    Pictures are (batch, n_bins // n_channels, n_frames, n_channels). For networks `over_windows`, both have
    an axis of windows after the batch axis.

    Parameters
    ----------
    statistics
        Mean and variance (n_bins,) that normalise the slices; None leaves them as they are.
    """
    import keras

    windows = [None] if over_windows else []
    inputs = x = keras.Input((*windows, n_frames, n_bins), dtype="float32")
    if statistics is not None:
        mean, variance = (np.asarray(s, np.float32).tolist() for s in statistics)
        x = keras.layers.Normalization(mean=mean, variance=variance, dtype="float32")(x)
    x = keras.layers.Permute((1, 3, 2) if over_windows else (2, 1))(x)
    any_number = [-1 for _ in windows]
    if n_channels == 1:
        return inputs, keras.layers.Reshape((*any_number, n_bins, n_frames, 1))(x)
    x = keras.layers.Reshape((*any_number, n_channels, n_bins // n_channels, n_frames))(x)
    return inputs, keras.layers.Permute((1, 3, 4, 2) if over_windows else (2, 3, 1))(x)


def resized(x: KerasTensor, size: Sequence[int] | None) -> KerasTensor:
    """Return pictures resized bilinearly to `size`, (height, width); None leaves them as they are."""
    import keras

    if size is None:
        return x
    layer = keras.layers.Resizing(*size)
    return layer(x) if len(x.shape) == 4 else keras.layers.TimeDistributed(layer)(x)


@contextmanager
def dtype_policy(precision: str) -> Iterator[None]:
    """Build layers with this precision; Keras has no other way to set it for a builder's layers."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
