"""Embeddings: the output of a network's frozen part, computed once for each training and validation slice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genredag.errors import DataError
from genredag.frames.batches import SliceSet, slice_set, statistics, with_features
from genredag.models.frozen import frozen_network
from genredag.runtime.files import atomic_path, write_npy
from genredag.runtime.progress import progress

if TYPE_CHECKING:
    import pandas as pd

    from genredag.frames.store import Frames
    from genredag.params.groups.models import Pretrained, Train

BATCH_SIZE = 32
NOTHING = np.empty((0, 0), np.float32)


def write_embeddings(
    path: Path,
    backbone: Pretrained,
    params: Train,
    *,
    frames: Frames,
    slices: pd.DataFrame,
    slice_spec: Mapping[str, Any],
    split: pd.DataFrame,
    seed: int,
) -> None:
    """Write what the frozen part of `backbone` makes of training and validation slices to a ``.npy`` file.

    Float32, a row for each of these slices, in the order of `split`; no row if nothing is frozen. Memory
    does not grow with their number.
    """
    import keras

    part, n_frames = split["part"], slice_spec["n_frames"]
    genres = sorted(split["genre"].unique())
    training, used = (
        slice_set(frames, slices[rows], n_frames, split.loc[rows, "genre"], genres)
        for rows in ((part == "train").to_numpy(), _used(split))
    )
    scale = statistics(training, params.normalisation)
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    sizes = {"n_frames": n_frames, "n_bins": frames.spec.n_bins}
    network = frozen_network(backbone, **sizes, statistics=scale, precision=params.precision)
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
    embeddings: np.ndarray, split: pd.DataFrame, parts: Mapping[str, SliceSet]
) -> dict[str, SliceSet] | None:
    """Return the slices of `parts`, keyed as in `split`, with their embeddings; None without any.

    Raises
    ------
    DataError
        The embeddings are of another split.
    """
    if not len(embeddings):
        return None
    used = _used(split)
    if used.sum() != len(embeddings):
        raise DataError(
            f"embeddings of {len(embeddings)} slices",
            expected=f"{used.sum()}, those of training and validation",
            hint="rerun the embed stage",
        )
    row, flat = np.cumsum(used) - 1, embeddings.reshape(len(embeddings), -1)
    return {
        name: with_features(slices, flat, row[(split["part"] == name).to_numpy()])
        for name, slices in parts.items()
    }


def _used(split: pd.DataFrame) -> np.ndarray:
    return split["part"].isin(("train", "validation")).to_numpy()
