"""Backbones: they turn slices into images and images into features. The frozen part is one layer.

Everything here is determined by `models.<name>.backbone` in ``params.yaml``. The output of the frozen part
can therefore be computed once, in a separate stage, for any network on top.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from genredag.errors import ModelError, SlicesTooSmallError
from genredag.models.backbones import BACKBONES, Backbone, weights_file
from genredag.models.inputs import dtype_policy, resized, slices_input
from genredag.models.pretrained import load_weights
from genredag.runtime.cache import default_cache_dir

if TYPE_CHECKING:
    from collections.abc import Sequence

    import keras
    from keras import KerasTensor

    from genredag.params.groups.models import Pretrained

EMBEDDING = "embedding"


def frozen_network(
    backbone: Pretrained,
    *,
    n_frames: int,
    n_bins: int,
    statistics: tuple[np.ndarray, np.ndarray] | None,
    precision: str,
    n_channels: int = 1,
) -> keras.Model | None:
    """Return the part of a network for slices (batch, n_frames, n_bins) that ends in its embedding.

    Random weights equal those of the whole network built with the same global seed. None if nothing is
    frozen.
    """
    import keras

    with dtype_policy(precision):
        inputs, x = slices_input(n_frames, n_bins, statistics, n_channels=n_channels)
        whole = keras.Model(inputs, backbone_features(x, backbone))
    is_frozen = any(layer.name == EMBEDDING for layer in whole.layers)
    return embedding_part(whole) if is_frozen else None


def trained_part(model: keras.Model) -> keras.Model:
    """Return the part of a network after its embedding, with shared weights."""
    import keras

    return keras.Model(model.get_layer(EMBEDDING).output, model.output, name=model.name)


def embedding_part(model: keras.Model) -> keras.Model:
    """Return the part of a network that ends in its embedding, with shared weights."""
    import keras

    return keras.Model(model.input, model.get_layer(EMBEDDING).output)


def backbone_features(x: KerasTensor, pretrained: Pretrained) -> KerasTensor:
    """Return the backbone's features of slices (batch, n_bins, n_frames, 1 or 3).

    The frozen layers, up to the last point where they are connected to the rest by a single tensor, become
    one layer called "frozen". A float32 copy of its output is called `EMBEDDING`. Reads the weights file, and
    downloads it if `weights` is ``imagenet`` and it isn't cached.
    """
    import keras

    check_image_size(pretrained, *x.shape[1:])
    backbone = BACKBONES[pretrained.architecture]
    x = as_image(x, backbone, size=pretrained.size, preprocessing=pretrained.preprocessing)
    network = backbone.build(x.shape[1:])
    if weights := weights_file(pretrained, default_cache_dir()):
        load_weights(network, weights)
    frozen = network.layers[: None if pretrained.frozen_layers == "all" else pretrained.frozen_layers]
    for layer in frozen:
        layer.trainable = False
    for last in reversed(frozen[1:]):
        if last is network.layers[-1]:
            rest = keras.layers.Identity(name="trained")
        elif (rest := _after(network, last)) is None:
            continue
        x = keras.Model(network.input, last.output, name="frozen")(x)
        return rest(keras.layers.Identity(dtype="float32", name=EMBEDDING)(x))
    return network(x)


def check_image_size(pretrained: Pretrained, n_bins: int, n_frames: int, n_channels: int) -> None:
    """Reject slices that make images too small for a backbone, or images of 2 or 4 channels.

    Raises
    ------
    SlicesTooSmallError
        The images are too small.
    ModelError
        They have neither the three channels of a colour image nor one, which is copied to all three.
    """
    if n_channels not in (1, 3):
        raise ModelError(
            f"images of {n_channels} channels",
            where=pretrained.architecture,
            expected="1 channel or 3",
            hint="stack three representations",
        )
    least = BACKBONES[pretrained.architecture].min_size
    height, width = pretrained.size or (n_bins, n_frames)
    if min(height, width) < least:
        raise SlicesTooSmallError(
            f"images of {height} bins x {width} frames are too small",
            where=pretrained.architecture,
            expected=f"at least {least} bins x {least} frames",
            hint="set `backbone.size`, lengthen `slices.seconds`, or choose another representation",
        )


def _after(network: keras.Model, layer: keras.Layer) -> keras.Model | None:
    """Return the part of a network after a layer; None if it also depends on other layers."""
    import keras

    try:
        return keras.Model(layer.output, network.output, name="trained")
    except ValueError:
        return None


def as_image(
    x: KerasTensor, backbone: Backbone, *, size: Sequence[int] | None, preprocessing: str
) -> KerasTensor:
    """Return slices (batch, n_bins, n_frames, 1 or 3) as images (batch, height, width, 3).

    `preprocessing` ``imagenet`` maps standardised values x to pixels, 127.5 + 51 x, so that 2.5 standard
    deviations to either side fill 0 to 255. It then subtracts ImageNet's channel means if the backbone's
    weights expect that. ``none`` leaves the values as they are.
    """
    import keras

    x = resized(x, size)
    if x.shape[-1] == 1:
        x = keras.layers.Concatenate()([x, x, x])
    if preprocessing == "imagenet":
        offsets = [127.5 - mean for mean in backbone.means]
        x = keras.layers.Rescaling(51.0, offsets, name="pixels")(x)
    return x
