"""Template data for the scores of each genre: confusion matrix, table of genres, ROC curves."""

from __future__ import annotations

import pandas as pd
from markupsafe import Markup

from genredag.evaluation.curves import roc_points
from genredag.evaluation.metrics import confusion_counts, per_genre
from genredag.evaluation.plots import roc_figure
from genredag.report.svg import PAGE, to_svg


def confusion_rows(tracks: pd.DataFrame) -> list[tuple[str, list[tuple[str, int, float]]]]:
    """Return for each actual genre the predicted genres, with count and share."""
    counts = confusion_counts(tracks)
    shares = counts.div(counts.sum(axis=1).clip(lower=1), axis=0)
    return [
        (genre, list(zip(counts.columns, counts.loc[genre], shares.loc[genre], strict=True)))
        for genre in counts.index
    ]


def genre_rows(tracks: pd.DataFrame, name: str) -> tuple[list[dict[str, object]], Markup | None]:
    """Return a row per genre, and the ROC curves with the best and the worst genre highlighted.

    Parameters
    ----------
    name
        What the curves are of, for screen readers.
    """
    from sklearn.metrics import auc

    roc = roc_points(tracks)
    areas = {str(genre): float(auc(points["fpr"], points["tpr"])) for genre, points in roc.groupby("genre")}
    extremes = dict.fromkeys(choose(areas, key=areas.__getitem__) for choose in (max, min) if areas)
    by_genre = ", ".join(f"{genre} {area:.2f}" for genre, area in areas.items())
    svg = to_svg(roc_figure(roc, PAGE, extremes), f"ROC of {name}: areas of {by_genre}") if areas else None
    genres = per_genre(tracks)
    rows = genres.assign(area=genres["genre"].map(areas)).to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in rows], svg
