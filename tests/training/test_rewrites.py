"""Networks rewritten to train faster: the same predictions, gradients and rates of dropout."""

import numpy as np
import pytest

pytest.importorskip("tensorflow")
import keras
from keras import layers

from genredag.training import rewrites
from genredag.training.rewrites import ByteDropout, PooledConvolution, PooledNormalisation, rewritten

SLICES = np.random.default_rng(0).normal(size=(16, 9, 12, 2)).astype(np.float32)
LABELS = np.arange(16) % 3


def kinds(model):
    return [type(layer) for layer in model.layers]


def network(*middle, dtype="float32"):
    """Build a classifier of `SLICES` with some layers in the middle."""
    with_dtype = keras.dtype_policies.get(dtype)
    x = inputs = keras.Input(SLICES.shape[1:])
    for layer in middle:
        layer.dtype_policy = with_dtype
        x = layer(x)
    return keras.Model(inputs, layers.Dense(3, activation="softmax", dtype="float32")(layers.Flatten()(x)))


def values_of(model):
    """Return the values of trained variables and of moving averages."""
    return {variable.path: np.asarray(variable) for variable in model.weights}


def step(model):
    """Return the values after a step of plain gradient descent, which is taken back."""
    start = model.get_weights()
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    model.train_on_batch(SLICES, LABELS)
    after = values_of(model)
    model.set_weights(start)
    return after


def check_steps(model, fast):
    """Check that a step of gradient descent does the same to the values of two networks."""
    expected, actual, before = step(model), step(fast), values_of(model)
    assert expected.keys() == actual.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(actual[name], value, atol=1e-5, err_msg=name)
    (filters,) = [name for name in before if name.startswith("conv2d") and name.endswith("kernel")]
    assert (actual[filters] != before[filters]).any()


def check_predictions(model):
    actual, expected = (np.asarray(m.predict_on_batch(SLICES)) for m in (rewritten(model), model))
    # The same bits, unless XLA fuses operations: it then rounds elsewhere.
    np.testing.assert_allclose(
        actual, expected, rtol=0, atol=0 if keras.config.backend() == "tensorflow" else 1e-2
    )


def dropped(rate, n_calls=400, shape=(8, 25)):
    """Return the values of ones after dropout, (n_calls, *shape)."""
    keras.utils.set_random_seed(1)
    layer = ByteDropout(layers.Dropout(rate))
    return np.stack([layer(np.ones(shape, np.float32), training=True) for _ in range(n_calls)])


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("activation", ["relu", "linear"])
@pytest.mark.parametrize("use_bias", [True, False])
def test_a_pooled_convolution_has_the_same_outputs_and_gradients(activation, padding, use_bias):
    keras.utils.set_random_seed(1)
    convolution = layers.Conv2D(
        4,
        3,
        activation=activation,
        use_bias=use_bias,
        bias_initializer="random_normal",
        kernel_regularizer="l2",
    )
    model = network(convolution, layers.MaxPooling2D((2, 3), padding=padding))
    fast = rewritten(model)
    assert PooledConvolution in kinds(fast)
    check_predictions(model)
    assert len(fast.trainable_variables) == 3 + use_bias
    check_steps(model, fast)


@pytest.mark.parametrize(
    "activation", [None, layers.ReLU(), layers.LeakyReLU(negative_slope=0.2)], ids=["none", "relu", "leaky"]
)
@pytest.mark.parametrize("options", [{}, {"scale": False}, {"center": False, "axis": 3}], ids=str)
@pytest.mark.parametrize("use_bias", [True, False])
def test_normalisation_after_the_pool_has_the_same_outputs_gradients_and_moving_averages(
    options, activation, use_bias
):
    keras.utils.set_random_seed(1)
    convolution = layers.Conv2D(8, 3, use_bias=use_bias, bias_initializer="random_normal")
    normalisation = layers.BatchNormalization(
        momentum=0.8, gamma_initializer=keras.initializers.RandomNormal(0, 1), **options
    )
    pool = layers.MaxPooling2D((2, 3))
    model = network(convolution, normalisation, *([activation] if activation else []), pool)
    normalisation.moving_mean.assign(np.linspace(-1, 1, 8))
    normalisation.moving_variance.assign(np.linspace(0.1, 2, 8))
    if normalisation.scale:
        assert (np.asarray(normalisation.gamma) < 0).any() and (np.asarray(normalisation.gamma) > 0).any()
    fast = rewritten(model)
    assert PooledNormalisation in kinds(fast) and layers.BatchNormalization not in kinds(fast)
    check_predictions(model)
    check_steps(model, fast)


