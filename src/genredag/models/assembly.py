"""From a registered builder to a whole network: normalisation in front, the slice turned upright."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from genredag.errors import ModelError
from genredag.models.registry import check_options

if TYPE_CHECKING:
    import keras


def build_network(
    name: str,
    options: Mapping[str, Any],
    *,
    n_frames: int,
    n_bins: int,
    n_classes: int,
    statistics: tuple[np.ndarray, np.ndarray] | None,
    precision: str,
) -> keras.Model:
    """Return the network `name` for slices (batch, n_frames, n_bins) as stored.

    Parameters
    ----------
    statistics
        Mean and variance (n_bins,) that normalise the slices; None leaves them as they are.
    precision
        ``"float32"`` or ``"mixed_bfloat16"``; normalisation and probabilities are float32 in both.

    Raises
    ------
    ParameterError
        There is no such network, or its options are wrong.
    ModelError
        It can't take slices of this size.
    """
    import keras

    learner = check_options(name, "network", options)
    learner.check_size(n_bins, n_frames, options)
    with _dtype_policy(precision):
        inputs = x = keras.Input((n_frames, n_bins), dtype="float32")
        if statistics is not None:
            mean, variance = (np.asarray(s, np.float32).tolist() for s in statistics)
            x = keras.layers.Normalization(mean=mean, variance=variance, dtype="float32")(x)
        x = keras.layers.Reshape((n_bins, n_frames, 1))(keras.layers.Permute((2, 1))(x))
        try:
            return keras.Model(inputs, learner.build(x, n_classes, **options), name=name)
        except ValueError as error:
            raise ModelError(
                f"can't take slices of {n_bins} bins x {n_frames} frames ({str(error).splitlines()[0]})",
                where=f"models.{name}",
                hint="lengthen slices.seconds, or choose another representation or other options",
            ) from error


@contextmanager
def _dtype_policy(precision: str) -> Iterator[None]:
    """Build layers of this precision; Keras offers no other way to say it for a builder's layers."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
