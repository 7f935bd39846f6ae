"""Words for the layers of a built network, in the notation of `sheet.py`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import keras
from keras import layers as kl

Operation = keras.Operation
# What only changes a tensor's type or starts a network.
SILENT = (kl.InputLayer, kl.Identity)


def describe(model: keras.Model) -> list[str]:
    """Return a line for each layer, in the order of the data."""
    return _simplified(_Graph(model).lines())


class _Graph:
    """The operations of a network and where their inputs come from."""

    def __init__(self, model: keras.Model) -> None:
        self.operations = {operation.name: operation for operation in model.operations}
        nodes = {layer["name"]: layer["inbound_nodes"] for layer in model.get_config()["layers"]}
        self.parents = {name: _sources(calls) for name, calls in nodes.items()}
        self.order = {name: place for place, name in enumerate(nodes)}
        self.ancestors: dict[str, set[str]] = {}
        self.last = model.output._keras_history.operation.name

    def lines(self) -> list[str]:
        return self._path(self.last, None)

    def _path(self, name: str, start: str | None) -> list[str]:
        """Return the lines after the operation `start` up to the one called `name`."""
        if name == start:
            return []
        parents, own = self.parents[name], _lines(self.operations[name])
        if not parents:
            return own
        if len(parents) == 1:
            return [*self._path(parents[0], start), *own]
        fork = max(set.intersection(*map(self._ancestors, parents)), key=self.order.__getitem__)
        branches = [
            line
            for parent in parents
            for line in ("branch", *(f"  {inner}" for inner in self._path(parent, fork)))
        ]
        return [*self._path(fork, start), *branches, *own]

    def _ancestors(self, name: str) -> set[str]:
        """Return an operation and all that come before it."""
        if name not in self.ancestors:
            self.ancestors[name] = {name}.union(*map(self._ancestors, self.parents[name]))
        return self.ancestors[name]


def _sources(calls: list) -> list[str]:
    """Return the names of the operations that an operation takes tensors from."""
    found: list[str] = []

    def collect(value: object) -> None:
        if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
            found.append(value["config"]["keras_history"][0])
        elif isinstance(value, dict):
            collect(list(value.values()))
        elif isinstance(value, (list, tuple)):
            for each in value:
                collect(each)

    collect(calls)
    return found


def _lines(operation: Operation) -> list[str]:
    if isinstance(operation, keras.Model):
        return _Graph(operation).lines()
    if isinstance(operation, SILENT) or (isinstance(operation, kl.Dropout) and operation.rate == 0):
        return []
    line = DESCRIPTIONS[type(operation).__name__](operation)
    frozen = isinstance(operation, kl.Layer) and operation.weights and not operation.trainable
    return [line + ", frozen" * bool(frozen)] if line else []


def _conv(layer: kl.Conv2D | kl.Conv3D) -> str:
    assert layer.groups == 1 and set(layer.dilation_rate) == {1}
    stride = "" if set(layer.strides) == {1} else f", stride {_same(layer.strides)}"
    bias = "" if layer.use_bias else ", no bias"
    return f"conv {layer.filters} @ {_by(layer.kernel_size)}{stride}, {layer.padding}, {_name(layer)}{bias}"


def _dense(layer: kl.Dense) -> str:
    assert layer.use_bias
    decay = f", L2 {_short(layer.kernel_regularizer.l2)}" if layer.kernel_regularizer else ""
    return f"dense {layer.units}, {_name(layer)}{decay}"


def _max_pool(layer: kl.MaxPooling2D | kl.MaxPooling3D) -> str:
    assert layer.padding == "valid"
    stride = "" if layer.strides == layer.pool_size else f", stride {_same(layer.strides)}"
    return f"max-pool {_by(layer.pool_size)}{stride}"


def _lstm(layer: kl.LSTM) -> str:
    config = layer.get_config()
    assert (config["activation"], config["recurrent_activation"], config["dropout"]) == ("tanh", "sigmoid", 0)
    return f"lstm {layer.units}, {'sequence' if layer.return_sequences else 'last'}"


def _reshape(layer: kl.Reshape) -> str:
    return f"sequence {layer.target_shape[0]} x {layer.target_shape[1]}"


def _permute(layer: kl.Permute) -> str:
    assert layer.dims == (2, 1, 3)  # frames first, and bins before channels: part of "sequence"
    return ""


def _over(axes: int | Iterable[int]) -> str:
    """Name the axes of (batch, windows, bins, frames[, channels])."""
    axes = (axes,) if isinstance(axes, int) else tuple(axes)
    return {(-1,): "frames", (3,): "frames", (2, 3): "bins and frames"}[axes]


def _concatenate(operation: Operation) -> str:
    return {-1: "concatenate", 2: "concatenate bins"}[operation.axis]


def _norm(layer: kl.BatchNormalization) -> str:
    assert layer.center and layer.axis in (-1, 3)
    return f"batch norm {_short(layer.momentum)}" + ("" if layer.scale else ", no scale")


def _pad(layer: kl.ZeroPadding2D) -> str:
    width = _same(layer.padding[0] + layer.padding[1])
    return f"pad {width}" if width else ""


def _pixels(layer: kl.Rescaling) -> str:
    assert layer.name == "pixels"
    return "pixels"


DESCRIPTIONS: dict[str, Callable[[Operation], str]] = {
    "Conv2D": _conv,
    "Conv3D": _conv,
    "Dense": _dense,
    "MaxPooling2D": _max_pool,
    "MaxPooling3D": _max_pool,
    "LSTM": _lstm,
    "Reshape": _reshape,
    "Permute": _permute,
    "BatchNormalization": _norm,
    "Concatenate": _concatenate,
    "Rescaling": _pixels,
    "Add": lambda layer: "add",
    "ReLU": lambda layer: "relu",
    "LeakyReLU": lambda layer: f"leaky relu {_short(layer.negative_slope)}",
    "Dropout": lambda layer: f"dropout {_short(layer.rate)}",
    "Flatten": lambda layer: "flatten",
    "GlobalAveragePooling2D": lambda layer: "mean over the map",
    "Resizing": lambda layer: f"resize to {layer.height}x{layer.width}",
    "ZeroPadding2D": _pad,
    "Maximum": lambda operation: "",  # with the smallest number, against a division by 0
    "Sum": lambda operation: "sum",
    "TrueDivide": lambda operation: "divide",
    "Squeeze": lambda operation: "squeeze",
    "Mean": lambda operation: f"mean over {_over(operation.axis)}",
    "Std": lambda operation: f"deviation over {_over(operation.axis)}",
}


def _simplified(lines: list[str]) -> list[str]:
    """Write a convolution without activation, its max-pool and ReLU as a convolution with ReLU and a pool,
    and a division by the sum in one line.
    """
    text = "\n".join(lines)
    text = re.sub(
        r"^( *conv .*), linear\n( *max-pool .*)\n *relu$", r"\1, relu\n\2", text, flags=re.MULTILINE
    )
    return text.replace("branch\nbranch\n  sum\ndivide", "share of the sum").split("\n")


def _name(layer: kl.Layer) -> str:
    return layer.activation.__name__


def _by(size: tuple[int, ...]) -> str:
    return "x".join(map(str, size))


def _same(values: tuple[int, ...]) -> int:
    (value,) = set(values)
    return value


def _short(value: float) -> str:
    return f"{value:g}".lstrip("0") or "0"
