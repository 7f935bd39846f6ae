"""Figures of a data set: track lengths, tracks per genre, and a map of its genres."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from genredag.evaluation.themes import legend_label
from genredag.report.svg import PAGE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHAPES = ("o", "^", "s", "D", "v")


def durations_figure(seconds: np.ndarray) -> Figure:
    """Draw a histogram of track lengths in seconds."""
    from matplotlib.ticker import MaxNLocator

    figure, axes = PAGE.axes(360, 220)
    longest = 1.05 * seconds.max()  # bins from 0, so that tracks of one length make a bar, not a line
    axes.hist(seconds, bins=[*np.linspace(0, longest, 31)], color=PAGE.series[0])
    axes.set(xlabel="seconds", ylabel="tracks", xlim=(0, longest))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def balance_figure(table: pd.DataFrame) -> Figure:
    """Draw the number of tracks of each genre.

    Parameters
    ----------
    table
        Columns ``tracks`` and ``quarantined``: counts per genre (the index).
    """
    figure, axes = PAGE.axes(360, 50 + 21 * len(table))
    places = np.arange(len(table))
    axes.barh(places, table["tracks"], height=0.7, color=PAGE.series[0])
    axes.barh(
        places, table["quarantined"], left=table["tracks"], height=0.7, color=PAGE.series[1], hatch="////"
    )
    for place, tracks, quarantined in zip(places, table["tracks"], table["quarantined"], strict=True):
        text, end = f"{tracks} + {quarantined}" if quarantined else f"{tracks}", (tracks + quarantined, place)
        axes.annotate(text, end, (4, 0), textcoords="offset points", va="center", color=PAGE.ink, fontsize=11)
    axes.set_yticks(places, [str(genre) for genre in table.index])
    axes.set_xlabel("tracks")
    axes.invert_yaxis()
    axes.margins(x=0.15)
    return figure


def genre_map(points: np.ndarray, genres: np.ndarray, labels: tuple[str, str]) -> Figure:
    """Draw tracks in two dimensions, with one combination of colour and shape per genre.

    Parameters
    ----------
    points
        Shape (n_tracks, 2).
    genres
        Genre of each track, (n_tracks,).
    labels
        Of the two axes.
    """
    names = sorted(set(genres))
    figure, axes = PAGE.axes(360, 300 + 17 * -(-len(names) // 3))
    # Colours vary first, then shapes: twenty genres get different combinations.
    looks = list(product(_SHAPES, PAGE.series))
    for i, name in enumerate(names):
        shape, colour = looks[i % len(looks)]
        x, y = points[genres == name].T
        axes.plot(
            x, y, shape, color=colour, markersize=4.4, markeredgewidth=0, alpha=0.8, label=legend_label(name)
        )
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.set(xticks=[], yticks=[])
    axes.axhline(0, color=PAGE.line, linewidth=0.8, zorder=0)
    axes.axvline(0, color=PAGE.line, linewidth=0.8, zorder=0)
    figure.legend(
        loc="outside lower center",
        ncols=3,
        frameon=False,
        labelcolor=PAGE.ink,
        fontsize=10.5,
        markerscale=1.4,
    )
    return figure
