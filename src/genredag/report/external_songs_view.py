"""Template data for the user's own songs: a bar plot of each, and the lists of each model."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from genredag.audits.external_songs.verdicts import VERDICTS, of_verdict, verdict_counts
from genredag.evaluation.predictions import PREFIX
from genredag.report.svg import PAGE, to_svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from genredag.evaluation.themes import Theme

MEANINGS = {
    "right": "Right",
    "understandable": "Understandable: the true genre is second",
    "wrong": "Wrong",
    "unlabelled": "Unlabelled, or of a genre that the model does not know",
    "unreadable": "Unreadable",
}
_N_GENRES = 5


def external_songs_parts(table: pd.DataFrame) -> list[dict[str, object]]:
    """Return one part: the counts and lists of each model, and the plots of the songs.

    Parameters
    ----------
    table
        ``external_songs.csv``.
    """
    counts = verdict_counts(table)
    models = [
        {
            "name": model,
            "counts": counts.loc[[model]].to_numpy()[0].tolist(),
            "lists": [
                {"title": MEANINGS[verdict], "rows": _rows(of_verdict(own, verdict))}
                for verdict in VERDICTS
                if (own["verdict"] == verdict).any()
            ],
        }
        for model, own in table.groupby("model", sort=False)
    ]
    plots = [_plot(song, own) for song, own in table.groupby("song", sort=False)]
    return [{"verdicts": list(counts.columns), "models": models, "plots": [p for p in plots if p]}]


def song_figure(predictions: pd.DataFrame, theme: Theme) -> Figure:
    """Draw the most probable genres of a song: a bar for each model.

    Parameters
    ----------
    predictions
        model, p_<genre>; one row per model.
    """
    shares = predictions.set_index("model").filter(like=PREFIX).rename(columns=lambda c: c[len(PREFIX) :])
    shares = shares.fillna(0.0)
    genres = list(shares.max().nlargest(_N_GENRES).index)
    figure, axes = theme.axes(360, 40 + len(genres) * (14 + 10 * len(shares)))
    height = 0.8 / len(shares)
    for i, (colour, (model, own)) in enumerate(zip(cycle(theme.series), shares.iterrows(), strict=False)):
        places = [place - 0.4 + (i + 0.5) * height for place in range(len(genres))]
        axes.barh(places, own[genres], height * 0.9, color=colour, label=str(model))
    axes.set(yticks=range(len(genres)), yticklabels=genres, xlim=(0, 1), xlabel="probability")
    axes.invert_yaxis()
    if len(shares) > 1:
        figure.legend(
            loc="outside lower left", frameon=False, labelcolor=theme.ink, fontsize=theme.font_size - 2
        )
    return figure


def _plot(song: object, predictions: pd.DataFrame) -> dict[str, object] | None:
    """Return the plot of a song, with its true genre; None if no model could read it."""
    readable = predictions[predictions["predicted"].notna()]
    if readable.empty:
        return None
    genre = readable["genre"].iloc[0]
    bests = ", ".join(
        f"{row['model']} {row['predicted']} {row['probability']:.2f}" for row in readable.to_dict("records")
    )
    svg: Markup = to_svg(song_figure(readable, PAGE), f"Genres of {song}: {bests}")
    return {"song": song, "genre": genre if isinstance(genre, str) else "unknown", "svg": svg}


def _rows(songs: pd.DataFrame) -> list[dict[str, object]]:
    """Return songs with empty values as None."""
    rows = songs[["song", "genre", "predicted", "probability", "rank", "genres", "reason"]].to_dict("records")
    return [{str(key): None if pd.isna(value) else value for key, value in row.items()} for row in rows]
