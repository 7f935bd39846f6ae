"""Convolutional networks that were trained on ImageNet, without their classifiers.

VGG16 returns its feature maps, which the networks on top flatten. The others return the means of their maps.

Layers are named as in the published weight files (``_`` for ``/``), so that the files load by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genredag.models.pretrained import WeightsFile, check_layers, fetch_weights

if TYPE_CHECKING:
    import keras
    from keras import KerasTensor

    from genredag.params.groups.models import Pretrained

Shape = tuple[int, int, int]
# Channel means of ImageNet (blue, green, red), which Caffe's networks expect to be subtracted.
CAFFE_MEANS = (103.939, 116.779, 123.68)


@dataclass(frozen=True)
class Backbone:
    """A network and what its published weights expect.

    Attributes
    ----------
    build
        Returns the network for an input (height, width, 3).
    means
        Channel means that are subtracted from its input, 0 to 255.
    min_size
        Smallest height and width.
    ends
        Its first and last layers with weights. A file that has both is assumed to hold its weights.
    """

    name: str
    build: Callable[[Shape], keras.Model]
    means: tuple[float, float, float]
    min_size: int
    ends: tuple[str, str]
    weights: WeightsFile


def vgg16(shape: Shape) -> keras.Model:
    """Return VGG16 (Simonyan & Zisserman 2015) as in Keras: 19 layers counting the input."""
    import keras

    return keras.applications.VGG16(include_top=False, weights=None, input_shape=shape)


def squeezenet(shape: Shape) -> keras.Model:
    """Return SqueezeNet v1.1 (Iandola et al. 2016), 722,496 parameters, named as rcmalli/keras-squeezenet."""
    import keras

    image = keras.Input(shape)
    x = keras.layers.Conv2D(64, 3, strides=2, activation="relu", name="conv1")(image)
    x = keras.layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    x = _fire(_fire(x, "fire2", 16, 64), "fire3", 16, 64)
    x = keras.layers.MaxPooling2D(3, strides=2, name="pool3")(x)
    x = _fire(_fire(x, "fire4", 32, 128), "fire5", 32, 128)
    x = keras.layers.MaxPooling2D(3, strides=2, name="pool5")(x)
    x = _fire(_fire(x, "fire6", 48, 192), "fire7", 48, 192)
    x = _fire(_fire(x, "fire8", 64, 256), "fire9", 64, 256)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, x, name="squeezenet")


def _fire(x: KerasTensor, name: str, squeeze: int, expand: int) -> KerasTensor:
    import keras

    def conv(x: KerasTensor, filters: int, size: int, part: str) -> KerasTensor:
        layer = keras.layers.Conv2D(
            filters, size, padding="same", activation="relu", name=f"{name}_{part}{size}x{size}"
        )
        return layer(x)

    x = conv(x, squeeze, 1, "squeeze")
    return keras.layers.Concatenate(name=f"{name}_concat")(
        [conv(x, expand, 1, "expand"), conv(x, expand, 3, "expand")]
    )


def resnet18(shape: Shape) -> keras.Model:
    """Return ResNet-18 with pre-activation (He et al. 2016), named as qubvel/classification_models.

    That port of MXNet's weights normalises raw pixels by an initial batch normalisation. The genre project
    used torchvision's older, post-activation form of nearly the same size; its weights are not for Keras.
    Moving statistics have momentum .9, as in that project (.1 in PyTorch's terms). Keras's default of .99
    needs more batches than an epoch of a small data set has.
    """
    import keras

    image = keras.Input(shape)
    x = _norm("bn_data", scale=False)(image)
    x = keras.layers.ZeroPadding2D(3)(x)
    x = keras.layers.Conv2D(64, 7, strides=2, use_bias=False, name="conv0")(x)
    x = keras.layers.ReLU()(_norm("bn0")(x))
    x = keras.layers.MaxPooling2D(3, strides=2)(keras.layers.ZeroPadding2D(1)(x))
    for stage, filters in enumerate((64, 128, 256, 512), start=1):
        x = _residual(x, f"stage{stage}_unit1_", filters, strides=1 if stage == 1 else 2, project=True)
        x = _residual(x, f"stage{stage}_unit2_", filters, strides=1, project=False)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.ReLU()(_norm("bn1")(x)))
    return keras.Model(image, x, name="resnet18")


def _residual(x: KerasTensor, name: str, filters: int, *, strides: int, project: bool) -> KerasTensor:
    import keras

    def conv(x: KerasTensor, size: int, strides: int, part: str) -> KerasTensor:
        # Explicit padding: with strides of 2, "same" would pad only the far side.
        x = keras.layers.ZeroPadding2D(size // 2)(x)
        return keras.layers.Conv2D(filters, size, strides=strides, use_bias=False, name=name + part)(x)

    y = keras.layers.ReLU()(_norm(f"{name}bn1")(x))
    shortcut = conv(y, 1, strides, "sc") if project else x
    y = conv(y, 3, strides, "conv1")
    y = conv(keras.layers.ReLU()(_norm(f"{name}bn2")(y)), 3, 1, "conv2")
    return keras.layers.Add()([y, shortcut])


def _norm(name: str, *, scale: bool = True) -> keras.Layer:
    import keras

    return keras.layers.BatchNormalization(momentum=0.9, epsilon=2e-5, scale=scale, name=name)


VGG16 = Backbone(
    "vgg16",
    vgg16,
    CAFFE_MEANS,
    32,
    ("block1_conv1", "block5_conv3"),
    WeightsFile(
        "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "https://storage.googleapis.com/tensorflow/keras-applications/vgg16/"
        "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "md5:6d6bbae143d832006294945121d1f1fc",
    ),
)
SQUEEZENET = Backbone(
    "squeezenet",
    squeezenet,
    CAFFE_MEANS,
    31,
    ("conv1", "fire9_expand3x3"),
    WeightsFile(
        "squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "https://github.com/rcmalli/keras-squeezenet/releases/download/v1.0/"
        "squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "sha256:17154246284f555591549ac2c83e127abfbf4307dc4b0060fdaa2931d0fa38da",
    ),
)
RESNET18 = Backbone(
    "resnet18",
    resnet18,
    (0.0, 0.0, 0.0),  # its first layer normalises
    1,
    ("bn_data", "bn1"),
    WeightsFile(
        "resnet18_imagenet_1000_no_top.h5",
        "https://github.com/qubvel/classification_models/releases/download/0.0.1/"
        "resnet18_imagenet_1000_no_top.h5",
        "md5:318e3ac0cd98d51e917526c9f62f0b50",
    ),
)
BACKBONES = {backbone.name: backbone for backbone in (VGG16, SQUEEZENET, RESNET18)}


def weights_file(pretrained: Pretrained, cache_dir: Path) -> Path | None:
    """Return the file of a network's initial weights; None for random weights.

    The published file is downloaded into `cache_dir` if it isn't there.

    Raises
    ------
    ModelError
        The file can't be obtained, or the user's own file is for another network.
    """
    backbone = BACKBONES[pretrained.architecture]
    if pretrained.weights == "imagenet":
        return fetch_weights(backbone.weights, cache_dir)
    if pretrained.weights_path is not None:
        check_layers(pretrained.weights_path, backbone.ends)
    return pretrained.weights_path
