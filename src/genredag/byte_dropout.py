"""Dropout from random bytes; a module of its own, as its class needs Keras when it is defined."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import keras
from keras import ops

if TYPE_CHECKING:
    from keras import KerasTensor

LEVELS = 256


@keras.saving.register_keras_serializable("genredag")
class ByteDropout(keras.layers.Dropout):
    """Dropout that draws a byte for each value, where Keras draws a float: a quarter of the random numbers.

    The rate is rounded to a 256th, and what is kept is scaled by that rate.
    """

    def call(self, inputs: KerasTensor, training: bool = False) -> KerasTensor:
        """Return `inputs` with some values zeroed in training, as they are otherwise."""
        dropped = min(round(self.rate * LEVELS), LEVELS - 1)
        if not training or dropped == 0:
            return inputs
        size = math.prod(inputs.shape[1:])
        shape = (ops.shape(inputs)[0], -(-size // 4))
        words = keras.random.randint(shape, -(2**31), 2**31 - 1, dtype="int32", seed=self.seed_generator)
        values = ops.reshape(ops.view(words, "int8")[:, :size], ops.shape(inputs))
        kept = ops.greater_equal(values, ops.cast(dropped - LEVELS // 2, "int8"))
        scale = ops.cast(LEVELS / (LEVELS - dropped), inputs.dtype)
        return inputs * ops.where(kept, scale, ops.cast(0, inputs.dtype))
