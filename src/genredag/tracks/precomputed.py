"""Precomputed spectrograms, as published by collections that can't share their audio."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from genredag.errors import DataError


def load_spectrograms(path: Path) -> tuple[list[str], np.ndarray]:
    """Read an ``.npz`` with ``track_id`` and one other array: (n_tracks, n_bins, n_frames), low bins first.

    Returns
    -------
    track_ids
        One per track.
    frames
        Shape (n_tracks, n_frames, n_bins): time-major, values and dtype as published.

    Raises
    ------
    DataError
        The file is missing or has other contents.
    """
    where, expected = str(path), "an .npz with track_id and one array (n_tracks, n_bins, n_frames)"
    if not Path(path).is_file():
        raise DataError(
            "not a file" if Path(path).exists() else "no such file", where=where, expected=expected
        )
    if not zipfile.is_zipfile(path):
        raise DataError("not an .npz file, or truncated", where=where, expected=expected)
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"unreadable: {error}", where=where, expected=expected) from None
    ids = arrays.pop("track_id", None)
    if ids is None or ids.ndim != 1 or len(arrays) != 1:
        raise DataError(f"holds {', '.join(arrays) or 'nothing'}", where=where, expected=expected)
    (frames,) = arrays.values()
    if frames.ndim != 3 or len(frames) != len(ids) or frames.dtype.kind not in "uif":
        raise DataError(f"{len(ids)} ids and an array {frames.shape}", where=where, expected=expected)
    return [str(track_id) for track_id in ids], frames.transpose(0, 2, 1)
