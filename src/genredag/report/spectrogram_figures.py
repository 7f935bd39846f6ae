"""Figures of frames: a spectrogram with axes, its colour key, and a thumbnail without axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from genredag.report.svg import PAGE, webp_address
from genredag.spectrograms.column_names import axis_label, channel_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOUR_MAP = "magma"
_FREQUENCIES = (50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000)
_THUMBNAIL = (240, 88)  # width and height in pixels


def spectrogram(
    values: np.ndarray, bins: Sequence[float | str], frames_per_second: float, limits: tuple[float, float]
) -> Figure:
    """Draw frames (n_frames, n_bins) over seconds and Hz, pitch classes or features, one row per bin."""
    figure, axes = PAGE.axes(360, 220)
    n_frames, n_bins = values.shape
    axes.imshow(
        values.T,
        origin="lower",
        aspect="auto",
        interpolation="none",
        cmap=_COLOUR_MAP,
        vmin=limits[0],
        vmax=limits[1],
        extent=(0, n_frames / frames_per_second, -0.5, n_bins - 0.5),
    )
    positions, labels = bin_ticks(bins)
    axes.set_yticks(positions, labels)
    axes.set_xlabel("seconds")
    axes.set_ylabel(axis_label(bins))
    return figure


def colour_key(limits: tuple[float, float], unit: str) -> Figure:
    """Draw the colour bar of `spectrogram`."""
    figure, axes = PAGE.axes(360, 52)
    ramp = np.linspace(0, 1, 256)[np.newaxis]
    axes.imshow(ramp, aspect="auto", cmap=_COLOUR_MAP, interpolation="none", extent=(*limits, 0, 1))
    axes.set_yticks([])
    axes.set_xlabel(unit)
    return figure


def thumbnail(values: np.ndarray, limits: tuple[float, float]) -> str:
    """Return a small picture of frames (n_frames, n_bins), in the colours of `spectrogram`, as a data URL."""
    from matplotlib import colormaps
    from PIL import Image

    shares = np.clip((values.T[::-1] - limits[0]) / (limits[1] - limits[0]), 0, 1)
    pixels = colormaps[_COLOUR_MAP](shares, bytes=True)
    return webp_address(Image.fromarray(pixels).convert("RGB").resize(_THUMBNAIL, Image.Resampling.BOX))


def bin_ticks(bins: Sequence[float | str], gap: float = 0.09) -> tuple[list[float], list[str]]:
    """Choose the tick positions and labels of the frequency axis.

    Ticks are at round frequencies, at least `gap` of the axis height apart.

    Parameters
    ----------
    bins
        Centre frequencies in Hz, ascending; or feature names, which are labelled at even spacing; or rows of
        the channels of a stack, each of which is labelled in its middle.
    """
    channels = [channel_of(name) for name in bins]
    if len(names := list(dict.fromkeys(channels))) > 1:
        return [channels.index(name) + (channels.count(name) - 1) / 2 for name in names], names
    if _are_names(bins):
        chosen = range(0, len(bins), max(1, math.ceil(len(bins) * gap)))
        return [float(i) for i in chosen], [str(bins[i]) for i in chosen]
    hz = np.asarray(bins, dtype=np.float64)
    ticks: list[tuple[float, str]] = []
    for frequency in reversed(_FREQUENCIES):
        position = float(np.interp(frequency, hz, np.arange(len(hz))))
        inside = hz[0] <= frequency <= hz[-1]
        if inside and (not ticks or ticks[-1][0] - position >= gap * len(hz)):
            ticks.append((position, f"{frequency // 1000}k" if frequency >= 1000 else str(frequency)))
    return [position for position, _ in reversed(ticks)], [label for _, label in reversed(ticks)]


def _are_names(bins: Sequence[float | str]) -> bool:
    return isinstance(bins[0], str)
