"""Networks rewritten so that they train faster: the same weights and function, with less work in each step.

It imports Keras: import it only where a network is trained.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import keras
from keras import layers, ops

if TYPE_CHECKING:
    from keras import KerasTensor

_BYTES = 4  # of a random integer
_VALUES = 256  # of a byte
_MAX_RATE = 1 - 1 / _VALUES


def rewritten(model: keras.Model) -> keras.Model:
    """Return a network that computes the same as `model`, with its weights, and trains faster.

    It shares all layers with `model`. `ByteDropout` replaces calls of `Dropout`; `PooledConvolution` and
    `PooledNormalisation` compute after a maximum pool what `model` computes before it. Bundles keep `model`,
    which has only Keras's own layers. A normalisation must not feed other layers besides the pool: its moving
    averages would be updated twice (tests/contract/test_models.py checks all networks).
    """
    runs: dict[int, _Run] = {}

    def call(layer: layers.Layer, *args: Any, **kwargs: Any) -> Any:
        run = runs.get(id(args[0])) if args else None
        if args and _is_replaceable_dropout(layer) and None not in args[0].shape[1:]:
            return ByteDropout(layer)(*args)
        if type(layer) is layers.MaxPooling2D and run is not None:
            return run.pooled(layer)
        y = layer(*args, **kwargs)
        if args and _is_linear_or_rectified(layer):
            runs[id(y)] = _Run(args[0], layer)
        elif run is not None and (longer := run.followed_by(layer)):
            runs[id(y)] = longer
        return y

    return keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)


@dataclass(frozen=True)
class _Run:
    """A convolution and the layers that follow it, up to a pool."""

    inputs: KerasTensor
    convolution: layers.Conv2D
    normalisation: layers.BatchNormalization | None = None
    activation: layers.Layer | None = None

    def followed_by(self, layer: layers.Layer) -> _Run | None:
        """Return the run with one more layer, or None if that doesn't commute with a maximum."""
        if self.activation is not None:
            return None
        if type(layer) in (layers.ReLU, layers.LeakyReLU):
            return replace(self, activation=layer) if layer.activity_regularizer is None else None
        is_linear = self.convolution.activation is keras.activations.linear
        if self.normalisation is None and is_linear and _is_over_channels(layer):
            return replace(self, normalisation=layer)
        return None

    def pooled(self, pool: layers.MaxPooling2D) -> KerasTensor:
        if self.normalisation is None:
            outputs = PooledConvolution(self.convolution, pool)(self.inputs)
        else:
            outputs = PooledNormalisation(self.convolution, self.normalisation, pool)(self.inputs)
        return outputs if self.activation is None else self.activation(outputs)


def _is_replaceable_dropout(layer: layers.Layer) -> bool:
    return type(layer) is layers.Dropout and layer.noise_shape is None and 0 < layer.rate < _MAX_RATE


def _is_linear_or_rectified(layer: layers.Layer) -> bool:
    return (
        type(layer) is layers.Conv2D
        and layer.data_format == "channels_last"
        and layer.activation in (keras.activations.linear, keras.activations.relu)
        and layer.activity_regularizer is None
    )


def _is_over_channels(layer: layers.Layer) -> bool:
    return (
        type(layer) is layers.BatchNormalization
        and layer.axis in (-1, 3)
        and layer.activity_regularizer is None
        and not (layer.synchronized or getattr(layer, "renorm", False))
    )


class ByteDropout(layers.Layer):
    """Dropout that draws a byte for each value, in a third of the time that drawing a float takes.

    A value is dropped if its byte is below a threshold, ``256 * rate``. In each call, the threshold is
    rounded up or down at random, so that the expected share of dropped values is exactly `rate`.
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
        early, late = _biases(convolution)
        return convolution.activation(_plus(self.pool(_plus(outputs, early)), late))


class PooledNormalisation(layers.Layer):
    """A convolution, the batch normalisation of its output, and the maximum pooling of that.

    Mean and variance are of all outputs of the convolution, but only pooled values are normalised. Where
    gamma is negative, normalisation turns the minimum into the maximum: the pool then gets outputs of the
    negated filter.
    """

    def __init__(
        self,
        convolution: layers.Conv2D,
        normalisation: layers.BatchNormalization,
        pool: layers.MaxPooling2D,
    ) -> None:
        super().__init__(dtype=convolution.dtype_policy)
        self.convolution, self.normalisation, self.pool = convolution, normalisation, pool

    def call(self, inputs: KerasTensor, training: bool = False) -> KerasTensor:
        """Return the pooled outputs (batch, ..., filters) for `inputs` (batch, height, width, channels)."""
        convolution, normalisation = self.convolution, self.normalisation
        gamma, beta, mean, variance = (
            variable if variable is None else ops.cast(variable, "float32")
            for variable in (
                normalisation.gamma if normalisation.scale else None,
                normalisation.beta if normalisation.center else None,
                normalisation.moving_mean,
                normalisation.moving_variance,
            )
        )
        sign = ops.ones_like(mean) if gamma is None else ops.where(gamma < 0, -1.0, 1.0)
        signs = ops.cast(sign, self.compute_dtype)
        outputs = convolution.convolution_op(inputs, convolution.kernel * signs)
        early, late = _biases(convolution)
        outputs = _plus(outputs, None if early is None else early * signs)
        if training and normalisation.trainable:
            moments = _moments(outputs)
            mean, variance = _plus(sign * moments[0], late), moments[1]
            self._remember(mean, variance)
        pooled = _plus(self.pool(outputs) * signs, late)
        normalised = ops.batch_normalization(
            ops.cast(pooled, "float32"), mean, variance, -1, beta, gamma, normalisation.epsilon
        )
        return ops.cast(normalised, self.compute_dtype)

    def _remember(self, mean: KerasTensor, variance: KerasTensor) -> None:
        past = self.normalisation.momentum
        for moving, value in (
            (self.normalisation.moving_mean, mean),
            (self.normalisation.moving_variance, variance),
        ):
            moving.assign(moving * past + value * (1 - past))


def _biases(convolution: layers.Conv2D) -> tuple[KerasTensor | None, KerasTensor | None]:
    """Return the bias to add before the pool and the one to add after it, or None."""
    bias = convolution.bias if convolution.use_bias else None
    return (None, bias) if convolution.compute_dtype == "float32" else (bias, None)


def _plus(x: KerasTensor, bias: KerasTensor | None) -> KerasTensor:
    return x if bias is None else ops.add(x, bias)


@ops.custom_gradient
def _moments(x: KerasTensor) -> tuple[KerasTensor, object]:
    """Return the mean and the variance of each channel, (2, n_channels), in float32.

    Sums are products with a vector of ones, which TensorFlow computes faster than it reduces axes.
    """
    values = ops.reshape(ops.cast(x, "float32"), (-1, x.shape[-1]))
    ones = ops.ones((1, ops.shape(values)[0]))
    n = ops.cast(ops.shape(values)[0], "float32")
    mean = ops.matmul(ones, values)[0] / n
    differences = values - mean
    variance = ops.matmul(ones, differences * differences)[0] / n

    def gradient(*arguments: KerasTensor, upstream: KerasTensor | None = None) -> KerasTensor:
        given = arguments[0] if upstream is None else upstream
        slope = given[1] * (2 / n)
        return ops.cast(ops.cast(x, "float32") * slope + (given[0] / n - mean * slope), x.dtype)

    return ops.stack([mean, variance]), gradient
