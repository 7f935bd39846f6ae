"""Our most accurate recipe without other data, its two discriminants, and a network (docs/best.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genredag.models.layers import probabilities
from genredag.models.options import Limit, Ratio, Share
from genredag.models.registry import ensemble, estimator, network

if TYPE_CHECKING:
    from keras import KerasTensor
    from sklearn.pipeline import Pipeline

# Filters, side of the kernels, strides and pool of each convolution; pools are (bins, frames).
BLOCKS = (
    (16, 5, 2, (2, 1)),
    (32, 3, 1, (2, 2)),
    (64, 3, 1, (2, 2)),
    (128, 3, 1, (4, 1)),
)
MAX_FRAMES = 128


@ensemble("best", paper="genredag: product of lda_textures and lda_patches")
def best() -> tuple[str, ...]:
    """Return two discriminants, which err on different tracks."""
    return "lda_textures", "lda_patches"


@estimator("lda_textures", paper="genredag: shrinkage discriminant on textures", calibrated=True)
@estimator("lda_patches", paper="genredag: shrinkage discriminant on random patches", calibrated=True)
def shrinkage_discriminant(*, shrinkage: Ratio, limit: Limit | None, seed: int) -> Pipeline:
    """Return a linear discriminant whose covariance is shrunk towards a multiple of the identity.

    Standardised features are squashed to `limit`, unless it is None. With more features than slices, the
    rotation to principal components loses nothing and makes the discriminant a hundred times faster. Fitting
    is deterministic: the seed has no effect.
    """
    from sklearn.decomposition import PCA
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    from genredag.models.soft_limit import SoftLimit

    discriminant = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage)
    squash = "passthrough" if limit is None else SoftLimit(limit)
    steps = {"scale": StandardScaler(), "squash": squash, "rotate": PCA(svd_solver="full")}
    return Pipeline([*steps.items(), ("classify", discriminant)])


@network(
    "cnn_103k",
    paper="genredag: four convolutions on slices of 10 s",
    published_input=(128, 112, 1),
)
def cnn_103k(x: KerasTensor, n_classes: int, *, dropout: Share) -> KerasTensor:
    """Return probabilities from the mean and the maximum over time of four blocks of convolutions.

    Frames of long slices are averaged in runs, so that at most `MAX_FRAMES` remain.
    """
    from keras import layers

    if (run := -(-x.shape[2] // MAX_FRAMES)) > 1:
        x = layers.AveragePooling2D((1, run))(x)
    for filters, side, stride, pool in BLOCKS:
        x = layers.Conv2D(filters, side, stride, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.95)(x))
        x = layers.MaxPooling2D((min(pool[0], x.shape[1]), min(pool[1], x.shape[2])))(x)
    x = layers.Reshape((x.shape[2], -1))(layers.Permute((2, 1, 3))(x))
    x = layers.Concatenate()([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)])
    return probabilities(layers.Dropout(dropout)(x), n_classes)
