"""Networks whose convolutions come from ImageNet: VGG16, ResNet-18 and SqueezeNet under new classifiers.

Options that they share
    size : side of the square picture that slices are resized to; 0 keeps their size.
    weights : null (random), ``imagenet`` (the published file, from the user's cache) or a file's path.
    preprocessing : ``imagenet`` or ``none``, see `as_image`. None of the genre projects used the former,
        which published weights expect.
    frozen_layers : how many layers of the backbone are not trained, counted from its input, which counts.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from genredag.cache import default_cache_dir
from genredag.errors import ModelError
from genredag.models.backbones import RESNET18, SQUEEZENET, VGG16, Backbone
from genredag.models.layers import check_size, probabilities
from genredag.models.pretrained import fetch_weights, load_weights
from genredag.models.registry import network

if TYPE_CHECKING:
    import keras
    from keras import KerasTensor

RESNET_PAPER = "solak647/ATML19, 2019; He et al., ECCV 2016"
SQUEEZENET_PAPER = "Iandola et al., 2016; its use for genres is ours"
FEATURES = "features"


@network(
    "vgg16_ft",
    paper="Intelligent-Systems-MSc/Music-genre-classification, 2021; Simonyan & Zisserman, ICLR 2015",
    published=".775 on GTZAN's last tracks (pictures of mel spectrograms)",
    published_input=(217, 334, 3),
    smallest=(VGG16.min_size, VGG16.min_size),
)
def vgg16_ft(
    x: KerasTensor,
    n_classes: int,
    *,
    size: int,
    weights: str | None,
    preprocessing: str,
    frozen_layers: int,
    dropout: float,
) -> KerasTensor:
    """Return class probabilities from VGG16, its last layers retrained, and dense layers of 512 and 128.

    Published with 11 frozen layers, which leaves the last 8, six of them convolutions.
    """
    import keras

    x = backbone_features(x, VGG16, size, weights, preprocessing, frozen_layers)
    x = keras.layers.Dense(512, activation="relu")(keras.layers.Flatten()(x))
    x = keras.layers.Dropout(dropout)(x)
    x = keras.layers.Dense(128, activation="elu", name=FEATURES)(x)
    return probabilities(x, n_classes)


@network(
    "vgg16_gtzan",
    paper="Hguimaraes/gtzan.keras, 2018; Simonyan & Zisserman, ICLR 2015",
    published=".864 on slices, leaky split over slices",
    published_input=(128, 129, 3),
    smallest=(VGG16.min_size, VGG16.min_size),
)
def vgg16_gtzan(
    x: KerasTensor,
    n_classes: int,
    *,
    size: int,
    weights: str | None,
    preprocessing: str,
    frozen_layers: int,
    dropout: float,
) -> KerasTensor:
    """Return class probabilities from VGG16 and a dense layer of 256.

    Published with 5 frozen layers: the first block and the second's first convolution.
    """
    import keras

    x = backbone_features(x, VGG16, size, weights, preprocessing, frozen_layers)
    x = keras.layers.Dense(256, activation="relu")(keras.layers.Flatten()(x))
    return probabilities(keras.layers.Dropout(dropout)(x), n_classes)


@network(
    "resnet18_frozen",
    paper=RESNET_PAPER,
    published=".682 on slices, leaky split over slices",
    published_input=(216, 216, 3),
)
def resnet18_frozen(
    x: KerasTensor, n_classes: int, *, size: int, weights: str | None, preprocessing: str
) -> KerasTensor:
    """Return class probabilities from one dense layer on the mean features of a fixed ResNet-18."""
    return _linear_on(x, n_classes, RESNET18, size, weights, preprocessing, frozen_layers=None, dropout=0.0)


@network(
    "resnet18_ft",
    paper=RESNET_PAPER,
    published=".954 on slices, leaky split over slices",
    published_input=(216, 216, 3),
)
def resnet18_ft(
    x: KerasTensor, n_classes: int, *, size: int, weights: str | None, preprocessing: str, frozen_layers: int
) -> KerasTensor:
    """Return class probabilities from ResNet-18 with a new last layer, published with none frozen."""
    return _linear_on(x, n_classes, RESNET18, size, weights, preprocessing, frozen_layers, dropout=0.0)


@network(
    "squeezenet_frozen",
    paper=SQUEEZENET_PAPER,
    published_input=(227, 227, 3),
    smallest=(SQUEEZENET.min_size, SQUEEZENET.min_size),
)
def squeezenet_frozen(
    x: KerasTensor, n_classes: int, *, size: int, weights: str | None, preprocessing: str, dropout: float
) -> KerasTensor:
    """Return class probabilities from one dense layer on the mean features of a fixed SqueezeNet.

    Our own: the paper's classifier is a 1 x 1 convolution with ReLU before the mean.
    """
    return _linear_on(x, n_classes, SQUEEZENET, size, weights, preprocessing, None, dropout)


@network(
    "squeezenet_ft",
    paper=SQUEEZENET_PAPER,
    published_input=(227, 227, 3),
    smallest=(SQUEEZENET.min_size, SQUEEZENET.min_size),
)
def squeezenet_ft(
    x: KerasTensor,
    n_classes: int,
    *,
    size: int,
    weights: str | None,
    preprocessing: str,
    frozen_layers: int,
    dropout: float,
) -> KerasTensor:
    """Return class probabilities from SqueezeNet trained on, with the classifier of `squeezenet_frozen`."""
    return _linear_on(x, n_classes, SQUEEZENET, size, weights, preprocessing, frozen_layers, dropout)


def as_image(x: KerasTensor, backbone: Backbone, *, size: int, preprocessing: str) -> KerasTensor:
    """Return slices (batch, n_bins, n_frames, 1 or 3) as pictures (batch, height, width, 3).

    `preprocessing` ``imagenet`` takes standardised values to pixels, 127.5 + 51 x, so that 2.5 standard
    deviations each way fill 0 to 255, then takes off the channel means of ImageNet where the backbone's
    weights expect that; ``none`` leaves the values as they are.

    Raises
    ------
    ModelError
        The size, the channels or `preprocessing` don't suit the backbone.
    """
    import keras

    if preprocessing not in ("imagenet", "none"):
        raise ModelError(
            f"preprocessing = {preprocessing!r}", where=backbone.name, expected="imagenet or none"
        )
    if size:
        x = keras.layers.Resizing(size, size)(x)
    check_size(x, backbone.name, n_bins=backbone.min_size, n_frames=backbone.min_size)
    if x.shape[-1] == 1:
        x = keras.layers.Concatenate()([x, x, x])
    if preprocessing == "imagenet":
        offsets = [127.5 - mean for mean in backbone.means]
        x = keras.layers.Rescaling(51.0, offsets, name="pixels")(x)
    return x


def backbone_features(
    x: KerasTensor,
    backbone: Backbone,
    size: int,
    weights: str | None,
    preprocessing: str,
    frozen_layers: int | None,
) -> KerasTensor:
    """Return the backbone's feature maps of slices; `frozen_layers` None freezes all of it.

    Reads the weights' file, and downloads it if `weights` is ``imagenet`` and it isn't cached.
    """
    x = as_image(x, backbone, size=size, preprocessing=preprocessing)
    network = backbone.build(x.shape[1:])
    if weights == "imagenet":
        load_weights(network, fetch_weights(backbone.weights, default_cache_dir()))
    elif weights is not None:
        load_weights(network, Path(weights))
    for layer in network.layers[:frozen_layers]:
        layer.trainable = False
    return network(x)


def feature_network(model: keras.Model) -> keras.Model:
    """Return the part of a trained `vgg16_ft` that ends in its 128 features: the input of `vgg16_svm`."""
    import keras

    return keras.Model(model.input, model.get_layer(FEATURES).output, name="vgg16_features")


def _linear_on(
    x: KerasTensor,
    n_classes: int,
    backbone: Backbone,
    size: int,
    weights: str | None,
    preprocessing: str,
    frozen_layers: int | None,
    dropout: float,
) -> KerasTensor:
    import keras

    x = backbone_features(x, backbone, size, weights, preprocessing, frozen_layers)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return probabilities(keras.layers.Dropout(dropout)(x), n_classes)
