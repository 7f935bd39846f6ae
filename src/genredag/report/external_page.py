"""The results of a model on other music than its own data set, as a folder of files with a page."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

from genredag.bundles.card import Card
from genredag.evaluation.curves import roc_points
from genredag.evaluation.intervals import Interval
from genredag.evaluation.metrics import confusion
from genredag.evaluation.plots import confusion_figure, roc_figure, save_figure
from genredag.prediction.external import ExternalTest
from genredag.report.audit_view import audit_views
from genredag.report.genre_scores import confusion_rows, genre_rows
from genredag.report.mistakes import surest_mistakes
from genredag.report.page import page_template
from genredag.runtime.files import write_csv, write_json, write_parquet, write_text

# What `write_external_test` writes.
_TABLES = ("per_genre.csv", "confusion.csv", "quarantine.csv")
_FIGURES = ("confusion_matrix.png", "roc_curves.png")
FILES = ("metrics.json", "predictions.parquet", *_TABLES, *_FIGURES, "report.html")


def write_external_test(test: ExternalTest, folder: Path, date: str) -> None:
    """Write ``metrics.json``, ``predictions.parquet``, tables, figures and ``report.html`` into `folder`.

    Parameters
    ----------
    date
        Shown on the page.
    """
    (folder / "report.html").unlink(missing_ok=True)  # an old page beside new files would look whole
    write_json(folder / "metrics.json", test.metrics())
    write_parquet(folder / "predictions.parquet", test.tracks)
    write_csv(folder / "per_genre.csv", test.per_genre())
    write_csv(folder / "confusion.csv", confusion(test.tracks))
    write_csv(folder / "quarantine.csv", test.quarantine)
    figure = confusion_figure(confusion(test.tracks), list(test.class_names))
    save_figure(folder / "confusion_matrix.png", figure)
    save_figure(folder / "roc_curves.png", roc_figure(roc_points(test.tracks)))
    write_text(folder / "report.html", external_page(test, date))


def external_songs_page(table: pd.DataFrame, date: str) -> str:
    """Return ``external_songs.csv`` as a page that looks like the report.

    Parameters
    ----------
    date
        Shown on the page.
    """
    return page_template().render(
        title="Songs from elsewhere",
        what_ran={"date": date},
        sections={"audits": "Songs"},
        audits=audit_views({"external_songs": table}),
    )


def external_page(test: ExternalTest, date: str) -> str:
    """Return the results as a page that looks like the report."""
    genres, roc = genre_rows(test.tracks, test.model)
    return page_template().render(
        title=f"{test.model}, tested on other music",
        what_ran={"date": date},
        sections={"external_test": "Results"},
        test=test,
        metrics=test.metrics(),
        own_accuracy=_own_accuracy(test.card),
        confusion=confusion_rows(test.tracks),
        per_genre=genres,
        roc=roc,
        mistakes=surest_mistakes(test.tracks).to_dict("records"),
    )


def _own_accuracy(card: Card | None) -> Interval | None:
    """Return the accuracy of a model on the test tracks of its own data set."""
    if card is None:
        return None
    own = card.accuracy
    bounds = (math.nan if bound is None else bound for bound in (own.low, own.high))
    return Interval(own.value, *bounds)
