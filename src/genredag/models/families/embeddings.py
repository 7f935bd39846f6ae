"""Small networks on embeddings of pretrained encoders, such as the representation ``musicnn``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genredag.models.layers import probabilities
from genredag.models.options import Count, Share
from genredag.models.registry import network

if TYPE_CHECKING:
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
