"""DVC's page of plots is self-contained."""

from __future__ import annotations

import re

from genredag.project.dvc_plots_page import plots_page


def test_the_page_needs_no_network_and_has_a_place_for_plots():
    page = plots_page()
    assert page.count("{plot_divs}") == 1
    assert re.findall(r"<(?:script|link)[^>]*(?:src|href)=", page) == []
    assert page.count("<script>") == page.count("</script>") == 3
    assert "vegaEmbed" in page
