"""Small networks on embeddings of pretrained encoders, such as the representation ``musicnn``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genredag.models.layers import probabilities
from genredag.models.options import Count, Share
from genredag.models.registry import network
from genredag.params.groups.spectrograms import PUBLISHED
from genredag.runtime.cache import default_cache_dir
from genredag.spectrograms.musicnn_weights import DENSE, EPSILON, obtain_checkpoint, read_variables

if TYPE_CHECKING:
    import keras
    from keras import KerasTensor


@network(
    "mlp_embedding",
    paper="genredag, for embeddings of pretrained encoders",
    published_input=(200, 1, 1),
    features="bin_means",
)
def mlp_embedding(x: KerasTensor, n_classes: int, *, units: Count, dropout: Share) -> KerasTensor:
    """Return class probabilities from the mean of each column, after one hidden layer."""
    import keras

    x = keras.layers.Dropout(dropout)(keras.layers.Flatten()(x))
    x = keras.layers.Dense(units, activation="relu")(x)
    return probabilities(keras.layers.Dropout(dropout)(x), n_classes)


def start_from_musicnn(model: keras.Model) -> None:
    """Give a network the weights of musicnn's dense layer and of the normalisations around it.

    The published normalisation before the dense layer becomes part of its weights, without its mean and
    variance: inputs are normalised with those of the training slices instead.

    Raises
    ------
    ModelError
        The weights can't be obtained.
    """
    variables = read_variables(obtain_checkpoint(PUBLISHED, default_cache_dir()))
    gamma, beta = (variables[f"batch_normalization_9/{part}"] for part in ("gamma", "beta"))
    kernel, bias = variables["dense/kernel"], variables["dense/bias"]
    model.get_layer("dense").set_weights([gamma[:, None] * kernel, beta @ kernel + bias])
    parts = ("gamma", "beta", "moving_mean", "moving_variance")
    norm = [variables[f"batch_normalization_10/{part}"] for part in parts]
    model.get_layer("batch_normalization_10").set_weights(norm)


@network(
    "musicnn_ft",
    paper="Pons & Serra, ISMIR 2019; the new classifier is ours",
    published_input=(DENSE[0][0], 1, 1),
    features="bin_means",
    n_columns=DENSE[0][0],
    start=start_from_musicnn,
)
def musicnn_ft(x: KerasTensor, n_classes: int, *, dropout: Share) -> KerasTensor:
    """Return class probabilities from musicnn's pooled features: its dense layer, trained on, and a new one.

    Training starts from the published weights; see `start_from_musicnn`.
    """
    from keras import layers

    x = layers.Dropout(dropout)(layers.Flatten()(x))
    x = layers.Dense(DENSE[0][1], activation="relu", name="dense")(x)
    x = layers.BatchNormalization(epsilon=EPSILON, name="batch_normalization_10")(x)
    return probabilities(layers.Dropout(dropout)(x), n_classes)
