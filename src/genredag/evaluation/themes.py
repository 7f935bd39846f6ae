"""Themes: the same plotting code draws figures for files and for the report's page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_POINTS_PER_INCH = 72


# Families with glyphs that matplotlib's own font lacks, in this order, if they are installed.
_FALLBACK_FONTS = (
    *(
        "Noto Sans CJK JP",
        "Noto Sans CJK SC",
        "Noto Sans CJK KR",
        "Source Han Sans",
        "IPAexGothic",
        "IPAGothic",
    ),
    *(
        "Hiragino Sans",
        "Yu Gothic",
        "MS Gothic",
        "WenQuanYi Zen Hei",
        "WenQuanYi Micro Hei",
        "Droid Sans Fallback",
    ),
    *("Noto Sans Devanagari", "Noto Sans Thai", "Noto Sans Arabic", "Noto Emoji", "Symbola", "Apple Symbols"),
    *("Segoe UI Emoji", "Unifont", "Arial Unicode MS"),
)


def new_figure(width: float | None = None, height: float | None = None) -> Figure:
    """Make a figure, in inches, whose texts are literal: `$` and `_` in the name of a genre mean nothing.

    Every figure is made here, because matplotlib takes this from its global settings when it makes a text.
    """
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.font_manager import fontManager

    installed = set(fontManager.get_font_names())
    fonts = ["DejaVu Sans", *(name for name in _FALLBACK_FONTS if name in installed)]
    matplotlib.rcParams.update({"text.parse_math": False, "text.usetex": False, "font.family": fonts})
    size = None if width is None or height is None else (width, height)
    return Figure(figsize=size, layout="constrained")


def legend_label(name: str) -> str:
    """Return a name for a legend, which would leave out names that begin with an underscore."""
    return f" {name}" if name.startswith("_") else name


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
        figure = new_figure(width / _POINTS_PER_INCH, height / _POINTS_PER_INCH)
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
