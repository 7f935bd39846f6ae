"""ONNX files for tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest


def write_encoder(path: Path, shape: Sequence[int | str] = (1, "n_samples")) -> Path:
    """Write an encoder of samples of this shape.

    Its outputs are ``embedding`` (1, 3): mean, mean magnitude and mean square; ``steps`` (1, 2, 3): the same
    twice; and ``labels`` (1, 3), integers.
    """
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    def node(kind: str, given: str, returned: str, **attributes: object) -> object:
        return helper.make_node(kind, given.split(), returned.split(), **attributes)

    constants = {"row": [1, -1], "one": [1], "twice": [1, 2, 3], "axis": [1]}
    nodes = [
        node("Reshape", "samples row", "x"),
        node("Abs", "x", "magnitude"),
        node("Mul", "x x", "square"),
        *(node("ReduceMean", f"{name} axis", f"mean_{name}") for name in ("x", "magnitude", "square")),
        node("Concat", "mean_x mean_magnitude mean_square", "embedding", axis=1),
        node("Unsqueeze", "embedding one", "step"),
        node("Expand", "step twice", "steps"),
        node("Cast", "embedding", "labels", to=TensorProto.INT64),
    ]
    value = helper.make_tensor_value_info
    outputs = [value("embedding", TensorProto.FLOAT, [1, 3]), value("steps", TensorProto.FLOAT, [1, 2, 3])]
    graph = helper.make_graph(
        nodes,
        "encoder",
        [value("samples", TensorProto.FLOAT, list(shape))],
        [*outputs, value("labels", TensorProto.INT64, [1, 3])],
        [numpy_helper.from_array(np.array(v, np.int64), name) for name, v in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path
