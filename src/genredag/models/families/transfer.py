"""Transfer from ImageNet: new classifiers on the convolutions of VGG16, ResNet-18 and SqueezeNet.

A builder takes the features of the backbone in `models.<name>.backbone` (see `genredag.models.frozen`):
VGG16's feature maps, or the means of the maps of the others. None of the genre projects used ImageNet's
preprocessing, although the published weights expect it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from genredag.models.layers import probabilities
from genredag.models.options import Gamma, Positive, Share
from genredag.models.registry import network

if TYPE_CHECKING:
    from keras import KerasTensor
    from sklearn.pipeline import Pipeline

RESNET_PAPER = "solak647/ATML19, 2019; He et al., ECCV 2016"
SQUEEZENET_PAPER = "Iandola et al., 2016; its use for genres is ours"
VGG16_PAPER = "Intelligent-Systems-MSc/Music-genre-classification, 2021; Simonyan & Zisserman, ICLR 2015"


def svm_on_features(*, C: Positive, gamma: Gamma, seed: int) -> Pipeline:
    """Return a support vector machine with a radial kernel on features scaled to 0 to 1, for `vgg16_svm`."""
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import MinMaxScaler
    from sklearn.svm import SVC

    return Pipeline([("scale", MinMaxScaler()), ("classify", SVC(C=C, gamma=gamma, random_state=seed))])


@network(
    "vgg16_svm",
    paper=VGG16_PAPER,
    published=".835 on GTZAN's last tracks (C and gamma chosen on these; otherwise about .775)",
    published_input=(217, 334, 3),
    backbones=("vgg16",),
    classifier=svm_on_features,
)
@network(
    "vgg16_ft",
    paper=VGG16_PAPER,
    published=".775 on GTZAN's last tracks (images of mel spectrograms)",
    published_input=(217, 334, 3),
    backbones=("vgg16",),
)
def vgg16_ft(x: KerasTensor, n_classes: int, *, dropout: Share) -> KerasTensor:
    """Return class probabilities from VGG16, its last layers retrained, and dense layers of 512 and 128.

    Published with 11 frozen layers, so that the last 8 are trained, six of them convolutions. `vgg16_svm`
    passes the 128 features to a support vector machine.
    """
    import keras

    x = keras.layers.Dense(512, activation="relu")(keras.layers.Flatten()(x))
    x = keras.layers.Dropout(dropout)(x)
    x = keras.layers.Dense(128, activation="elu", name="features")(x)
    return probabilities(x, n_classes)


@network(
    "vgg16_gtzan",
    paper="Hguimaraes/gtzan.keras, 2018; Simonyan & Zisserman, ICLR 2015",
    published=".864 on slices, leaky split over slices",
    published_input=(128, 129, 3),
    backbones=("vgg16",),
)
def vgg16_gtzan(x: KerasTensor, n_classes: int, *, dropout: Share) -> KerasTensor:
    """Return class probabilities from VGG16 and a dense layer of 256.

    Published with 5 frozen layers: the first block and the second's first convolution.
    """
    import keras

    x = keras.layers.Dense(256, activation="relu")(keras.layers.Flatten()(x))
    return probabilities(keras.layers.Dropout(dropout)(x), n_classes)


@network(
    "resnet18_frozen",
    paper=RESNET_PAPER,
    published=".682 on slices, leaky split over slices",
    published_input=(216, 216, 3),
    backbones=("resnet18",),
)
@network(
    "resnet18_ft",
    paper=RESNET_PAPER,
    published=".954 on slices, leaky split over slices",
    published_input=(216, 216, 3),
    backbones=("resnet18",),
)
@network(
    "squeezenet_frozen", paper=SQUEEZENET_PAPER, published_input=(227, 227, 3), backbones=("squeezenet",)
)
@network("squeezenet_ft", paper=SQUEEZENET_PAPER, published_input=(227, 227, 3), backbones=("squeezenet",))
def linear_on_features(x: KerasTensor, n_classes: int, *, dropout: Share) -> KerasTensor:
    """Return class probabilities from one dense layer on mean features.

    ResNet-18 as published, without dropout. SqueezeNet's own classifier is a 1 x 1 convolution with ReLU
    before the mean.
    """
    import keras

    return probabilities(keras.layers.Dropout(dropout)(x), n_classes)