def test_frozen_normalisation_keeps_its_moving_averages():
    normalisation = layers.BatchNormalization()
    normalisation.trainable = False
    model = network(layers.Conv2D(4, 3), normalisation, layers.MaxPooling2D(2))
    fast = rewritten(model)
    assert PooledNormalisation in kinds(fast)
    check_steps(model, fast)
    assert (np.asarray(normalisation.moving_mean) == 0).all()


def test_moments_are_those_of_a_large_batch():
    values = np.random.default_rng(0).normal(30, 0.1, (32, 100, 100, 3)).astype(np.float32)
    mean, variance = np.asarray(rewrites._moments(values))
    np.testing.assert_allclose(mean, values.mean((0, 1, 2), dtype=np.float64), rtol=1e-5)
    np.testing.assert_allclose(variance, values.var((0, 1, 2), dtype=np.float64), rtol=1e-3)


@pytest.mark.parametrize("normalised", [False, True])
def test_in_reduced_precision_outputs_are_the_same(normalised):
    keras.utils.set_random_seed(1)
    convolution = layers.Conv2D(4, 3, bias_initializer="random_normal")
    gamma = keras.initializers.RandomNormal(0, 1)
    middle = [layers.BatchNormalization(gamma_initializer=gamma)] * normalised
    model = network(convolution, *middle, layers.ReLU(), layers.MaxPooling2D(2), dtype="mixed_bfloat16")
    check_predictions(model)


def test_in_reduced_precision_moving_averages_and_gradients_are_nearly_the_same():
    keras.utils.set_random_seed(1)
    gamma = keras.initializers.RandomNormal(0, 1)
    middle = [layers.Conv2D(4, 3), layers.BatchNormalization(gamma_initializer=gamma), layers.MaxPooling2D(2)]
    model = network(*middle, dtype="mixed_bfloat16")
    expected, actual, before = step(model), step(rewritten(model)), values_of(model)
    for name, value in expected.items():
        if not name.startswith("conv2d") or name.endswith("kernel"):
            change, theirs = actual[name] - before[name], value - before[name]
            assert np.linalg.norm(change - theirs) < 0.1 * np.linalg.norm(theirs), name


def test_what_does_not_commute_with_the_pool_or_is_used_elsewhere_stays():
    tanh = network(layers.Conv2D(4, 3, activation="tanh"), layers.MaxPooling2D(2))
    penalised = network(layers.Conv2D(4, 3, activity_regularizer="l2"), layers.MaxPooling2D(2))
    averaged = network(layers.Conv2D(4, 3), layers.AveragePooling2D(2))
    bumpy = network(layers.Conv2D(4, 3), layers.Activation("swish"), layers.MaxPooling2D(2))
    late = network(
        layers.Conv2D(4, 3, activation="relu"), layers.BatchNormalization(), layers.MaxPooling2D(2)
    )
    rows = network(layers.Conv2D(4, 3), layers.BatchNormalization(axis=1), layers.MaxPooling2D(2))
    others = [
        network(layers.Conv2D(4, 3), *between, layers.MaxPooling2D(2))
        for between in (
            [layers.BatchNormalization(), layers.BatchNormalization()],
            [layers.ReLU(), layers.BatchNormalization()],
            [layers.ReLU(), layers.LeakyReLU()],
            [layers.ReLU(activity_regularizer="l2")],
            [layers.BatchNormalization(activity_regularizer="l2")],
        )
    ]
    for model in (tanh, penalised, averaged, bumpy, late, rows, *others):
        assert kinds(rewritten(model)) == kinds(model)
    inputs = keras.Input(SLICES.shape[1:])
    x = layers.Conv2D(4, 3)(inputs)
    both = layers.Concatenate()([layers.Flatten()(x), layers.Flatten()(layers.MaxPooling2D(2)(x))])
    model = keras.Model(inputs, both)
    check_predictions(model)


