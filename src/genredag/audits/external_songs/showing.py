"""The songs of the user's own as Markdown."""

from __future__ import annotations

import pandas as pd

from genredag.audits.external_songs.verdicts import VERDICTS, of_verdict
from genredag.evaluation.markdown import markdown_table


def external_songs_markdown(table: pd.DataFrame) -> str:
    """Return a table of songs for each model, by verdict, the most confident first."""
    parts = []
    for model, own in table.groupby("model", sort=False):
        rows = [_row(row) for verdict in VERDICTS for row in of_verdict(own, verdict).to_dict("records")]
        columns = ("Verdict", "Song", "True genre", "Predicted", "Probability", "Rank of the true genre")
        parts.append(f"**{model}**\n\n{markdown_table(rows, columns, 'llllrr')}\n")
    return "\n".join(parts)


def _row(row: dict) -> tuple[str, ...]:
    known = {key: "" if pd.isna(value) else value for key, value in row.items()}
    predicted = known["predicted"] or f"({known['reason']})"
    probability = known["probability"] if known["probability"] == "" else f"{known['probability']:.2f}"
    rank = known["rank"] if known["rank"] == "" else f"{known['rank']:.0f}"
    return (known["verdict"], known["song"], known["genre"] or "unknown", predicted, probability, rank)
