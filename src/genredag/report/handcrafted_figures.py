"""Figures of handcrafted features: statistics by genre, and what a track looks like over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from genredag.report.spectrogram_figures import bin_ticks
from genredag.report.svg import PAGE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDTH = 360
_COLUMNS = 600  # of a waveform
SLOWEST_BPM, FASTEST_BPM = 30.0, 300.0
_LABELLED_BPM = (40, 60, 90, 150)
_CELL = 12  # pixels of a cell of a heat map, in both directions


def genre_heat_map(values: np.ndarray, genres: Sequence[str], columns: Sequence[str]) -> Figure:
    """Draw a number for each genre and column, as shades from -1.5 (blue) to 1.5 (red).

    Parameters
    ----------
    values
        Shape (n_genres, n_columns).
    """
    figure, axes = PAGE.axes(_WIDTH, 60 + 18 * len(genres))
    # Pages smooth enlarged images: a cell has many pixels to stay a rectangle.
    cells = np.kron(values, np.ones((_CELL, _CELL)))
    extent = (-0.5, len(columns) - 0.5, len(genres) - 0.5, -0.5)
    axes.imshow(cells, extent=extent, cmap="RdBu_r", vmin=-1.5, vmax=1.5, aspect="auto", interpolation="none")
    axes.set_yticks(range(len(genres)), list(genres))
    shown = range(0, len(columns), max(1, -(-len(columns) // 12)))
    axes.set_xticks(list(shown), [columns[i] for i in shown])
    return figure


def genre_spread(means: np.ndarray, deviations: np.ndarray, genres: Sequence[str], unit: str) -> Figure:
    """Draw the mean of each genre, and bars of one standard deviation.

    Parameters
    ----------
    means, deviations
        Shape (n_genres,).
    """
    figure, axes = PAGE.axes(_WIDTH, 50 + 18 * len(genres))
    places = np.arange(len(genres))
    axes.errorbar(means, places, xerr=deviations, fmt="o", color=PAGE.series[0], markersize=4, capsize=2)
    axes.set_yticks(places, list(genres))
    axes.set_xlabel(unit)
    axes.invert_yaxis()
    return figure


def waveform(samples: np.ndarray, sr: float) -> Figure:
    """Draw mono samples over seconds: the smallest and the largest of each column."""
    figure, axes = PAGE.axes(_WIDTH, 110)
    edges = np.linspace(0, len(samples), min(_COLUMNS, len(samples)) + 1).astype(int)[:-1]
    low, high = np.minimum.reduceat(samples, edges), np.maximum.reduceat(samples, edges)
    axes.fill_between(edges / sr, low, high, color=PAGE.series[0], linewidth=0.5)
    axes.set(ylim=(-1, 1), xlim=(0, len(samples) / sr), xlabel="seconds")
    return figure


def chromagram(chroma: np.ndarray, names: Sequence[str], frames_per_second: float) -> Figure:
    """Draw the strength of pitch classes, 0..1, (n_frames, n_classes), over seconds."""
    figure, axes = PAGE.axes(_WIDTH, 200)
    seconds = len(chroma) / frames_per_second
    axes.imshow(
        chroma.T,
        origin="lower",
        aspect="auto",
        interpolation="none",
        cmap="magma",
        vmin=0,
        vmax=1,
        extent=(0, seconds, -0.5, len(names) - 0.5),
    )
    axes.set_yticks(range(len(names)), list(names))
    axes.set_xlabel("seconds")
    return figure


def tempogram(onsets: np.ndarray, frames_per_second: float) -> Figure:
    """Draw how much the onsets repeat after a beat at each tempo: local autocorrelation over seconds.

    Parameters
    ----------
    onsets
        Onset strength of each frame, (n_frames,).
    """
    import librosa

    longest = int(60 * frames_per_second / SLOWEST_BPM)
    shortest = max(1, int(np.ceil(60 * frames_per_second / FASTEST_BPM)))
    strength = librosa.feature.tempogram(
        onset_envelope=onsets, sr=frames_per_second, hop_length=1, win_length=2 * longest
    )
    # Slow tempos, which are long lags, are at the bottom.
    rows = strength[shortest : longest + 1][::-1]
    figure, axes = PAGE.axes(_WIDTH, 160)
    extent = (0, len(onsets) / frames_per_second, -0.5, len(rows) - 0.5)
    axes.imshow(rows, origin="lower", aspect="auto", interpolation="none", cmap="magma", extent=extent)
    axes.set_yticks(
        [longest - 60 * frames_per_second / bpm for bpm in _LABELLED_BPM], [*map(str, _LABELLED_BPM)]
    )
    axes.set(xlabel="seconds", ylabel="beats per minute", ylim=extent[2:])
    return figure


def rolloff_over_spectrogram(
    values: np.ndarray,
    bins: Sequence[float],
    rolloff_hz: np.ndarray,
    frames_per_second: float,
    limits: tuple[float, float],
) -> Figure:
    """Draw the spectral roll-off as a line over a spectrogram (n_frames, n_bins).

    Parameters
    ----------
    bins
        Centre frequencies in Hz, ascending.
    rolloff_hz
        Shape (n_frames,).
    """
    figure, axes = PAGE.axes(_WIDTH, 220)
    seconds = len(values) / frames_per_second
    axes.imshow(
        values.T,
        origin="lower",
        aspect="auto",
        interpolation="none",
        cmap="magma",
        vmin=limits[0],
        vmax=limits[1],
        extent=(0, seconds, -0.5, len(bins) - 0.5),
    )
    places = np.interp(rolloff_hz, np.asarray(bins, np.float64), np.arange(len(bins)))
    axes.plot((np.arange(len(places)) + 0.5) / frames_per_second, places, color="white", linewidth=0.9)
    positions, labels = bin_ticks(bins)
    axes.set_yticks(positions, labels)
    axes.set(xlabel="seconds", ylabel="Hz", xlim=(0, seconds), ylim=(-0.5, len(bins) - 0.5))
    return figure
