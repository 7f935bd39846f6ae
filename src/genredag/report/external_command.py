"""The body of `genredag evaluate`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from genredag.errors import ParameterError, require
from genredag.prediction.classifier import load
from genredag.prediction.external import ExternalTest, evaluate
from genredag.prediction.tables import count, percent, shown_name
from genredag.runtime.cache import default_cache_dir
from genredag.runtime.files import check_outputs
from genredag.runtime.logs import configure_logging

_N_SHOWN = 20


def evaluate_folder(
    bundle: Path, folder: Path, output: Path | None, renamed: Sequence[str], n_jobs: int
) -> bool:
    """Test a model on a folder, print the results, and write them to `output`, if it is given.

    Parameters
    ----------
    renamed
        ``theirs=ours``: genres that the model calls otherwise.

    Returns
    -------
    bool
        Whether all files could be read.

    Raises
    ------
    ParameterError
        One of `renamed` has another form, or a file in `output` can't be written.
    """
    genres = _renamings(renamed)
    if output is not None:
        require("jinja2", "matplotlib", "seaborn")
        from genredag.report.external_page import FILES, write_external_test

        check_outputs((output / name for name in FILES), [bundle, folder])
        output.mkdir(parents=True, exist_ok=True)
    configure_logging()
    model = load(bundle, onnx_cache=default_cache_dir())
    test = evaluate(model, folder, genres=genres, n_jobs=min(n_jobs, os.cpu_count() or 1))
    _print(test)
    if output is not None:
        write_external_test(test, output, date.today().isoformat())
        print(f"The report is ready: {output / 'report.html'}")
    return not test.unreadable


def _renamings(texts: Sequence[str]) -> dict[str, str]:
    genres: dict[str, str] = {}
    for text in texts:
        theirs, equals, ours = text.partition("=")
        if not (theirs and equals and ours):
            raise ParameterError(repr(text), where="--map", expected="THEIRS=OURS, such as hip_hop_us=hiphop")
        if genres.setdefault(theirs, ours) != ours:
            raise ParameterError(
                f"{theirs!r} is given twice, as {genres[theirs]!r} and {ours!r}", where="--map"
            )
    return genres


def _print(test: ExternalTest) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("genre", *(f"{name}" for name in ("precision", "recall", "F1", "tracks")), box=None)
    per_genre = test.per_genre()
    for row in per_genre[per_genre["support"] > 0].to_dict("records"):
        scores = [f"{row[name]:.2f}" for name in ("precision", "recall", "f1")]
        table.add_row(escape(row["genre"]), *scores, str(int(row["support"])))
    Console().print(table)
    n = len(test.tracks)
    interval = test.accuracy
    known = interval.low == interval.low  # not NaN
    bounds = f" (95 % interval {100 * interval.low:.0f} to {percent(interval.high)})" if known else ""
    print(f"{test.model}: right for {percent(interval.estimate)} of {count(n, 'track')}{bounds}.")
    print(test.caution)
    if artists := test.by_artist():
        names = {
            "known": "by artists that the model learned from",
            "new": "by other artists",
            "unknown": "whose artist may be one that it learned from, or not",
        }
        parts = (
            f"{percent(own['accuracy'])} of {count(int(own['n_tracks']), 'track')} {names[name]}"
            for name, own in artists.items()
        )
        print(f"Right for {', '.join(parts)}.")
    if test.n_learned:
        print(f"Left out, because the model learned from them: {count(test.n_learned, 'track')}.")
    print(f"Always naming the most common genre: {percent(test.chance)}.")
    if test.card is not None:
        print(
            f"On the test tracks of its own data set, {test.card.data.name}: {test.card.accuracy.percent()}."
        )
        if test.card.is_synthetic:
            print("The model was trained on synthetic sounds, so its answers for real music mean nothing.")
    for label, n_left_out in test.unknown.items():
        print(f"{label}: unknown to the model, {n_left_out} left out")
    if test.absent:
        print(f"No tracks of: {', '.join(test.absent)}")
    for row in test.quarantine.head(_N_SHOWN).to_dict("records"):
        path, reason = shown_name(row["path"]), shown_name(row["reason"])
        print(f"left out: {path}: {reason}" if row["track_id"] else f"{reason}, as {path}", file=sys.stderr)
    if len(test.quarantine) > _N_SHOWN:
        print(f"and {len(test.quarantine) - _N_SHOWN} more, in quarantine.csv (--output)", file=sys.stderr)
    for path, reason in test.unreadable.items():
        print(f"unreadable: {shown_name(path)}: {shown_name(reason)}", file=sys.stderr)
