"""Textures of a spectrogram: how its values move over time and frequency together.

Two blocks of features, both unchanged by a constant that is added to all values, and scaled as a whole by a
factor:

- Modulations: magnitudes of the spectrogram behind a bank of two-dimensional Gabor filters, from beats over
  vibrato to onsets in time and from broad formants to single partials in frequency, rising and falling. They
  follow the joint scattering of Andén, Lostanlen & Mallat 2019, with one layer.
- Covariances of the cepstrum (a discrete cosine transform over the bins) of three successive frames, as the
  logarithm of their matrix, in which distances are those of Arsigny et al. 2006.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np

# Frames are averaged in runs to about this rate, in Hz. Time scales below are in these frames.
RATE = 11.0
# Cycles per frame and per bin of the filters' centres; 0 is a low pass.
TEMPORAL = (0.0, 1 / 168, 1 / 84, 1 / 42, 1 / 21, 1 / 10.5, 1 / 5.25, 1 / 2.7)
SPECTRAL = (0.0, 1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4)
# Standard deviation of a filter in frequency: a share of its centre, or, of a low pass, cycles.
BANDWIDTH = 0.5
TEMPORAL_LOW_PASS, SPECTRAL_LOW_PASS = 1 / 336, 1 / 128
# Frames and bins of zeros that keep the end of a slice from the filters at its beginning.
PADDING = (32, 16)
N_BANDS = 6
N_CEPSTRA = 12
N_LAGS = 3
# Added to each variance, as a share of their mean, so that the logarithm of a matrix exists.
RIDGE = 1e-3
CHUNK = 16  # slices at once: the filtered copies of a slice take more memory than the slice
Centre = tuple[float, float]  # of a filter: cycles per frame, and per bin; negative ones fall


def textures(slices: np.ndarray, frames_per_second: float) -> np.ndarray:
    """Return modulations and covariances of slices.

    Parameters
    ----------
    slices
        Spectrograms in decibels or a similar scale, (n_slices, n_frames, n_bins).
    frames_per_second
        Of the slices.

    Returns
    -------
    np.ndarray
        Float32 (n_slices, n_features): 1,650 features of slices with at least 12 bins, fewer otherwise.
    """
    coarse = averaged(slices, max(1, round(frames_per_second / RATE)))
    return by_chunks(lambda chunk: np.concatenate([modulations(chunk), covariances(chunk)], axis=1), coarse)


def by_chunks(features: Callable[[np.ndarray], np.ndarray], slices: np.ndarray) -> np.ndarray:
    """Return the features of all slices, float32 (n_slices, n_features), computed from `CHUNK` at a time."""
    chunks = (slices[i : i + CHUNK] for i in range(0, max(1, len(slices)), CHUNK))
    return np.concatenate([features(chunk) for chunk in chunks], dtype=np.float32)


def without_level(slices: np.ndarray) -> np.ndarray:
    """Return slices minus the mean of each over frames and bins."""
    return slices - slices.mean(axis=(1, 2), keepdims=True, dtype=np.float32) if len(slices) else slices


def averaged(slices: np.ndarray, run: int) -> np.ndarray:
    """Return the means of runs of frames, float32 (n_slices, ceil(n_frames / run), n_bins).

    The last run may be shorter. At least `N_LAGS` frames are returned: the last one is repeated.
    """
    starts = np.arange(0, slices.shape[1], run)
    sizes = np.diff([*starts, slices.shape[1]])[:, np.newaxis]
    means = np.add.reduceat(slices, starts, axis=1, dtype=np.float32) / sizes.astype(np.float32)
    missing = max(0, N_LAGS - len(starts))
    return np.pad(means, ((0, 0), (0, missing), (0, 0)), mode="edge")


def modulations(slices: np.ndarray) -> np.ndarray:
    """Return mean and deviation over time of each filter's magnitude in each of six bands.

    Returns
    -------
    np.ndarray
        Square roots, (n_slices, 2 * 82 * n_bands). Roots make the distribution of magnitudes symmetric.
    """
    found = {
        centre: (of_band.mean(axis=2), of_band.std(axis=2)) for centre, of_band in magnitudes_in_bands(slices)
    }
    return np.sqrt(np.concatenate([values for centre in centres() for values in found[centre]], axis=1))


def magnitudes_in_bands(slices: np.ndarray) -> Iterator[tuple[Centre, np.ndarray]]:
    """Yield the centre of each filter, and its mean magnitude in each band, (n_slices, n_bands, n_frames).

    A filter is a product of one over frequency and one over time, so that slices are filtered over frequency
    once for each scale, and over time once for each filter.
    """
    from scipy.fft import fft2, ifft

    n_frames, n_bins = slices.shape[1:]
    bands = np.linspace(0, n_bins, min(N_BANDS, n_bins), endpoint=False).astype(int)
    sizes = np.diff([*bands, n_bins]).astype(np.float32)[:, np.newaxis]
    shape = _padded(n_frames, n_bins)
    over_time, over_frequency = responses(*shape)
    turned = np.swapaxes(without_level(slices), 1, 2).astype(np.complex64)
    spectrum = fft2(turned, s=shape[::-1], axes=(1, 2))
    for scale, of_scale in over_frequency.items():
        in_bins = ifft(spectrum * of_scale[:, np.newaxis], axis=1)[:, :n_bins]
        for rate in (rate for rate, other in centres() if other == scale):
            filtered = ifft(in_bins * over_time[rate], axis=2, overwrite_x=True)[:, :, :n_frames]
            yield (rate, scale), np.add.reduceat(np.abs(filtered), bands, axis=1) / sizes


def _padded(n_frames: int, n_bins: int) -> tuple[int, int]:
    from scipy.fft import next_fast_len

    return next_fast_len(n_frames + PADDING[0]), next_fast_len(n_bins + PADDING[1])


@cache
def centres() -> tuple[Centre, ...]:
    """Return the centres of the 82 filters, in the order of their features."""
    return tuple(
        (rate, sign * scale)
        for rate in TEMPORAL
        for scale in SPECTRAL
        # The spectrogram is real, so that only the relative sign of the two makes a difference.
        for sign in ((1, -1) if rate and scale else (1,))
        if rate or scale
    )


def responses(n_frames: int, n_bins: int) -> tuple[dict[float, np.ndarray], dict[float, np.ndarray]]:
    """Return the frequency responses over time (n_frames,) by rate, and over frequency (n_bins,) by scale."""
    time, frequency = np.fft.fftfreq(n_frames), np.fft.fftfreq(n_bins)
    scales = dict.fromkeys(scale for _, scale in centres())
    return (
        {rate: _bell(time, rate, TEMPORAL_LOW_PASS) for rate in TEMPORAL},
        {scale: _bell(frequency, scale, SPECTRAL_LOW_PASS) for scale in scales},
    )


def _bell(frequencies: np.ndarray, centre: float, low_pass: float) -> np.ndarray:
    width = BANDWIDTH * abs(centre) if centre else low_pass
    return np.exp(-np.square((frequencies - centre) / width) / 2).astype(np.float32)


def covariances(slices: np.ndarray) -> np.ndarray:
    """Return the logarithm of the covariance matrix of the cepstra of three successive frames.

    Returns
    -------
    np.ndarray
        Its upper triangle, (n_slices, 666) with at least 12 bins. Off the diagonal, values are multiplied by
        the square root of 2, so that Euclidean distances are those of whole matrices.
    """
    from scipy.fft import dct

    cepstra = dct(slices, axis=2, norm="ortho")[:, :, :N_CEPSTRA].astype(np.float64)
    n_rows = cepstra.shape[1] - N_LAGS + 1
    lagged = np.concatenate([cepstra[:, lag : lag + n_rows] for lag in range(N_LAGS)], axis=2)
    lagged -= lagged.mean(axis=1, keepdims=True)
    covariance = np.swapaxes(lagged, 1, 2) @ lagged / n_rows
    variances = np.trace(covariance, axis1=1, axis2=2) / covariance.shape[1]
    # A constant slice has no variances; any positive number makes its logarithm finite.
    ridge = np.where(variances > 0, RIDGE * variances, 1.0)
    values, vectors = np.linalg.eigh(covariance + ridge[:, np.newaxis, np.newaxis] * np.eye(lagged.shape[2]))
    values = np.log(np.maximum(values, ridge[:, np.newaxis] / 2))
    logarithm = vectors * values[:, np.newaxis] @ np.swapaxes(vectors, 1, 2)
    row, column = np.triu_indices(lagged.shape[2])
    return logarithm[:, row, column] * np.where(row == column, 1.0, np.sqrt(2.0))
