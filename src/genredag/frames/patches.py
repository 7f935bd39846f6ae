"""Random features of the patches of a spectrogram: what short runs of frames look like, whatever their order.

A patch is a few successive frames. Its likeness to each of many random patterns is averaged over time. The
patterns are drawn once for all, so that nothing is learned: random filters do nearly as well as a learned
dictionary (Jarrett et al. 2009; for time series Dempster, Petitjean & Webb 2020, ROCKET).
"""

from __future__ import annotations

import numpy as np

from genredag.frames.textures import RATE, averaged, by_chunks, without_level

# Frames of a patch, at about `RATE`, and the number of patterns of each length.
LENGTHS = (2, 4, 8)
N_PATTERNS = 500
# A patch is described by its cosine transform: at most so many coefficients over the bins and over time.
N_CEPSTRA, N_OVER_TIME = 16, 6
# Coefficients are multiplied by their number (from 1) to these powers, because higher ones are smaller.
CEPSTRAL_EMPHASIS, TEMPORAL_EMPHASIS = 0.25, 0.5
# A patch is scaled to length 1, unless it is shorter than the rounding error of its values.
ROUNDING = 1e-4


def patches(slices: np.ndarray, frames_per_second: float) -> np.ndarray:
    """Return the mean and deviation over time of the likeness of patches to random patterns.

    The features do not change if a constant is added to all values, or if all are multiplied by a factor.

    Parameters
    ----------
    slices
        Spectrograms in decibels or a similar scale, (n_slices, n_frames, n_bins).
    frames_per_second
        Of the slices.

    Returns
    -------
    np.ndarray
        Float32 (n_slices, 3000): for each length, square roots of the means, then deviations.
    """
    coarse = averaged(slices, max(1, round(frames_per_second / RATE)))
    coarse = np.pad(coarse, ((0, 0), (0, max(0, max(LENGTHS) - coarse.shape[1])), (0, 0)), mode="edge")
    return by_chunks(_likenesses, coarse)


def _likenesses(slices: np.ndarray) -> np.ndarray:
    from scipy.fft import dct

    cepstra = dct(without_level(slices), axis=2, norm="ortho")[:, :, :N_CEPSTRA]
    shortest = ROUNDING * np.abs(slices).max(axis=(1, 2), initial=1e-30)[:, np.newaxis, np.newaxis]
    parts = []
    for length in LENGTHS:
        of_patches = emphasised(cepstra, length)
        of_patches /= np.maximum(np.linalg.norm(of_patches, axis=2, keepdims=True), shortest)
        likeness = np.maximum(of_patches @ patterns(of_patches.shape[2], length), 0)
        parts += [np.sqrt(likeness.mean(axis=1)), likeness.std(axis=1)]
    return np.concatenate(parts, axis=1)


def emphasised(cepstra: np.ndarray, length: int) -> np.ndarray:
    """Return the coefficients of all patches of `length` frames.

    Parameters
    ----------
    cepstra
        Shape (n_slices, n_frames, n_cepstra).

    Returns
    -------
    np.ndarray
        Shape (n_slices, n_frames - length + 1, n_cepstra * min(length, 6)).
    """
    from scipy.fft import dct

    runs = np.lib.stride_tricks.sliding_window_view(cepstra, length, axis=1)
    found = dct(runs, axis=3, norm="ortho")[..., :N_OVER_TIME]
    over_bins, over_time = (np.arange(1, size + 1, dtype=np.float32) for size in found.shape[2:])
    found *= over_bins[:, np.newaxis] ** CEPSTRAL_EMPHASIS * over_time**TEMPORAL_EMPHASIS
    return found.reshape(*found.shape[:2], found.shape[2] * found.shape[3])


def patterns(size: int, seed: int) -> np.ndarray:
    """Return random patterns of length 1, (size, N_PATTERNS), the same with every version of NumPy."""
    drawn = np.random.RandomState(seed).standard_normal((size, N_PATTERNS))
    return (drawn / np.linalg.norm(drawn, axis=0)).astype(np.float32)
