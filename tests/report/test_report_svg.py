import re

from genredag.report.svg import PAGE, to_svg


def curves():
    """Return a figure with a legend and two colours."""
    figure, axes = PAGE.axes(360, 230)
    for colour, name in zip(PAGE.series, ("training", "validation"), strict=False):
        axes.plot([1, 2], [2.0, 1.0], color=colour, marker=".", label=name)
    axes.legend()
    return figure


def test_svg_uses_the_colours_of_the_page_and_needs_no_network():
    svg = to_svg(curves(), "loss")
    assert svg.startswith("<svg viewBox=") and svg.endswith("</svg>")
    assert "var(--series-1)" in svg and "var(--series-2)" in svg
    assert "#0102" not in svg
    assert "http" not in svg and "<style" not in svg


def test_svg_descriptions_are_escaped():
    svg = to_svg(curves(), 'loss of "<b>" & \\1')
    assert 'role="img" aria-label="loss of &#34;&lt;b&gt;&#34; &amp; \\1"' in svg


def test_svg_is_reproducible_with_unique_identifiers():
    one, again, other = (to_svg(curves(), told) for told in ("a", "a", "b"))
    assert one == again
    ids = [set(re.findall(r'\bid="([^"]+)"', svg)) for svg in (one, other)]
    assert ids[0] and not ids[0] & ids[1]
