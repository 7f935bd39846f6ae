"""Frames of encoders: what a pretrained network makes of windows of a track, one window per frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from genredag.spectrograms.spectrum import Description

EMBEDDING = "embedding_"  # what the names of the columns begin with


class WindowEncoder(Protocol):
    """A network that maps windows of samples to embeddings.

    Attributes
    ----------
    sr
        Sample rate of its input, in Hz.
    n_samples
        Length of its input.
    n_columns
        Length of an embedding.
    """

    sr: int
    n_samples: int
    n_columns: int

    def embed(self, window: np.ndarray) -> np.ndarray:
        """Return the embedding, (n_columns,), of samples (n_samples,)."""


def embedded(y: np.ndarray, sr: int, centres: np.ndarray, encoder: WindowEncoder) -> np.ndarray:
    """Return the embeddings of windows of mono samples, float32 (n_windows, n_columns).

    Parameters
    ----------
    y
        Samples at `sr` Hz.
    centres
        Middle of each window, in seconds. Windows that would begin before the samples or end after them are
        moved inside. Samples shorter than a window are padded with silence.
    """
    import soxr

    if sr != encoder.sr:
        y = soxr.resample(y, sr, encoder.sr, quality="HQ")
    y = np.pad(y.astype(np.float32), (0, max(encoder.n_samples - len(y), 0)))
    starts = np.rint(centres * encoder.sr - encoder.n_samples / 2).astype(int)
    starts = starts.clip(0, len(y) - encoder.n_samples)
    frames = np.empty((len(starts), encoder.n_columns), np.float32)
    for i, start in enumerate(starts):
        same = i and start == starts[i - 1]  # at the ends of a track
        frames[i] = frames[i - 1] if same else encoder.embed(y[start : start + encoder.n_samples])
    return frames


def embedded_track(y: np.ndarray, sr: int, hop_length: int, encoder: WindowEncoder) -> np.ndarray:
    """Return a frame for every `hop_length` samples: float32 (1 + n_samples // hop_length, n_columns)."""
    return embedded(y, sr, np.arange(1 + len(y) // hop_length) * hop_length / sr, encoder)


def describe_embedding(names: Sequence[str]) -> Description:
    """Return the description of columns whose scales differ; features of slices ignore padding."""
    return {"bins": names, "unit": "feature", "floor": 0.0}


def embedding_names(n_columns: int) -> list[str]:
    """Name the columns of an embedding: ``"embedding_1"``, ``"embedding_2"``."""
    return [f"{EMBEDDING}{number}" for number in range(1, n_columns + 1)]
