"""What estimators see of a slice."""

from __future__ import annotations

import numpy as np

from genredag.errors import ModelError


def slice_statistics(slices: np.ndarray) -> np.ndarray:
    """Return mean and standard deviation over time of each bin and of its first difference.

    Parameters
    ----------
    slices
        Shape (n_slices, n_frames, n_bins); n_frames >= 2.

    Returns
    -------
    np.ndarray
        Float32, shape (n_slices, 4 * n_bins): means, deviations, then those of the differences.

    Raises
    ------
    ModelError
        There is no second frame.
    """
    if slices.shape[1] < 2:
        hint = "lengthen slices.seconds"
        raise ModelError(f"slices of {slices.shape[1]} frame", expected="at least 2", hint=hint)
    change = np.diff(slices, axis=1)
    parts = [slices.mean(axis=1), slices.std(axis=1), change.mean(axis=1), change.std(axis=1)]
    return np.concatenate(parts, axis=1, dtype=np.float32)
