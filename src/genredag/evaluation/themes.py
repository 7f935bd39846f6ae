"""Themes: the same plotting code draws figures for files and for the report's page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_POINTS_PER_INCH = 72


@dataclass(frozen=True)
class Theme:
    """Colours and font size of a figure.

    Attributes
    ----------
    ink, line
        Colour of text; colour of axes and grids.
    series
        Colours of the series that are compared, in order.
    font_size
        In points.
    """

    ink: str
    line: str
    series: tuple[str, ...]
    font_size: float

    def panels(self, width: float, height: float, n_panels: int) -> tuple[Figure, Sequence[Axes]]:
        """Make a figure with a row of axes, `width` by `height` points."""
        from matplotlib.figure import Figure

        size = (width / _POINTS_PER_INCH, height / _POINTS_PER_INCH)
        figure = Figure(figsize=size, layout="constrained")
        row = figure.subplots(1, n_panels, squeeze=False)[0]
        for axes in row:
            axes.tick_params(colors=self.ink, labelsize=self.font_size, length=3)
            axes.xaxis.label.set(fontsize=self.font_size, color=self.ink)
            axes.yaxis.label.set(fontsize=self.font_size, color=self.ink)
            axes.spines[:].set_color(self.line)
            axes.spines[["top", "right"]].set_visible(False)
        return figure, row

    def axes(self, width: float, height: float) -> tuple[Figure, Axes]:
        """Make a figure with a single axes, `width` by `height` points."""
        figure, row = self.panels(width, height, 1)
        return figure, row[0]


# seaborn's "colorblind" palette, which is distinguishable with any colour vision.
_COLOURS = ("#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161", "#fbafe4", "#949494", "#ece133")
FILE = Theme(ink="#333333", line="#cccccc", series=(*_COLOURS, "#56b4e9"), font_size=10)
BLUE, ORANGE = FILE.series[:2]
