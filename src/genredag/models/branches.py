"""Networks initialised with the filters of networks that were trained before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from genredag.errors import ModelError

if TYPE_CHECKING:
    import keras

# Suffix of the names of layers that have their weights copied.
FILTERS = "_filters"


def initialise_branches(network: keras.Model, branches: Iterable[keras.Model]) -> None:
    """Copy the filters of trained `time` and `frequency` networks into a `time_frequency` network.

    Raises
    ------
    ModelError
        The filters have different sizes.
    """
    for source in branches:
        filters = next(layer for layer in source.layers if layer.name.endswith(FILTERS))
        target, weights = network.get_layer(filters.name), filters.get_weights()
        shape, expected = weights[0].shape, tuple(target.kernel.shape)
        if shape != expected:
            raise ModelError(
                f"trained {filters.name} are {shape}", where=network.name, expected=str(expected)
            )
        target.set_weights(weights)
