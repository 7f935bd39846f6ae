import keras
import numpy as np
import pytest

from genredag.byte_dropout import ByteDropout


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize(
    ("rate", "rounded"), [(0.25, 0.25), (0.1, 26 / 256), (0.5, 0.5), (0.999, 1 - 1 / 256)]
)
def test_drops_its_rate_everywhere_and_keeps_the_mean(rate, rounded, dtype):
    y = np.asarray(ByteDropout(rate, seed=0, dtype=dtype)(np.ones((64, 31, 9, 5)), training=True), np.float64)
    assert set(np.unique(y)) == {0.0, y.max()}
    assert y.max() == pytest.approx(1 / (1 - rounded), rel=0.005)
    n = y.size
    assert np.mean(y == 0) == pytest.approx(rounded, abs=5 * np.sqrt(rounded * (1 - rounded) / n))
    by_place = (y == 0).mean(axis=0)
    assert np.abs(by_place - rounded).max() < 6 * np.sqrt(0.25 / 64)


def test_neighbours_are_independent():
    dropped = np.asarray(ByteDropout(0.5, seed=1)(np.ones((8, 4000)), training=True)) == 0
    for lag in (1, 2, 3, 4, 8):
        assert np.mean(dropped[:, lag:] == dropped[:, :-lag]) == pytest.approx(0.5, abs=0.02)
    assert np.mean(dropped[1:] == dropped[:-1]) == pytest.approx(0.5, abs=0.02)


def test_draws_anew_and_repeats_with_a_seed():
    x = np.ones((4, 100))
    layer = ByteDropout(0.5, seed=3)
    first, second = (np.asarray(layer(x, training=True)) for _ in range(2))
    assert (first != second).any()
    np.testing.assert_array_equal(first, ByteDropout(0.5, seed=3)(x, training=True))


@pytest.mark.parametrize(("rate", "training"), [(0.5, False), (0.0, True), (0.001, True)])
def test_otherwise_nothing_changes(rate, training):
    x = np.arange(12.0, dtype=np.float32).reshape(3, 4)
    np.testing.assert_array_equal(ByteDropout(rate)(x, training=training), x)


def test_gradients_pass_what_is_kept():
    inputs = keras.Input((50,))
    model = keras.Model(inputs, keras.layers.Dense(1, use_bias=False)(ByteDropout(0.5, seed=0)(inputs)))
    model.compile(keras.optimizers.SGD(1.0), "mse")
    before = model.get_weights()[0].copy()
    model.train_on_batch(np.ones((1, 50)), np.full((1, 1), 100.0))
    moved = model.get_weights()[0] != before
    assert 5 < moved.sum() < 45
