"""Tables of results as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_SIDES = {"l": "left", "r": "right"}


def markdown_table(rows: Iterable[Sequence[str]], columns: Sequence[str], align: str) -> str:
    """Return cells as a Markdown table, without a trailing newline.

    Parameters
    ----------
    align
        ``l`` or ``r`` for each column, for example ``"llr"``.
    """
    import pandas as pd

    cells = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    table = pd.DataFrame(cells, columns=list(columns), dtype=object)
    sides = [_SIDES[side] for side in align]
    return table.to_markdown(index=False, disable_numparse=True, colalign=sides)
