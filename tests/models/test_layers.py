import numpy as np

from genredag.models.layers import bins_to_channels, conv_block, dense_stack


def test_bins_to_channels():
    x = np.arange(24).reshape(1, 2, 3, 4)
    sequence = np.asarray(bins_to_channels(x))
    assert sequence.shape == (1, 3, 8)
    np.testing.assert_array_equal(sequence[0, 1], [*x[0, 0, 1], *x[0, 1, 1]])


def test_conv_block_pools_no_more_than_there_is():
    import keras

    for size, expected in (((8, 9), (4, 3)), ((1, 2), (1, 1))):
        inputs = keras.Input((*size, 1))
        outputs = conv_block(inputs, 5, pool=(2, 3), dropout=0.1)
        assert outputs.shape == (None, *expected, 5)
        noise = np.random.default_rng(0).normal(size=(4, *size, 1))
        assert np.asarray(keras.Model(inputs, outputs)(noise)).min() == 0


def test_dense_stack():
    import keras

    assert dense_stack(keras.Input((7,)), (5, 3)).shape == (None, 3)
