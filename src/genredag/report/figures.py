"""Figures as inline SVG that takes its colours and its font from the page.

Drawn by matplotlib in stand-in colours, which `to_svg` replaces by the page's CSS variables: one drawing
serves light and dark mode.
"""

from __future__ import annotations

import base64
import io
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from markupsafe import Markup, escape

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK, _LINE, _FIRST, _SECOND = "#010203", "#010204", "#010205", "#010206"
_CSS_COLOURS = {
    _INK: "var(--muted)",
    _LINE: "var(--line)",
    _FIRST: "var(--series-1)",
    _SECOND: "var(--series-2)",
}
_COLOUR_MAP = "magma"
_FREQUENCIES = (50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000)


def to_svg(figure: Figure, description: str) -> Markup:
    """Return `figure` as an SVG element; `description` is what a screen reader says."""
    import matplotlib

    buffer = io.StringIO()
    # Identifiers hashed with the description differ between the figures of a page, not between its builds.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": description}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    svg = re.sub(r"image-rendering:[^;\"]*;?", "", svg)
    svg = re.sub(r"data:image/png;base64,([A-Za-z0-9+/=\s]+)", _as_webp, svg)
    for colour, variable in _CSS_COLOURS.items():
        svg = svg.replace(colour, variable)
    width, height = 72 * figure.get_size_inches()
    opening = f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(description)}">'
    svg = opening + svg[svg.index(">") + 1 :]
    return Markup(re.sub(r"\s*\n\s*", "\n", svg).strip())


def learning_curve(history: pd.DataFrame, quantity: str) -> Figure:
    """Draw ``"loss"`` or ``"accuracy"`` of training and validation slices over the epochs.

    The epoch of the least validation loss, whose weights are kept, is marked.
    """
    from matplotlib.ticker import MaxNLocator

    figure, axes = _axes(360, 230)
    axes.plot(history["epoch"], history[quantity], color=_FIRST, label="training", linewidth=1.8)
    validation = history[f"val_{quantity}"]
    axes.plot(history["epoch"], validation, color=_SECOND, label="validation", linewidth=1.8, linestyle="--")
    kept = int(history["epoch"].iloc[history["val_loss"].argmin()])
    axes.axvline(kept, color=_INK, linewidth=1, linestyle=":", label=f"kept: epoch {kept}")
    axes.set_xlabel("epoch", color=_INK)
    axes.set_ylim(bottom=0, top=1 if quantity == "accuracy" else None)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", color=_LINE, linewidth=0.8)
    axes.legend(frameon=False, labelcolor=_INK, fontsize=11)
    return figure


def spectrogram(
    values: np.ndarray, bins: Sequence[float | str], frames_per_second: float, limits: tuple[float, float]
) -> Figure:
    """Draw frames (n_frames, n_bins) over seconds and Hz (or names of features), one row a bin."""
    figure, axes = _axes(360, 220)
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
    axes.set_xlabel("seconds", color=_INK)
    if not _are_names(bins):
        axes.set_ylabel("Hz", color=_INK)
    return figure


def colour_key(limits: tuple[float, float], unit: str) -> Figure:
    """Draw the bar that tells which value a colour of `spectrogram` stands for."""
    figure, axes = _axes(360, 52)
    ramp = np.linspace(0, 1, 256)[np.newaxis]
    axes.imshow(ramp, aspect="auto", cmap=_COLOUR_MAP, interpolation="none", extent=(*limits, 0, 1))
    axes.set_yticks([])
    axes.set_xlabel(unit, color=_INK)
    return figure


def bin_ticks(bins: Sequence[float | str], gap: float = 0.09) -> tuple[list[float], list[str]]:
    """Choose where to label the frequency axis: round frequencies at least `gap` of its height apart.

    Parameters
    ----------
    bins
        Centre frequencies in Hz, ascending; or names, of which evenly spaced ones are labelled.
    """
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


def _axes(width: int, height: int) -> tuple[Figure, Axes]:
    """Make a figure of so many CSS pixels, in stand-in colours."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / 72, height / 72), layout="constrained")
    axes = figure.subplots()
    axes.tick_params(colors=_INK, labelsize=11, length=3)
    axes.xaxis.label.set_fontsize(11)
    axes.yaxis.label.set_fontsize(11)
    axes.spines[:].set_color(_LINE)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _as_webp(match: re.Match[str]) -> str:
    """Encode an embedded PNG as WebP, a tenth of its size for spectrograms."""
    from PIL import Image

    image = Image.open(io.BytesIO(base64.b64decode(match[1]))).convert("RGB")
    buffer = io.BytesIO()
    image.save(buffer, format="WEBP", quality=80, method=6)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"
