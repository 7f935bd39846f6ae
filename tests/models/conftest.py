"""What tests of several network families share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from genredag.models.registry import learner


@pytest.fixture(scope="session")
def build() -> Callable:
    """Give ``build(name, shape, n_classes, **options)``: a registered network for inputs of `shape`."""

    def build(name: str, shape: tuple[int, int, int], n_classes: int = 10, **options: object):
        import keras

        inputs = keras.Input(shape)
        learner(name).check_size(*shape[:2], options)
        return keras.Model(inputs, learner(name).build(inputs, n_classes, **options))

    return build


@pytest.fixture(scope="session")
def check_probabilities() -> Callable:
    """Give a check that a network turns noise into finite probabilities that sum to 1."""

    def check(network) -> None:
        noise = np.random.default_rng(0).normal(size=(2, *network.input_shape[1:])).astype(np.float32)
        p = np.asarray(network(noise))
        assert p.dtype == np.float32
        assert p.shape == (2, network.output_shape[1])
        assert np.isfinite(p).all() and (p >= 0).all()
        np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=1e-5)

    return check
