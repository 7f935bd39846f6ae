"""Figures as inline SVG with the colours and the font of the page.

matplotlib draws them in placeholder colours, which `to_svg` replaces by the page's CSS variables. One drawing
therefore works in light and in dark mode.
"""

from __future__ import annotations

import base64
import io
import re
import warnings
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from genredag.evaluation.themes import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

PAGE = Theme(ink="#010203", line="#010204", series=("#010205", "#010206", "#010207", "#010208"), font_size=11)
_CSS_COLOURS = {PAGE.ink: "var(--muted)", PAGE.line: "var(--line)"}
_CSS_COLOURS |= {colour: f"var(--series-{i})" for i, colour in enumerate(PAGE.series, start=1)}


def to_svg(figure: Figure, description: str) -> Markup:
    """Return `figure` as an SVG element; `description` is read out by screen readers."""
    import matplotlib

    buffer = io.StringIO()
    # Hashing identifiers with the description makes them unique on a page and equal in every build.
    with (
        matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": description}),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    # The browser finds fonts for any script; those installed on this machine must not change the page.
    svg = re.sub(r"(font(?:-family)?: [^;\"']*)'[^;\"]*", r"\1sans-serif", svg)
    svg = re.sub(r"image-rendering:[^;\"]*;?", "", svg)
    svg = re.sub(r"data:image/png;base64,([A-Za-z0-9+/=\s]+)", _as_webp, svg)
    for colour, variable in _CSS_COLOURS.items():
        svg = svg.replace(colour, variable)
    width, height = 72 * figure.get_size_inches()
    opening = f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(description)}">'
    svg = opening + svg[svg.index(">") + 1 :]
    return Markup(re.sub(r"\s*\n\s*", "\n", svg).strip())


def webp_address(image: Image) -> str:
    """Return an image as a data URL: WebP, which is a tenth of the size of PNG for spectrograms."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, format="WEBP", quality=80, method=6)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _as_webp(match: re.Match[str]) -> str:
    from PIL import Image

    return webp_address(Image.open(io.BytesIO(base64.b64decode(match[1]))))
