"""Dense networks on handcrafted features of a slice or clip, one per feature set.

Repository erwanrh/ML_Python-Music_Classification (2021). Each input is (n_features, 1, 1) and is flattened.
Some hidden layers are linear, as in the source, which has no dropout. Published accuracies are
for GTZAN extended to 12 classes and were chosen on the test set.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from genredag.errors import ModelError
from genredag.models.layers import probabilities
from genredag.models.options import Share
from genredag.models.registry import network

if TYPE_CHECKING:
    from keras import KerasTensor

RELU, LINEAR = "relu", "linear"
Layer = tuple[int, str]  # units and activation
PAPER = "erwanrh/ML_Python-Music_Classification, 2021"
PROTOCOL = "on clips of 12 classes, random 80:20, chosen on the test set"


@network(
    "mlp_30", paper=PAPER, published=f".51-.52 {PROTOCOL}", published_input=(30, 1, 1), features="features_30"
)
def mlp_30(x: KerasTensor, n_classes: int, *, dropout: Share) -> KerasTensor:
    """Return class probabilities from means of 30 MFCC."""
    layers = [(30, RELU), (25, RELU), (20, LINEAR), (15, LINEAR)]
    return _mlp(x, n_classes, 30, layers, dropout)


@network(
    "mlp_42", paper=PAPER, published=f".57-.60 {PROTOCOL}", published_input=(42, 1, 1), features="features_42"
)
def mlp_42(x: KerasTensor, n_classes: int, *, dropout: Share) -> KerasTensor:
    """Return class probabilities from means of 30 MFCC and 12 chroma."""
    layers = [(42, RELU), (35, LINEAR), (24, RELU), (15, LINEAR)]
    return _mlp(x, n_classes, 42, layers, dropout)


@network(
    "mlp_60",
    paper=PAPER,
    published=f".685-.72 {PROTOCOL}",
    published_input=(60, 1, 1),
    features="features_60",
)
def mlp_60(x: KerasTensor, n_classes: int, *, dropout: Share) -> KerasTensor:
    """Return class probabilities from means and deviations of 30 MFCC."""
    layers = [(60, RELU), (50, LINEAR), (40, LINEAR), (30, RELU), (20, LINEAR)]
    return _mlp(x, n_classes, 60, layers, dropout)


@network(
    "mlp_85", paper=PAPER, published=f".68-.70 {PROTOCOL}", published_input=(85, 1, 1), features="features_85"
)
def mlp_85(x: KerasTensor, n_classes: int, *, dropout: Share) -> KerasTensor:
    """Return class probabilities from means and deviations of MFCC and chroma, and tempo."""
    layers = [(85, RELU), (75, RELU), (65, LINEAR), (55, RELU), (45, LINEAR), (35, RELU), (25, RELU)]
    return _mlp(x, n_classes, 85, layers, dropout)


@network(
    "mlp_87", paper=PAPER, published=f".64-.67 {PROTOCOL}", published_input=(87, 1, 1), features="features_87"
)
def mlp_87(x: KerasTensor, n_classes: int, *, dropout: Share) -> KerasTensor:
    """Return class probabilities from the 85 features and the zero-crossing rate's mean and deviation."""
    layers = [(87, RELU), (75, RELU), (65, LINEAR), (55, RELU), (45, LINEAR), (35, RELU), (25, RELU)]
    return _mlp(x, n_classes, 87, layers, dropout)


@network(
    "mlp_89",
    paper=PAPER,
    published=f".727-.742 {PROTOCOL}",
    published_input=(89, 1, 1),
    features="features_89",
)
def mlp_89(x: KerasTensor, n_classes: int, *, dropout: Share) -> KerasTensor:
    """Return class probabilities from the 87 features and the spectral roll-off's mean and deviation."""
    layers = [(89, RELU), (79, RELU), (69, LINEAR), (59, RELU), (49, LINEAR), (39, RELU), (29, RELU)]
    return _mlp(x, n_classes, 89, layers, dropout)


@network(
    "mlp_89_centroid",
    paper=PAPER,
    published=f".67-.70 {PROTOCOL}",
    published_input=(89, 1, 1),
    features="features_89_centroid",
)
def mlp_89_centroid(x: KerasTensor, n_classes: int, *, dropout: Share) -> KerasTensor:
    """Return class probabilities from the 87 features and the spectral centroid's mean and deviation."""
    layers = [(89, RELU), (79, RELU), (69, LINEAR), (59, RELU), (49, LINEAR), (39, RELU), (29, RELU)]
    return _mlp(x, n_classes, 89, layers, dropout)


def _mlp(
    x: KerasTensor, n_classes: int, n_features: int, layers: Sequence[Layer], dropout: float
) -> KerasTensor:
    import keras

    _, bins, frames, channels = x.shape
    if (bins, frames, channels) != (n_features, 1, 1):
        raise ModelError(
            f"slices of {bins} values x {frames} frames",
            where=f"mlp_{n_features}",
            expected=f"{n_features} handcrafted features in one frame",
            hint=f"choose the representation that holds its {n_features} features",
        )
    x = keras.layers.Flatten()(x)
    for units, activation in layers:
        x = keras.layers.Dropout(dropout)(keras.layers.Dense(units, activation=activation)(x))
    return probabilities(x, n_classes)
