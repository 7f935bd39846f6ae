"""Show the ranking of suspicious labels as a Markdown page."""

from __future__ import annotations

import pandas as pd

from genredag.audits.label_issues.known import found_faults
from genredag.evaluation.markdown import markdown_table

N_SHOWN = 50
_HEADER = ("rank", "track", "given genre", "suggested genre", "score", "suspected")


def label_issues_markdown(table: pd.DataFrame) -> str:
    """Return the first ranks of each data set as a Markdown page.

    Parameters
    ----------
    table
        What `genredag.audits.label_issues.ranking.label_issues` returned.
    """
    lines = [
        "# Suspicious labels",
        "",
        "Tracks whose genre disagrees most with models that were not trained on them. The score is the",
        "probability of the given genre. A label that looks wrong may be right: listen before you change it.",
        "How to read it: docs/label_issues.md.",
    ]
    for dataset, own in table.groupby("dataset", sort=False):
        ordered = own.sort_values("rank")
        lines += ["", f"## {dataset}", "", _summary(own)]
        if found := found_faults(own):
            lines += [
                f"Of {found.n_known} labels known to be wrong, {found.precision:.0%} are among the first",
                f"{found.n_known} ranks; a random ranking would have {found.chance:.0%}. Average precision:",
                f"{found.average_precision:.2f}.",
            ]
        rows = map(_cells, ordered.head(N_SHOWN).to_dict("records"))
        lines += ["", markdown_table(rows, _HEADER, "rlllrl")]
    return "\n".join(lines) + "\n"


def _summary(table: pd.DataFrame) -> str:
    agree = (table["suggested"] == table["genre"]).mean()
    suspected = f"{table['suspected'].sum()} of {len(table)} labels are suspected."
    return f"{suspected} The models agree with {agree:.0%} of the labels."


def _cells(row: dict) -> list[str]:
    score, suspected = f"{row['score']:.3f}", "yes" if row["suspected"] else ""
    return [str(row["rank"]), row["track_id"], row["genre"], row["suggested"], score, suspected]
