"""Constant-Q transform in dB."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import soxr

from genredag.errors import ParameterError
from genredag.params.groups.spectrograms import Cqt
from genredag.runtime.cache import cached_array
from genredag.spectrograms.spectrum import Description, decibels, spectra

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# Of a Hann window, in bins: librosa.filters.window_bandwidth("hann").
HANN_BANDWIDTH = 1.50018310546875


def cqt(y: np.ndarray, sr: int, params: Cqt) -> np.ndarray:
    """Return the constant-Q transform of mono samples `y` in dB below its maximum.

    `sr` is in Hz. The method is that of Schoerkhuber & Klapuri (2010). Float32 in [-top_db, 0], shape
    (1 + n_samples // hop_length, n_bins).

    Hop lengths that can be halved once per octave are fastest. Others end the recursive downsampling early.
    """
    return decibels(cqt_power(y, sr, params), params.top_db)


def cqt_power(y: np.ndarray, sr: int, params: Cqt) -> np.ndarray:
    """Return the power of each bin, (n_frames, n_bins): `librosa.cqt`, squared.

    librosa builds the filters again for every track, which takes half of its time.
    """
    n_frames = 1 + len(y) // params.hop_length
    power = np.empty((n_frames, params.n_bins), np.float32)
    halvings = 0
    for octave in octaves(sr, params.hop_length, params.n_bins, params.bins_per_octave, params.fmin):
        if octave.halvings > halvings:
            y = soxr.resample(y, 2 ** (octave.halvings - halvings), 1, quality="HQ")
            halvings = octave.halvings
        hop_length = params.hop_length >> halvings
        framed = _centred(y, octave.n_fft, (n_frames - 1) * hop_length + octave.n_fft)
        for rows, spectrum in spectra(framed, octave.n_fft, hop_length):
            response = octave.filters @ np.ascontiguousarray(spectrum[:, octave.support].T)
            power[rows, octave.bins] = (response.real**2 + response.imag**2).T
    return power


def _centred(y: np.ndarray, n_fft: int, n_samples: int) -> np.ndarray:
    """Return `n_samples`: half a frame of zeros, `y`, and zeros."""
    padded = np.zeros(n_samples, np.float32)
    own = y[: n_samples - n_fft // 2]
    padded[n_fft // 2 : n_fft // 2 + len(own)] = own
    return padded


@dataclass(frozen=True)
class Octave:
    """Filters of neighbouring bins, in the domain of the Fourier transform.

    Attributes
    ----------
    bins
        Numbers of the bins.
    halvings
        How many times the sample rate is halved for them.
    n_fft
        Length of a frame at that rate, in samples.
    support
        Frequencies of the Fourier transform that the filters weight.
    filters
        Their weights, complex64 (n_bins, n_frequencies).
    """

    bins: slice
    halvings: int
    n_fft: int
    support: slice
    filters: csr_array


@functools.lru_cache(maxsize=8)
def octaves(sr: int, hop_length: int, n_bins: int, bins_per_octave: int, fmin: float) -> tuple[Octave, ...]:
    """Return the filters from the highest octave to the lowest.

    As in librosa, the sample rate is halved for each octave as long as the hop length is even, and before the
    first octave if that ends far below half the sample rate.
    """
    from scipy.sparse import csr_array

    centres = fmin * 2.0 ** (np.arange(n_bins) / bins_per_octave)
    n_octaves = math.ceil(n_bins / bins_per_octave)
    most = (hop_length & -hop_length).bit_length() - 1  # a hop of 512 can be halved nine times
    before = _early_halvings(centres[-1], sr, bins_per_octave, most - n_octaves + 1)
    found = []
    for number in range(n_octaves):
        halvings = min(before + number, most)
        stop = n_bins - number * bins_per_octave
        bins = slice(max(stop - bins_per_octave, 0), stop)
        arguments = (sr, halvings, float(centres[bins][0]), bins.stop - bins.start, bins_per_octave)
        filters = cached_array("cqt", arguments, ["librosa"], functools.partial(_filters, *arguments))
        used = np.flatnonzero(filters.any(axis=0))
        support = slice(used[0], used[-1] + 1)
        n_fft = 2 * (filters.shape[1] - 1)
        found.append(Octave(bins, halvings, n_fft, support, csr_array(filters[:, support])))
    return tuple(found)


def _early_halvings(highest: float, sr: int, bins_per_octave: int, most: int) -> int:
    """Return how many times the sample rate can be halved without loss to the filter of the highest bin."""
    cutoff = highest * (1 + 0.5 * HANN_BANDWIDTH * _bandwidth(bins_per_octave))
    return max(0, min(math.ceil(math.log2(sr / 2 / cutoff)) - 2, most))


def _bandwidth(bins_per_octave: int) -> float:
    """Return the bandwidth of a filter over its centre frequency."""
    ratio = 4 ** (1 / bins_per_octave)
    return (ratio - 1) / (ratio + 1)


def _filters(sr: int, halvings: int, fmin: float, n_bins: int, bins_per_octave: int) -> np.ndarray:
    """Return filters for samples whose rate was halved, complex64 (n_bins, n_fft // 2 + 1).

    The weights include the factors by which librosa scales samples and transforms of an octave.
    """
    from librosa import filters, util

    centres = fmin * 2.0 ** (np.arange(n_bins) / bins_per_octave)
    alpha = _bandwidth(bins_per_octave)
    wavelets, lengths = filters.wavelet(freqs=centres, sr=sr / 2**halvings, alpha=alpha)
    n_fft = wavelets.shape[1]
    # librosa's halving multiplies amplitudes by sqrt(2), and so does its compensation for shorter filters.
    scale = np.sqrt(lengths * 2**halvings) / n_fft
    weights = np.fft.fft(wavelets * scale[:, np.newaxis])[:, : n_fft // 2 + 1]
    return util.sparsify_rows(weights, quantile=0.01, dtype=np.complex64).toarray()


def columns(params: Cqt) -> range:
    """Return the numbers of the columns of `cqt`."""
    return range(params.n_bins)


def describe(params: Cqt, sr: int) -> Description:
    """Return the centre frequencies of the columns of `cqt` in Hz, and its unit and floor.

    Raises
    ------
    ParameterError
        The filter of the highest bin extends beyond half the sample rate.
    """
    bins = frequencies(params, sr, "representations.cqt.n_bins", "fewer n_bins, or a lower fmin")
    return {"bins": bins.round(3).tolist(), "unit": "dB", "floor": -params.top_db}


def frequencies(params: Cqt, sr: int, where: str, hint: str) -> np.ndarray:
    """Return the centre frequencies of a constant-Q transform in Hz, (n_bins,).

    Parameters
    ----------
    where, hint
        The parameter to change, and how, for the error.

    Raises
    ------
    ParameterError
        The filter of the highest bin extends beyond half the sample rate.
    """
    import librosa

    bins = librosa.cqt_frequencies(params.n_bins, fmin=params.fmin, bins_per_octave=params.bins_per_octave)
    _, highest = librosa.filters.wavelet_lengths(freqs=bins, sr=sr)
    if highest > sr / 2:
        raise ParameterError(
            f"the filter of the highest of {params.n_bins} bins ends at {highest:.0f} Hz",
            where=where,
            expected=f"at most half of spectrograms.sr, {sr / 2:g} Hz",
            hint=hint,
        )
    return bins
