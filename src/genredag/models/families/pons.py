"""Musically motivated filters: wide filters capture rhythm, tall filters capture timbre.

Pons, Lidy & Serra: Experimenting with Musically Motivated Convolutional Neural Networks, CBMI 2016
(jordipons/CBMI2016), on 40 mel bands x 80 frames. A filter size of 0 keeps the published share of the axis
for other input sizes. The genre projects that reuse these networks have no dropout; set it to 0 to match
them. The text of one of them, Intelligent-Systems-MSc, mentions a sigmoid output (`output: sigmoid`); its
code has softmax, like the paper.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from genredag.models.branches import FILTERS
from genredag.models.layers import probabilities
from genredag.models.options import CountOrZero, Share
from genredag.models.registry import network

if TYPE_CHECKING:
    from keras import KerasTensor

PAPER = "Pons, Lidy & Serra, CBMI 2016"
N_FILTERS = 32
UNITS = 200
Output = Literal["softmax", "sigmoid"]


def _smallest(filter_frames: int, filter_bins: int, **_: object) -> tuple[int, int]:
    return max(1, filter_bins), max(1, filter_frames)


@network("black_box", paper=PAPER, published_input=(40, 80, 1), smallest=(15, 8))
def black_box(x: KerasTensor, n_classes: int, *, dropout: Share) -> KerasTensor:
    """Return class probabilities from one layer of 12 x 8 filters."""
    import keras

    x = keras.layers.Conv2D(N_FILTERS, (12, 8), activation="relu")(x)
    x = keras.layers.Flatten()(keras.layers.MaxPooling2D((4, 1))(x))
    return _fully_connected(x, n_classes, dropout, "softmax")


@network(
    "time",
    paper=PAPER,
    published=".34-.42 on GTZAN's validation tracks (images of 217 x 334 pixels, filter 1x8)",
    published_input=(40, 80, 1),
    smallest=lambda filter_frames, **_: (1, max(1, filter_frames)),
)
def time(
    x: KerasTensor, n_classes: int, *, filter_frames: CountOrZero, dropout: Share, output: Output
) -> KerasTensor:
    """Return class probabilities from 1 x `filter_frames` filters, each pooled over all bins.

    0 frames means three quarters of the slice (60 of 80).
    """
    import keras

    x = keras.layers.Dropout(dropout)(_time_features(x, filter_frames))
    return _probabilities(x, n_classes, output)


@network(
    "frequency",
    paper=PAPER,
    published=".755 on GTZAN's last tracks (images of 217 x 334 pixels, filter 4x1)",
    published_input=(40, 80, 1),
    smallest=lambda filter_bins, **_: (max(1, filter_bins), 1),
)
def frequency(
    x: KerasTensor, n_classes: int, *, filter_bins: CountOrZero, dropout: Share, output: Output
) -> KerasTensor:
    """Return class probabilities from `filter_bins` x 1 filters, each pooled over all frames.

    0 bins means four fifths of the spectrum (32 of 40).
    """
    import keras

    x = keras.layers.Dropout(dropout)(_frequency_features(x, filter_bins))
    return _probabilities(x, n_classes, output)


@network(
    "time_frequency_init",
    paper=f"{PAPER} (TF-init)",
    published_input=(40, 80, 1),
    branches=("time", "frequency"),
    smallest=_smallest,
)
@network(
    "time_frequency",
    paper=PAPER,
    published=".72 on GTZAN's last tracks (features of trained branches)",
    published_input=(40, 80, 1),
    smallest=_smallest,
)
def time_frequency(
    x: KerasTensor,
    n_classes: int,
    *,
    filter_frames: CountOrZero,
    filter_bins: CountOrZero,
    dropout: Share,
    output: Output,
) -> KerasTensor:
    """Return class probabilities from the concatenated features of `time` and `frequency`.

    The branches are trained jointly, as in the paper. `time_frequency_init` (the paper's "TF-init") starts
    from the filters of trained `time` and `frequency` networks. The genre project that reuses it trains only
    a head, on every 2nd and 3rd feature of trained branches.
    """
    import keras

    branches = [
        _time_features(x, filter_frames),
        _frequency_features(x, filter_bins),
    ]
    return _fully_connected(keras.layers.Concatenate()(branches), n_classes, dropout, output)


def _time_features(x: KerasTensor, filter_frames: int) -> KerasTensor:
    import keras

    _, bins, frames, _ = x.shape
    width = filter_frames or max(1, frames * 3 // 4)
    x = keras.layers.Conv2D(N_FILTERS, (1, width), activation="relu", name="time" + FILTERS)(x)
    return keras.layers.Flatten()(keras.layers.MaxPooling2D((bins, 1))(x))


def _frequency_features(x: KerasTensor, filter_bins: int) -> KerasTensor:
    import keras

    _, bins, frames, _ = x.shape
    height = filter_bins or max(1, bins * 4 // 5)
    x = keras.layers.Conv2D(N_FILTERS, (height, 1), activation="relu", name="frequency" + FILTERS)(x)
    return keras.layers.Flatten()(keras.layers.MaxPooling2D((1, frames))(x))


def _fully_connected(x: KerasTensor, n_classes: int, dropout: float, output: Output) -> KerasTensor:
    import keras

    x = keras.layers.Dense(UNITS, activation="relu")(keras.layers.Dropout(dropout)(x))
    return _probabilities(keras.layers.Dropout(dropout)(x), n_classes, output)


def _probabilities(x: KerasTensor, n_classes: int, output: Output) -> KerasTensor:
    """Return class probabilities; those of a sigmoid output are its shares of their sum.

    Keras's cross-entropy divides by that sum anyway.
    """
    import keras

    if output == "softmax":
        return probabilities(x, n_classes)
    scores = keras.layers.Dense(n_classes, activation="sigmoid", dtype="float32", name="scores")(x)
    scores = keras.ops.maximum(scores, keras.config.epsilon())  # not all of them may be 0
    return scores / keras.ops.sum(scores, axis=-1, keepdims=True)
