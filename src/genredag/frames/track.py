"""The frames of one track."""

from __future__ import annotations

import numpy as np

from genredag.frames.store import FrameSpec
from genredag.spectrograms.registry import known, read_group


def track_frames(y: np.ndarray, spec: FrameSpec, *, where: str) -> np.ndarray:
    """Return the numbers that a frame store holds of mono samples `y` at ``spec.sr``: (n_frames, n_bins).

    Parameters
    ----------
    where
        The name of the track, for the error.

    Raises
    ------
    DataError
        A value is NaN or infinite, or too large for the stored type.
    """
    transform = known(spec.representation).transform
    values = transform(y, spec.sr, read_group(spec.representation, spec.params))
    return spec.encode(values, where=where)
