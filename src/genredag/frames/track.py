"""The frames of one track."""

from __future__ import annotations

import numpy as np

from genredag.frames.store import FrameSpec
from genredag.spectrograms.registry import REPRESENTATIONS


def track_frames(y: np.ndarray, spec: FrameSpec) -> np.ndarray:
    """Return the numbers that a frame store holds of mono samples `y` at ``spec.sr``: (n_frames, n_bins)."""
    representation = REPRESENTATIONS[spec.representation]
    return spec.encode(representation.transform(y, spec.sr, representation.group(**spec.params)))
