"""Assembly of a whole network: input, normalisation and backbone, then the registered builder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from genredag.errors import ModelError
from genredag.models.frozen import backbone_features
from genredag.models.inputs import dtype_policy, resized, slices_input
from genredag.models.registry import check_backbone, check_options

if TYPE_CHECKING:
    import keras

    from genredag.params.groups.models import Network


def build_network(
    name: str,
    recipe: Network,
    *,
    n_frames: int,
    n_bins: int,
    n_classes: int,
    statistics: tuple[np.ndarray, np.ndarray] | None,
    precision: str,
    n_channels: int = 1,
) -> keras.Model:
    """Return the network `name` for slices (batch, n_frames, n_bins) as stored, or (batch, n_windows, ...).

    Parameters
    ----------
    n_bins
        Bins of all channels.
    statistics
        Mean and variance (n_bins,) that normalise the slices; None leaves them as they are.
    precision
        ``"float32"`` or ``"mixed_bfloat16"``; normalisation and probabilities are float32 in both.

    Raises
    ------
    ParameterError
        There is no such network, or its options are wrong.
    ModelError
        It can't be built for slices of this size, or with options that its builder doesn't annotate.
    """
    import keras

    learner = check_options(name, recipe.kind, recipe.options)
    check_backbone(name, recipe.backbone)
    height, width = recipe.size or (n_bins // n_channels, n_frames)
    learner.check_size(height, width, recipe.options)
    with dtype_policy(precision):
        inputs, x = slices_input(n_frames, n_bins, statistics, learner.over_windows, n_channels)
        x = resized(x, recipe.size)
        try:
            if recipe.backbone is not None:
                x = backbone_features(x, recipe.backbone)
            return keras.Model(inputs, learner.build(x, n_classes, **recipe.options), name=name)
        except ValueError as error:
            raise ModelError(
                f"can't be built for slices of {n_bins} bins x {n_frames} frames with the options "
                f"{recipe.options} ({str(error).splitlines()[0]})",
                where=f"models.{name}",
                hint="change its options, lengthen slices.seconds, or choose another representation",
            ) from error
