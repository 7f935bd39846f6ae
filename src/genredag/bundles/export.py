"""Export of a bundle as one ONNX model: normalisation, network and classifier in a single graph.

Networks are converted by tf2onnx, scikit-learn classifiers by skl2onnx. Both are needed for the export only.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from genredag.bundles.bundle import Bundle, read_bundle
from genredag.bundles.ensemble import LEAST, EnsembleBundle
from genredag.bundles.onnx_bundle import INPUT, OUTPUT, OnnxBundle, open_session
from genredag.bundles.parts import ONNX_SUFFIX, opened
from genredag.bundles.predictor import Predictor
from genredag.errors import ModelError, require
from genredag.runtime.files import atomic_path

if TYPE_CHECKING:
    import keras
    from onnx import ModelProto
    from skl2onnx.common._container import ModelComponentContainer
    from skl2onnx.common._topology import Operator, Scope
    from sklearn.base import ClassifierMixin

# The newest versions of the operators that both converters know.
OPSETS = {"": 18, "ai.onnx.ml": 3}
IR_VERSION = 8
TOLERANCE = 1e-4
_PARTS = (".json", ".md")
_FEATURES = "features"  # what a network hands to a classifier
_LEAST = "least"  # the bound of the probabilities of an ensemble's members
_N_CHECKED = 3


def export_onnx(bundle: Path, path: Path) -> float:
    """Write the bundle in the zip file `bundle` as an ONNX model to `path`.

    The model takes ``slices``, float32 (n_slices, n_frames, n_bins) in the values of the frame store. For a
    bundle on handcrafted features it takes (n_slices, n_features), or (n_slices, 1, n_features) if it is a
    network. One `over_windows` takes tracks (n_tracks, n_windows, n_frames, n_bins). An ensemble takes what
    its members take: slices, and features under the name of their set. It returns ``probabilities``, with a
    column for each genre. ``bundle.json`` and the other texts of the bundle are its metadata.

    Returns
    -------
    float
        The largest difference between its probabilities and those of the bundle, for slices of noise.

    Raises
    ------
    ModelError
        The bundle can't be read or converted, `path` isn't that of an ONNX file, or the difference exceeds
        `TOLERANCE`.
    MissingExtraError
        A converter isn't installed.
    """
    if path.suffix.lower() != ONNX_SUFFIX or path.is_dir():
        raise ModelError("can't be written", where=str(path), expected=f"a file FILE{ONNX_SUFFIX}")
    if bundle.suffix.lower() == ONNX_SUFFIX:
        raise ModelError("is exported already", where=str(bundle), expected="a model.zip")
    loaded = read_bundle(bundle)
    model = to_onnx(loaded, _texts(bundle))
    difference = _difference(loaded, model, str(bundle))
    if not difference <= TOLERANCE:
        raise ModelError(
            f"its probabilities change by {difference:.1g} in ONNX",
            where=str(bundle),
            expected=f"at most {TOLERANCE:g}",
            hint="share the bundle itself",
        )
    with atomic_path(path) as temporary:
        temporary.write_bytes(model)
    return difference


def to_onnx(bundle: Bundle | EnsembleBundle, texts: Mapping[str, str]) -> bytes:
    """Return a bundle as an ONNX model with `texts` as its metadata.

    Mixed precision becomes float32, which is more exact.

    Raises
    ------
    MissingExtraError
        A converter isn't installed.
    """
    require("onnx", *(["tf2onnx", "tensorflow"] if bundle.is_network else []))
    import onnx

    model = _product(bundle) if isinstance(bundle, EnsembleBundle) else _single(bundle)
    onnx.checker.check_model(model)
    model.producer_name, model.producer_version = "genredag", bundle.info["versions"].get("genredag", "")
    model.doc_string = f"Genres: {', '.join(bundle.class_names)}"
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, dict(texts))
    return model.SerializeToString(deterministic=True)


def _single(bundle: Bundle) -> ModelProto:
    estimator = bundle.classifier if bundle.is_network else bundle.model
    if bundle.is_network:
        model = _network(in_float32(bundle.model), OUTPUT if estimator is None else _FEATURES)
    if estimator is not None:
        own = _estimator(estimator, _FEATURES if bundle.is_network else INPUT)
        model = _joined(model, own) if bundle.is_network else own
    return model


def _product(bundle: EnsembleBundle) -> ModelProto:
    """Return the members side by side, and the product of their probabilities as in `ensemble.product`."""
    from onnx import helper, numpy_helper

    nodes, inputs, scores = [], {}, []
    constants = [numpy_helper.from_array(np.array(LEAST, np.float32), _LEAST)]
    for i, (member, weight) in enumerate(zip(bundle.members, bundle.info["weights"], strict=True)):
        assert isinstance(member, Bundle)
        own = _member(member, f"{i}/")
        (given,), (returned,) = own.graph.input, own.graph.output
        inputs[given.name] = given
        power, names = f"{i}/weight", [f"{i}/{step}" for step in ("bounded", "log", "score")]
        constants += [*own.graph.initializer, numpy_helper.from_array(np.array(weight, np.float32), power)]
        nodes += [
            *own.graph.node,
            helper.make_node("Max", [returned.name, _LEAST], names[:1]),
            helper.make_node("Log", names[:1], names[1:2]),
            helper.make_node("Mul", [names[1], power], names[2:]),
        ]
        scores.append(names[2])
    nodes.append(helper.make_node("Sum", scores, ["scores"]))
    nodes.append(helper.make_node("Softmax", ["scores"], [OUTPUT], axis=-1))
    returned.name = OUTPUT
    graph = helper.make_graph(nodes, "ensemble", list(inputs.values()), [returned], constants)
    return _finished(helper.make_model(graph), {}, ["n_slices"])


def _member(member: Bundle, prefix: str) -> ModelProto:
    """Convert a member; names in its graph get a prefix, except for what the members share: the input."""
    from onnx import compose

    model = compose.add_prefix(_single(member), prefix)
    (given,) = model.graph.input
    taken = member.info["features"] or INPUT
    for node in model.graph.node:
        node.input[:] = [taken if name == given.name else name for name in node.input]
    given.name = taken
    return model


def in_float32(model: keras.Model) -> keras.Model:
    """Return a network with the same weights that computes in float32."""
    import keras

    text = model.to_json().replace('"mixed_bfloat16"', '"float32"')
    if text == model.to_json():
        return model
    exact = keras.models.model_from_json(text)
    exact.set_weights(model.get_weights())
    return exact


def _network(model: keras.Model, output: str) -> ModelProto:
    import tensorflow as tf
    import tf2onnx
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    tf.get_logger().setLevel("ERROR")  # tf2onnx calls functions that TensorFlow warns of

    @tf.function(input_signature=[tf.TensorSpec(model.input_shape, tf.float32, name=INPUT)])
    def call(slices: tf.Tensor) -> tf.Tensor:
        return model(slices, training=False)

    # Not with `tf2onnx.convert.from_function`, which takes constants of the normalisation for inputs.
    frozen = convert_variables_to_constants_v2(call.get_concrete_function(), lower_control_flow=False)
    (given,), (returned,) = frozen.inputs, frozen.outputs
    converted, _ = tf2onnx.convert.from_graph_def(
        frozen.graph.as_graph_def(),
        input_names=[given.name],
        output_names=[returned.name],
        opset=OPSETS[""],
    )
    axes = ["n_tracks", "n_windows"] if model.input_shape[1] is None else ["n_slices"]
    return _finished(converted, {given.name: INPUT, returned.name: output}, axes)


def _estimator(model: ClassifierMixin, given: str) -> ModelProto:
    """Convert a classifier: a pipeline, which may be calibrated by a temperature."""
    require("skl2onnx")
    from onnx import compose
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType
    from skl2onnx.shape_calculators.scaler import calculate_sklearn_scaler_output_shapes
    from sklearn.pipeline import Pipeline

    from genredag.models.soft_limit import SoftLimit

    pipeline, inverse_temperature = _uncalibrated(model)
    # skl2onnx doesn't know the step "passthrough".
    pipeline = Pipeline([step for step in pipeline.steps if step[1] != "passthrough"])
    raw = {"raw_scores": True} if inverse_temperature is not None else {}
    with warnings.catch_warnings(action="ignore", category=FutureWarning):  # it reads deprecated attributes
        converted = convert_sklearn(
            pipeline,
            initial_types=[(given, FloatTensorType([None, pipeline.n_features_in_]))],
            options={id(pipeline): {"zipmap": False}, **({id(pipeline[-1]): raw} if raw else {})},
            custom_conversion_functions={SoftLimit: _convert_soft_limit},
            custom_shape_calculators={SoftLimit: calculate_sklearn_scaler_output_shapes},
            target_opset=OPSETS,
        )
    converted = compose.add_prefix(converted, "classifier/")
    label, scores = converted.graph.output
    converted.graph.output.remove(label)
    returned = scores.name
    if inverse_temperature is not None:
        returned = _with_softmax(converted, returned, inverse_temperature)
    return _finished(converted, {converted.graph.input[0].name: given, returned: OUTPUT}, ["n_slices"])


def _convert_soft_limit(scope: Scope, operator: Operator, container: ModelComponentContainer) -> None:
    """Add the nodes of a `SoftLimit` to what skl2onnx makes of a pipeline."""
    from onnx import TensorProto

    limit, (given,), (returned,) = scope.get_unique_variable_name("limit"), operator.inputs, operator.outputs
    scaled, squashed = (scope.get_unique_variable_name(name) for name in ("scaled", "squashed"))
    container.add_initializer(limit, TensorProto.FLOAT, [], [operator.raw_operator.limit])
    container.add_node("Div", [given.full_name, limit], scaled, name=scope.get_unique_operator_name("Div"))
    container.add_node("Tanh", scaled, squashed, name=scope.get_unique_operator_name("Tanh"))
    container.add_node(
        "Mul", [squashed, limit], returned.full_name, name=scope.get_unique_operator_name("Mul")
    )


def _uncalibrated(model: ClassifierMixin) -> tuple[ClassifierMixin, float | None]:
    """Return a classifier and, if it was calibrated after training, its inverse temperature."""
    from sklearn.calibration import CalibratedClassifierCV

    if not isinstance(model, CalibratedClassifierCV):
        return model, None
    (calibrated,) = model.calibrated_classifiers_
    (temperature,) = calibrated.calibrators
    return calibrated.estimator.estimator, float(temperature.beta_)


def _with_softmax(model: ModelProto, scores: str, inverse_temperature: float) -> str:
    """Append the softmax of scaled `scores` to a model; return the name of the new output."""
    from onnx import helper, numpy_helper

    graph, names = model.graph, ("inverse_temperature", "scaled", "calibrated")
    graph.initializer.append(numpy_helper.from_array(np.array([inverse_temperature], np.float32), names[0]))
    graph.node.append(helper.make_node("Mul", [scores, names[0]], [names[1]]))
    graph.node.append(helper.make_node("Softmax", [names[1]], [names[2]], axis=-1))
    graph.output[0].name = names[2]
    return names[2]


def _joined(network: ModelProto, classifier: ModelProto) -> ModelProto:
    """Return a network followed by a classifier of its output."""
    from onnx import compose

    return compose.merge_models(network, classifier, io_map=[(_FEATURES, _FEATURES)])


def _finished(model: ModelProto, names: Mapping[str, str], axes: list[str]) -> ModelProto:
    """Rename inputs and outputs and their first axes, and set the versions of the operators."""
    from onnx import helper

    graph = model.graph
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    for value in (*graph.input, *graph.output):
        value.name = names.get(value.name, value.name)
        for dimension, axis in zip(value.type.tensor_type.shape.dim, axes, strict=False):
            dimension.dim_param = axis
    del graph.value_info[:]  # the old names; onnxruntime infers shapes
    del model.opset_import[:]
    # The converters name the oldest versions that have all operators; those are in newer versions as well.
    model.opset_import.extend(helper.make_opsetid(domain, version) for domain, version in OPSETS.items())
    model.ir_version = IR_VERSION
    return model


def _texts(bundle: Path) -> dict[str, str]:
    with opened(bundle) as archive:
        names = [name for name in archive.namelist() if name.endswith(_PARTS) and name != "architecture.json"]
        try:
            return {name: archive.read(name).decode() for name in names}
        except UnicodeDecodeError as error:
            raise ModelError(f"has a text that isn't UTF-8 ({error})", where=str(bundle)) from error


def _difference(bundle: Bundle | EnsembleBundle, model: bytes, where: str) -> float:
    """Return the largest difference between the probabilities of a bundle and of its ONNX model."""
    n_frames, frames = bundle.info["slices"]["n_frames"], bundle.info["frames"]
    noise = np.random.default_rng(0).normal(size=(_N_CHECKED, n_frames, frames["n_bins"]))
    slices = (np.asarray(frames["floor"]) / 2 + 10 * noise).astype(np.float32)
    converted = OnnxBundle(bundle.info, open_session(model, 1, where))
    return float(np.abs(_exact(bundle).predict(slices) - converted.predict(slices)).max())


def _exact(bundle: Predictor) -> Predictor:
    """Return a bundle whose networks compute in float32."""
    if isinstance(bundle, EnsembleBundle):
        return EnsembleBundle(bundle.info, tuple(map(_exact, bundle.members)))
    assert isinstance(bundle, Bundle)
    return Bundle(bundle.info, in_float32(bundle.model), bundle.classifier) if bundle.is_network else bundle
