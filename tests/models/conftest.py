"""Fixtures for tests of several network families."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from genredag.models.frozen import backbone_features
from genredag.models.registry import learner
from genredag.params.loading import load_params


@pytest.fixture(scope="session")
def build() -> Callable:
    """Give ``build(name, shape, n_classes, **options)``: a registered network for inputs of `shape`.

    Changes of ``backbone`` are laid over that of its recipe, without weights.
    """
    models = load_params(Path(__file__).resolve().parents[2] / "params.yaml").models

    def build(
        name: str, shape: tuple[int, int, int], n_classes: int = 10, backbone: dict | None = None, **options
    ):
        import keras

        inputs = x = keras.Input(shape)
        learner(name).check_size(*shape[:2], options)
        if models[name].backbone is not None:
            changes = {"weights": None, **(backbone or {})}
            x = backbone_features(x, models[name].backbone.model_copy(update=changes))
        return keras.Model(inputs, learner(name).build(x, n_classes, **options), name=name)

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
