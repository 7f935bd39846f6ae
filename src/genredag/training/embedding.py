"""Embeddings: the output of the frozen part of a network, computed once per training and validation slice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from genredag.errors import DataError
from genredag.frames.batches import SliceSet, statistics, with_features
from genredag.models.frozen import frozen_network
from genredag.runtime.backend import settled_precision
from genredag.runtime.files import atomic_path, write_npy
from genredag.runtime.progress import progress

if TYPE_CHECKING:
    from genredag.frames.split_slices import SplitSlices
    from genredag.params.groups.models import Pretrained, Train

BATCH_SIZE = 32
FITTED_PARTS = ("train", "validation")
NOTHING = np.empty((0, 0), np.float32)


def write_embeddings(
    path: Path,
    backbone: Pretrained,
    params: Train,
    data: SplitSlices,
    *,
    seed: int,
) -> None:
    """Write the frozen part's output for training and validation slices to a ``.npy`` file.

    The array is float32 and has a row for each of these slices, in the order of `data`. It has no row if
    nothing is frozen. Memory does not grow with the number of slices.
    """
    import keras

    training, used = data.part("train"), data.part(*FITTED_PARTS)
    scale = statistics(training, params.normalisation)
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(seed)
    spec = used.frames.spec
    precision = settled_precision(params.precision)
    sizes = {"n_frames": used.n_frames, "n_bins": spec.n_bins, "n_channels": spec.n_channels}
    network = frozen_network(backbone, **sizes, statistics=scale, precision=precision)
    if network is None:
        return write_npy(path, NOTHING)
    shape = (len(used), *network.output_shape[1:])
    with atomic_path(path) as temporary:
        array = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float32, shape=shape)
        starts = range(0, len(array), BATCH_SIZE)
        for start in progress(starts, f"embedding slices with {backbone.architecture}", len(starts)):
            rows = np.arange(start, min(start + BATCH_SIZE, len(array)))
            array[rows] = network.predict_on_batch(used.take(rows))
        array.flush()


def embedded(
    embeddings: np.ndarray, data: SplitSlices, parts: Mapping[str, SliceSet]
) -> dict[str, SliceSet] | None:
    """Return the slices of `parts`, keyed by their names in `data`, with embeddings; None if there are none.

    Raises
    ------
    DataError
        The embeddings belong to another split.
    """
    if not len(embeddings):
        return None
    used = data.is_in(*FITTED_PARTS)
    if used.sum() != len(embeddings):
        raise DataError(
            f"embeddings of {len(embeddings)} slices",
            expected=f"{used.sum()}, those of training and validation",
            hint="rerun the embed stage",
        )
    row, flat = np.cumsum(used) - 1, embeddings.reshape(len(embeddings), -1)
    return {name: with_features(slices, flat, row[data.is_in(name)]) for name, slices in parts.items()}
