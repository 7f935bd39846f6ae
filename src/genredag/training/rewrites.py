"""Networks rewritten so that they train faster: the same weights and function, with less work in each step.

It imports Keras: import it only where a network is trained.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import keras
from keras import layers, ops

if TYPE_CHECKING:
    from keras import KerasTensor

_BYTES = 4  # of a random integer
_VALUES = 256  # of a byte
_MAX_RATE = 1 - 1 / _VALUES


def rewritten(model: keras.Model) -> keras.Model:
    """Return a network that computes the same as `model`, with its weights, and trains faster.

    It shares all layers with `model`, but calls `Dropout` by way of `ByteDropout`, and a convolution whose
    output is pooled by way of `PooledConvolution`. Bundles keep `model`, which has only Keras's own layers.
    """
    convolutions: dict[int, tuple[layers.Conv2D, KerasTensor]] = {}

    def call(layer: layers.Layer, *args: object, **kwargs: object) -> object:
        if _is_replaceable_dropout(layer):
            return ByteDropout(layer)(*args)
        if type(layer) is layers.MaxPooling2D and id(args[0]) in convolutions:
            convolution, x = convolutions[id(args[0])]
            return PooledConvolution(convolution, layer)(x)
        y = layer(*args, **kwargs)
        if _commutes_with_max(layer):
            convolutions[id(y)] = layer, args[0]
        return y

    return keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)


def _is_replaceable_dropout(layer: layers.Layer) -> bool:
    return type(layer) is layers.Dropout and layer.noise_shape is None and 0 < layer.rate <= _MAX_RATE


def _commutes_with_max(layer: layers.Layer) -> bool:
    """Return whether a convolution adds its bias and applies its activation in the same way after a pool."""
    return (
        type(layer) is layers.Conv2D
        and layer.data_format == "channels_last"
        and layer.activation in (keras.activations.linear, keras.activations.relu)
        and layer.activity_regularizer is None
    )


class ByteDropout(layers.Layer):
    """Dropout that draws a byte for each value instead of a float, which takes a quarter of the time.

    A value is dropped if its byte is below a threshold, ``256 * rate``. In each call, all thresholds are
    rounded up or down at random, so that the expected share of dropped values is `rate` exactly.
    """

    def __init__(self, dropout: layers.Dropout) -> None:
        super().__init__(dtype=dropout.dtype_policy)
        self.dropout = dropout

    def call(self, inputs: KerasTensor, training: bool = False) -> KerasTensor:
        """Return `inputs` (batch, ...), with values set to 0 and the others scaled if `training`."""
        if not training:
            return inputs
        rate, seed = self.dropout.rate, self.dropout.seed_generator
        shape = (ops.shape(inputs)[0], *inputs.shape[1:])
        size = math.prod(shape[1:])
        integers = keras.random.randint((shape[0], -(-size // _BYTES)), -(2**31), 2**31 - 1, "int32", seed)
        values = ops.reshape(ops.view(integers, "uint8")[:, :size], shape)
        threshold = ops.cast(ops.floor(_VALUES * rate + keras.random.uniform((), seed=seed)), "uint8")
        kept = ops.cast(values >= threshold, inputs.dtype)
        return inputs * (kept * ops.cast(1 / (1 - rate), inputs.dtype))


class PooledConvolution(layers.Layer):
    """A convolution and the maximum pooling of its output.

    The maximum of x + bias, or of relu(x), is that of x, plus bias or rectified. So both are computed from
    the pooled values, of which there are fewer. In reduced precision, TensorFlow adds the bias within
    the convolution, at no cost, and rounding would depend on the order: there the bias stays before the pool.
    """

    def __init__(self, convolution: layers.Conv2D, pool: layers.MaxPooling2D) -> None:
        super().__init__(dtype=convolution.dtype_policy)
        self.convolution, self.pool = convolution, pool

    def call(self, inputs: KerasTensor) -> KerasTensor:
        """Return the pooled outputs (batch, ..., filters) for `inputs` (batch, height, width, channels)."""
        convolution = self.convolution
        outputs = convolution.convolution_op(inputs, convolution.kernel)
        bias = ops.reshape(convolution.bias, (1, 1, 1, -1)) if convolution.use_bias else None
        late = self.compute_dtype == "float32"
        if bias is not None and not late:
            outputs = ops.add(outputs, bias)
        outputs = self.pool(outputs)
        if bias is not None and late:
            outputs = ops.add(outputs, bias)
        return convolution.activation(outputs)
