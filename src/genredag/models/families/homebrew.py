"""The "homebrew" network of solak647/ATML19 (PyTorch): filters over frequency only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from genredag.models.layers import probabilities
from genredag.models.options import Count, Share
from genredag.models.registry import network

if TYPE_CHECKING:
    from keras import KerasTensor


PAPER = "solak647/ATML19 (Conv1DNet2), 2019"
Stage = tuple[int, int, tuple[int, int]]  # filters, their height, pool
STAGES: list[Stage] = [(128, 5, (2, 2)), (64, 5, (2, 2)), (64, 4, (2, 2)), (64, 5, (2, 1))]


def _builder(stages: Sequence[Stage]) -> Callable[..., KerasTensor]:
    def build(
        x: KerasTensor,
        n_classes: int,
        *,
        momentum: Share,
        conv_dropout: Share,
        dense_dropout: Share,
        units: Count,
    ) -> KerasTensor:
        """Return class probabilities from k x 1 convolutions with batch normalisation.

        `momentum` is the weight of the past, as in Keras. In PyTorch it is the weight of the new batch, so
        the published .9 is .1 here. `units` is the size of the second dense layer: 192 in the project's code,
        182 in its text.
        """
        import keras

        for filters, height, pool in stages:
            x = keras.layers.Conv2D(filters, (height, 1))(x)
            x = keras.layers.BatchNormalization(momentum=momentum, epsilon=1e-5)(x)
            x = keras.layers.LeakyReLU(negative_slope=0.2)(x)
            x = keras.layers.MaxPooling2D(pool)(x)
            x = keras.layers.Dropout(conv_dropout)(x)
        x = keras.layers.Flatten()(x)
        for width in (364, units):
            x = keras.layers.LeakyReLU(negative_slope=0.2)(keras.layers.Dense(width)(x))
            x = keras.layers.Dropout(dense_dropout)(x)
        return probabilities(x, n_classes)

    return build


# The project's text gives a fourth map of 24 x 27; its code has 20 x 27, as here.
homebrew = network(
    "homebrew",
    paper=PAPER,
    published=".750 on slices, leaky split over slices",
    published_input=(216, 216, 1),
    smallest=(72, 8),
)(_builder(STAGES))

# The project reports that more complex models overfit, without their layers. A filter of 3 x 1 is the tallest
# that fits slices of 128 bins.
homebrew_deeper = network(
    "homebrew_deeper",
    paper=f"{PAPER}; a fifth convolution, which is ours",
    published_input=(216, 216, 1),
    smallest=(120, 8),
)(_builder([*STAGES, (64, 3, (2, 1))]))
