"""A template for `dvc plots show` with its scripts inlined; DVC's own loads them from the network.

    python -m genredag.project.dvc_plots_page .dvc/plots.html

Snakemake's wheel contains the scripts (Vega, BSD licence). ``make setup`` writes the page, and
``.dvc/config`` names it.
"""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path

from genredag.errors import exits_cleanly
from genredag.runtime.files import write_text

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Plots of the experiment</title>
<style>body {{ font-family: system-ui, sans-serif; margin: 2rem; }} table {{ border-spacing: 15px; }}</style>
{scripts}
</head>
<body>
{{plot_divs}}
</body>
</html>
"""


def plots_page() -> str:
    """Return the template: Vega, Vega-Lite and Vega-Embed inlined, `{plot_divs}` in place of the plots."""
    assets = files("snakemake") / "assets" / "data"
    names = ("vega", "vega-lite", "vega-embed")
    sources = (assets.joinpath(name, f"{name}.js").read_text("utf-8") for name in names)
    return PAGE.format(scripts="\n".join(f"<script>{_inline(source)}</script>" for source in sources))


def _inline(source: str) -> str:
    """Escape a script so that its text cannot close the script element."""
    return source.replace("</script", r"<\/script")


@exits_cleanly
def main() -> None:
    """Write the page to the path on the command line."""
    write_text(Path(sys.argv[1]), plots_page())


if __name__ == "__main__":
    main()
