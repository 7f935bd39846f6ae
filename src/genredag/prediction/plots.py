"""Figures of a prediction: bars, and genres over time under the spectrogram; what decided, over it."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from genredag.evaluation.themes import FILE
from genredag.prediction.explain import Explanation, kind_of
from genredag.prediction.song import SongPrediction, Spectrogram
from genredag.prediction.tables import clock, percent, shown_name, trust_lines
from genredag.spectrograms.column_names import axis_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_BARS = 10
_TICKS_HZ = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)


def song_figure(song: SongPrediction) -> Figure:
    """Draw the probabilities of a song as bars, and over time, under its spectrogram if that was kept."""
    from matplotlib.figure import Figure

    colours = _colours(song.class_names)
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    grid = figure.add_gridspec(1, 2, width_ratios=(1, 2.2))
    left, right = figure.add_subfigure(grid[0]), figure.add_subfigure(grid[1])
    _draw_bars(left.add_subplot(), song, colours)
    if song.spectrogram is None:
        below = right.add_subplot()
    else:
        above, below = right.subplots(2, 1, sharex=True, height_ratios=(1.3, 1))
        draw_spectrogram(above, song.spectrogram)
        above.tick_params(labelbottom=False)
    _draw_ribbon(below, song, colours)
    lines = [_shown(song.source), *trust_lines(song.trust)]
    title = "\n".join(lines[:1] + [" · ".join(lines[1:])] * (len(lines) > 1))
    figure.suptitle(title, fontsize=11, multialignment="center")
    return figure


def explanation_figure(found: Explanation) -> Figure:
    """Draw which parts of a song support its genre (blue) or count against it (orange)."""
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.2), layout="constrained")
    axes = figure.add_subplot()
    draw_spectrogram(axes, found.spectrogram, cmap="Greys")
    most = float(max(np.abs(found.effect).max(), 1e-3))
    orange, blue = (0.87, 0.56, 0.02), (0.0, 0.45, 0.70)
    shades = [(*orange, 0.85), (*orange, 0.0), (*blue, 0.0), (*blue, 0.85)]
    cmap = LinearSegmentedColormap.from_list("effect", list(zip((0.0, 0.5, 0.5, 1.0), shades, strict=True)))
    mesh = axes.pcolormesh(
        found.edges, found.bands - 0.5, found.effect.T, cmap=cmap, vmin=-most, vmax=most, shading="flat"
    )
    figure.colorbar(mesh, ax=axes, label=f"fall of p({found.genre}) without this part", pad=0.01)
    axes.set_xlabel("time (min:s)")
    axes.set_title(
        f"{_shown(found.source)}: what supports {found.genre} (blue) or counts against it (orange)"
    )
    axes.title.set_fontsize(11)
    return figure


def draw_spectrogram(axes: Axes, spectrogram: Spectrogram, cmap: str = "magma") -> None:
    """Draw what a model saw of a song; the y axis counts bins, labelled by frequency or feature."""
    values = spectrogram.values
    if spectrogram.unit == "feature":  # of different units
        deviation = values.std(axis=0)
        values = (values - values.mean(axis=0)) / np.where(deviation > 0, deviation, 1)
    extent = (0, spectrogram.seconds, -0.5, len(spectrogram.bins) - 0.5)
    low, high = np.percentile(values, (2, 99.8))
    axes.imshow(
        values.T,
        aspect="auto",
        origin="lower",
        extent=extent,
        cmap=cmap,
        vmin=low,
        vmax=max(high, low + 1e-6),
    )
    places, labels = _ticks(spectrogram)
    axes.set_yticks(places, labels, fontsize=8)
    axes.set_ylabel(axis_label(spectrogram.bins))
    _time_axis(axes)


def _ticks(spectrogram: Spectrogram) -> tuple[list[float], list[str]]:
    bins = spectrogram.bins
    if any(isinstance(name, str) for name in bins):
        kinds = [(kind, len(list(group))) for kind, group in groupby(bins, key=kind_of)]
        if len(kinds) in (1, len(bins)):  # coefficients, pitch classes
            shown = range(0, len(bins), -(-len(bins) // 16))
            return [float(i) for i in shown], [str(bins[i]) for i in shown]
        places, labels, first = [], [], 0
        for kind, size in kinds:
            if size > 2:
                places.append(first + (size - 1) / 2)
                labels.append(kind)
            first += size
        return places, labels
    hz = np.asarray(bins, float)
    places, labels = [], []
    for tick in _TICKS_HZ:
        place = float(np.interp(tick, hz, np.arange(len(hz))))
        if hz[0] <= tick <= hz[-1] and (not places or place - places[-1] > len(hz) / 16):  # else they overlap
            places.append(place)
            labels.append(f"{tick:g}")
    return places, labels


def _draw_bars(axes: Axes, song: SongPrediction, colours: dict[str, str]) -> None:
    top = song.top(min(_MOST_BARS, len(song.class_names)))
    names, shares = [name for name, _ in top], [share for _, share in top]
    held = set(song.set or names)
    bars = axes.barh(names, shares, color=[colours[name] for name in names])
    for bar, name, share in zip(bars, names, shares, strict=True):
        bar.set_alpha(1.0 if name in held else 0.35)
        axes.text(share + 0.01, bar.get_y() + bar.get_height() / 2, percent(share), va="center", fontsize=9)
    axes.invert_yaxis()
    axes.set(xlim=(0, max(shares) * 1.25), xlabel="probability")
    axes.xaxis.set_major_formatter(lambda value, _: percent(value))
    axes.spines[["top", "right"]].set_visible(False)
    if song.trust:
        axes.set_title(f"in colour: the {percent(song.trust.coverage)} set", fontsize=9)


def _draw_ribbon(axes: Axes, song: SongPrediction, colours: dict[str, str]) -> None:
    """Draw the probabilities over time, stacked; the largest on average is at the bottom."""
    line = song.timeline
    centres = (line.start + line.end) / 2
    times = np.concatenate([[0.0], centres, [song.duration]])
    values = np.concatenate([line.probabilities[:1], line.probabilities, line.probabilities[-1:]])
    order = np.argsort(-values.mean(axis=0), kind="stable")
    names = [song.class_names[i] for i in order]
    axes.stackplot(times, values[:, order].T, colors=[colours[name] for name in names], linewidth=0)
    axes.set(xlim=(0, song.duration), ylim=(0, 1), ylabel="probability", xlabel="time (min:s)")
    axes.yaxis.set_major_formatter(lambda value, _: percent(value))
    _time_axis(axes)
    handles = [axes.fill_between([], [], color=colours[name], label=name) for name in names[:5]]
    axes.legend(
        handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.28), ncols=5, frameon=False, fontsize=9
    )


def _time_axis(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 3, 6, 10], integer=True))
    axes.xaxis.set_major_formatter(lambda value, _: clock(value))


def _colours(class_names: tuple[str, ...]) -> dict[str, str]:
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    if len(class_names) <= len(FILE.series):
        return dict(zip(class_names, FILE.series, strict=False))
    shades = colormaps["hsv"](np.linspace(0, 1, len(class_names), endpoint=False))
    return {name: to_hex(shade) for name, shade in zip(class_names, shades, strict=True)}


def _shown(source: str) -> str:
    """Return the name of a file, as text that Matplotlib does not take for a formula."""
    return shown_name(Path(source).name).replace("$", r"\$")[:100]
