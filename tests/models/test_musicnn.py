"""musicnn in Keras and in NumPy, against its checkpoint in a graph of TensorFlow 1."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from genredag.models.musicnn import musicnn
from genredag.spectrograms.musicnn import N_FRAMES, N_MELS, layers
from genredag.spectrograms.musicnn_weights import EPSILON, _stored, obtain_checkpoint, read_variables

# In float32, of layers whose values reach 140.
TOLERANCE = 5e-4


@pytest.fixture(scope="module")
def patches():
    return np.random.default_rng(0).uniform(0, 3, (3, N_FRAMES, N_MELS)).astype(np.float32)


def random_variables():
    rng = np.random.default_rng(0)
    positive = ("gamma", "moving_variance")
    return {
        name: (rng.uniform(0.5, 1, shape) if name.endswith(positive) else rng.normal(0, 0.05, shape)).astype(
            np.float32
        )
        for name, shape in _stored()
        if not name.endswith(("/Adam", "/Adam_1", "_power"))
    }


def test_both_ports_agree_on_any_weights(patches):
    variables = random_variables()
    by_keras = musicnn(N_FRAMES, variables).predict(patches, verbose=0)
    by_numpy = [layers(patch, variables) for patch in patches]
    for name, values in by_keras.items():
        expected = np.stack([one[name] for one in by_numpy])
        assert np.abs(values - expected).max() <= 1e-5 * max(1, np.abs(expected).max()), name


def test_patches_may_have_another_length(patches):
    found = musicnn(93).predict(patches[:, :93], verbose=0)
    assert found["cnn3"].shape == (3, 93, 64)
    assert found["penultimate"].shape == (3, 200)


def published(patches: np.ndarray, checkpoint: str) -> dict[str, np.ndarray]:
    """Return the layers of musicnn's own graph (its ``models.py``), with the variables of a checkpoint."""
    tf = pytest.importorskip("tensorflow")
    v1 = tf.compat.v1

    def variable(name):
        return v1.get_variable(name, dict(reader.get_variable_to_shape_map())[name], tf.float32)

    def normalised(x, number):
        name = f"batch_normalization_{number}" if number else "batch_normalization"
        parts = [variable(f"{name}/{p}") for p in ("moving_mean", "moving_variance", "beta", "gamma")]
        return tf.nn.batch_normalization(x, *parts, EPSILON)

    def block(x, number, padding):
        name = f"conv2d_{number}" if number else "conv2d"
        x = tf.nn.conv2d(x, variable(f"{name}/kernel"), 1, padding)
        return normalised(tf.nn.relu(x + variable(f"{name}/bias")), number + 1)

    def pooled(x):
        width = x.shape[2]
        return tf.squeeze(v1.nn.max_pool(x, [1, 1, width, 1], [1, 1, width, 1], "VALID"), [2])

    def padded(x):
        return tf.pad(x, [[0, 0], [3, 3], [0, 0], [0, 0]])

    reader = tf.train.load_checkpoint(checkpoint)
    with tf.Graph().as_default(), v1.Session() as session:
        x = normalised(tf.constant(patches)[..., None], 0)
        front = [pooled(block(padded(x), i, "VALID")) for i in (0, 1)]
        front += [pooled(block(x, i, "SAME")) for i in (2, 3, 4)]
        first = tf.concat(front, 2)[..., None]
        maps = [tf.transpose(block(padded(first), 5, "VALID"), [0, 1, 3, 2])]
        for i in (6, 7):
            maps.append(tf.transpose(block(padded(maps[-1]), i, "VALID"), [0, 1, 3, 2]) + maps[-1])
        joined = tf.concat([first, *maps], 2)
        flat = tf.concat([tf.reduce_max(joined, 1), tf.reduce_mean(joined, 1)], 2)
        flat = tf.reshape(flat, [len(patches), -1])
        dense = normalised(flat, 9) @ variable("dense/kernel") + variable("dense/bias")
        penultimate = normalised(tf.nn.relu(dense), 10)
        logits = penultimate @ variable("dense_1/kernel") + variable("dense_1/bias")
        outputs = {
            **{"timbral": tf.concat(front[:2], 2), "temporal": tf.concat(front[2:], 2)},
            **{f"cnn{i}": tf.squeeze(one, 3) for i, one in enumerate(maps, start=1)},
            **{"pooled": flat, "penultimate": penultimate, "tags": tf.nn.sigmoid(logits)},
        }
        v1.train.Saver().restore(session, checkpoint)
        return session.run(outputs)


@pytest.mark.slow
def test_every_layer_is_that_of_the_checkpoint_in_tensorflow(patches, musicnn_weights, tmp_path):
    variables = read_variables(obtain_checkpoint(musicnn_weights, tmp_path))
    expected = published(patches, str(Path(musicnn_weights) / "msd_musicnn"))
    by_keras = musicnn(N_FRAMES, variables).predict(patches, verbose=0)
    by_numpy = [layers(patch, variables) for patch in patches]
    assert expected.keys() == by_keras.keys() == by_numpy[0].keys()
    for name, values in expected.items():
        assert np.abs(by_keras[name] - values).max() < TOLERANCE, name
        assert np.abs(np.stack([one[name] for one in by_numpy]) - values).max() < TOLERANCE, name