def test_a_frozen_convolution_stays_frozen():
    convolution = layers.Conv2D(4, 3)
    convolution.trainable = False
    fast = rewritten(network(convolution, layers.MaxPooling2D(2)))
    assert PooledConvolution in kinds(fast)
    assert len(fast.trainable_variables) == 2 and len(fast.non_trainable_variables) == 2


def test_training_changes_the_weights_of_the_original():
    keras.utils.set_random_seed(1)
    model = network(layers.Conv2D(4, 3), layers.MaxPooling2D(2), layers.Dropout(0.5))
    before, fast = model.get_weights(), rewritten(model)
    fast.compile("adam", "sparse_categorical_crossentropy")
    fast.train_on_batch(SLICES, LABELS)
    for old, new, shared in zip(before, model.get_weights(), fast.get_weights(), strict=True):
        assert (old != new).any()
        np.testing.assert_array_equal(new, shared)


@pytest.mark.parametrize("rate", [0.001, 0.1, 0.25, 0.5, 0.9])
def test_dropout_drops_the_given_share_and_scales_the_rest(rate):
    values = dropped(rate)
    share = (values == 0).mean()
    # Thresholds are shared by the values of a call, and move the rate by less than 1/256.
    deviation = np.sqrt(rate * (1 - rate) / values.size + 1 / 256**2 / 4 / len(values))
    assert share == pytest.approx(rate, abs=5 * deviation)
    np.testing.assert_allclose(np.unique(values[values > 0]), [1 / (1 - rate)], rtol=1e-6)


def test_dropout_differs_between_calls_samples_and_values_and_repeats_with_the_seed():
    values = dropped(0.5, n_calls=200) > 0
    assert len(np.unique(values.reshape(200, -1), axis=0)) == 200
    assert values.mean(axis=0) == pytest.approx(np.full((8, 25), 0.5), abs=0.2)
    rows = values.reshape(-1, 25).astype(float)
    correlations = np.corrcoef(rows.T)[~np.eye(25, dtype=bool)]
    assert abs(correlations).max() < 5 / np.sqrt(len(rows))
    np.testing.assert_array_equal(values, dropped(0.5, n_calls=200) > 0)


def test_dropout_does_nothing_outside_training():
    layer = ByteDropout(layers.Dropout(0.5))
    np.testing.assert_array_equal(layer(SLICES, training=False), SLICES)
    np.testing.assert_array_equal(layer(SLICES), SLICES)


@pytest.mark.parametrize(
    "dropout", [layers.Dropout(0), layers.Dropout(0.999), layers.Dropout(0.5, (None, 1, 1, 2))]
)
def test_other_dropout_is_left_to_keras(dropout):
    assert ByteDropout not in kinds(rewritten(network(dropout)))
    assert ByteDropout in kinds(rewritten(network(layers.Dropout(0.5))))


def test_dropout_of_an_unknown_size_is_left_to_keras():
    inputs = keras.Input((None, 6))
    assert ByteDropout not in kinds(rewritten(keras.Model(inputs, layers.Dropout(0.5)(inputs))))


def test_a_layer_may_be_called_by_keyword():
    inputs = keras.Input((6,))
    model = keras.Model(inputs, layers.Dense(2)(inputs=inputs))
    assert kinds(rewritten(model)) == kinds(model)


def test_dropout_continues_from_a_state_that_checkpoints_have():
    dropout = layers.Dropout(0.1)
    state, layer = dropout.seed_generator.state, ByteDropout(dropout)
    assert any(variable is state for variable in layer.variables)
    start = np.asarray(state).copy()
    first, second = (np.asarray(layer(SLICES, training=True)) for _ in "ab")
    assert (first != second).any()
    state.assign(start)
    for expected in (first, second):
        np.testing.assert_array_equal(layer(SLICES, training=True), expected)
