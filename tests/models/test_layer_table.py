import numpy as np
import pytest

from genredag.models.layer_table import layers
from genredag.models.registry import learner


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(30, 6)), np.repeat([0, 1, 2], 10)


def test_a_network_is_listed_by_layer():
    import keras

    inputs = keras.Input((4, 5), name="slice")
    x = keras.layers.LSTM(3, name="lstm")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2, name="genres")(x))
    assert layers(model) == [
        {"name": "slice", "kind": "InputLayer", "output_shape": [4, 5], "n_parameters": 0},
        {"name": "lstm", "kind": "LSTM", "output_shape": [3], "n_parameters": 4 * 3 * (5 + 3 + 1)},
        {"name": "genres", "kind": "Dense", "output_shape": [2], "n_parameters": 8},
    ]
    assert sum(row["n_parameters"] for row in layers(model)) == model.count_params()


def test_an_estimator_is_listed_by_step(data):
    options = {"max_iter": 100, "C": 1.0, "l1_ratio": 0.0, "min_variance": 0.0, "selection_trees": 10}
    model = learner("logistic_regression").build(**options, seed=1).fit(*data)
    rows = layers(model)
    assert [row["kind"] for row in rows] == [
        *("StandardScaler", "VarianceThreshold", "SelectFromModel", "LogisticRegression")
    ]
    n_selected = int(model["select"].get_support().sum())
    assert [row["output_shape"] for row in rows] == [[6], [6], [n_selected], [3]]


def test_calibration_is_the_last_step_and_passthrough_is_omitted(data):
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator

    options = {"C": 1.0, "kernel": "rbf", "gamma": "scale", "min_variance": 0.0, "selection_trees": 0}
    model = learner("svm_rbf").build(**options, seed=1).fit(*data)
    rows = np.arange(30)
    calibrated = CalibratedClassifierCV(FrozenEstimator(model), method="temperature", cv=[(rows, rows)])
    table = layers(calibrated.fit(*data))
    assert [row["name"] for row in table] == ["scale", "variance", "classify", "calibrate"]
    assert table[-1] == {
        "name": "calibrate", "kind": "CalibratedClassifierCV", "output_shape": [3], "n_parameters": None
    }  # fmt: skip
