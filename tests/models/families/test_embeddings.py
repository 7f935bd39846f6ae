"""Networks on embeddings, and the published weights that one of them starts from."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from genredag.models.families import embeddings
from genredag.spectrograms.musicnn_weights import EPSILON


@pytest.fixture
def variables(monkeypatch):
    """Random weights in place of the published ones."""
    rng = np.random.default_rng(0)
    shapes = {"dense/kernel": (1506, 200), "dense/bias": (200,)}
    for norm, size in (("batch_normalization_9", 1506), ("batch_normalization_10", 200)):
        shapes |= {f"{norm}/{part}": (size,) for part in ("gamma", "beta", "moving_mean", "moving_variance")}
    found = {name: rng.uniform(0.1, 1, shape).astype(np.float32) for name, shape in shapes.items()}
    found["dense/kernel"] -= 0.5
    monkeypatch.setattr(embeddings, "obtain_checkpoint", lambda weights, cache_dir: None)
    monkeypatch.setattr(embeddings, "read_variables", lambda path: found)
    return found


def test_musicnn_ft_starts_as_musicnn(build, check_probabilities, variables):
    """On data with the mean and variance of musicnn's own, its last layer but one has musicnn's values."""
    model = build("musicnn_ft", (1506, 1, 1), dropout=0.5)
    check_probabilities(model)
    embeddings.start_from_musicnn(model)

    def normalised(x, number):
        mean, variance, gamma, beta = (
            variables[f"batch_normalization_{number}/{part}"]
            for part in ("moving_mean", "moving_variance", "gamma", "beta")
        )
        return (x - mean) / np.sqrt(variance + EPSILON) * gamma + beta

    pooled = np.random.default_rng(1).uniform(0, 2, (4, 1506)).astype(np.float32)
    dense = normalised(pooled, 9) @ variables["dense/kernel"] + variables["dense/bias"]
    expected = normalised(np.maximum(dense, 0), 10)
    mean, variance = (variables[f"batch_normalization_9/moving_{part}"] for part in ("mean", "variance"))
    standardised = ((pooled - mean) / np.sqrt(variance + EPSILON)).reshape(4, 1506, 1, 1)
    penultimate = keras.Model(model.input, model.get_layer("batch_normalization_10").output)
    np.testing.assert_allclose(penultimate.predict(standardised, verbose=0), expected, rtol=1e-3, atol=1e-3)


def test_all_layers_of_musicnn_ft_are_trained(build):
    model = build("musicnn_ft", (1506, 1, 1), dropout=0.5)
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == 1507 * 200 + 2 * 200 + 201 * 10
