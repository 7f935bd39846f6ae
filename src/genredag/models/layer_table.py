"""The architecture of a trained model: a row for each layer of a network or step of an estimator."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    import keras
    from sklearn.base import BaseEstimator, ClassifierMixin


class Row(TypedDict):
    """A layer of a network or a step of an estimator; see `layers`."""

    name: str
    kind: str
    output_shape: list[int | None]
    n_parameters: int | None


def layers(model: keras.Model | ClassifierMixin) -> list[Row]:
    """Return the layers or steps of `model`, in order.

    Parameters
    ----------
    model
        A built Keras network; or a fitted scikit-learn classifier or pipeline, calibrated or not.

    Returns
    -------
    list of dict
        name; kind, its class; output_shape, without the batch and with None for the number of windows;
        n_parameters, None for estimators.
    """
    return list(_layers(model) if hasattr(model, "count_params") else _steps(model))


def _layers(network: keras.Model) -> Iterator[Row]:
    for layer in network.layers:
        shape = list(layer.output.shape[1:])
        kind = type(layer).__name__
        yield {"name": layer.name, "kind": kind, "output_shape": shape, "n_parameters": layer.count_params()}


def _steps(estimator: ClassifierMixin) -> Iterator[Row]:
    fitted, calibration = estimator, None
    if hasattr(estimator, "calibrated_classifiers_"):
        fitted, calibration = estimator.calibrated_classifiers_[0].estimator, estimator
        fitted = getattr(fitted, "estimator", fitted)
    steps = [(name, step) for name, step in getattr(fitted, "steps", [("classify", fitted)])]
    steps = [(name, step) for name, step in steps if step != "passthrough"]
    n_classes = len(estimator.classes_)
    # The output of a step is the input of the next one.
    for (name, step), (_, after) in pairwise([*steps, ("", None)]):
        yield _step(name, step, n_classes if after is None else after.n_features_in_)
    if calibration is not None:
        yield _step("calibrate", calibration, n_classes)


def _step(name: str, step: BaseEstimator, size: int) -> Row:
    return {"name": name, "kind": type(step).__name__, "output_shape": [int(size)], "n_parameters": None}
