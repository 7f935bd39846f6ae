"""The page: a single HTML file that works offline, with all figures, styles and scripts inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import pandas as pd

from genredag.evaluation.intervals import Interval
from genredag.params.groups.evaluation import Report
from genredag.report.audio_clips import clip_address
from genredag.report.audit_view import audit_views
from genredag.report.data_set_view import data_set_view
from genredag.report.data_sets import DataSet
from genredag.report.entry_view import entry_view
from genredag.report.group_view import group_view
from genredag.report.leaderboard import Entry, comparable
from genredag.report.what_ran import WhatRan
from genredag.theme import STYLE
from genredag.tracks.manifest import track_path

if TYPE_CHECKING:
    from genredag.params.tree import Tree

_TRACK_DECISIONS = {
    "mean": "the mean of its slices' probabilities",
    "vote": "the vote of its slices",
    "log_sum": "the sum of its slices' log-probabilities",
}
_DASH = "\N{EN DASH}"


SECTIONS = {
    "results": "Results",
    "leaderboard": "Leaderboard",
    "models": "Models",
    "data": "Data",
    "audits": "Audits",
    "what_ran": "What ran",
}


def report_pages(
    entries: Sequence[Entry],
    data_sets: Sequence[DataSet],
    audits: Mapping[str, pd.DataFrame],
    report: Report,
    tree: Tree,
    what_ran: WhatRan,
    cache_dir: Path,
) -> dict[str, str]:
    """Return the report as HTML, and two of its sections as separate pages.

    Parameters
    ----------
    entries
        What `genredag.report.leaderboard.entries` returned.
    audits
        The available tables for `genredag.report.audit_view.audit_views`.
    report, tree
        The group ``report``, and all values of ``params.yaml``.
    cache_dir
        Folder of the audio files. Clips are embedded for the data sets listed in ``report.audio``.

    Returns
    -------
    dict
        ``html``: the whole report; ``significance``: only the results; ``data``: only the data sets.

    Raises
    ------
    ParameterError
        A run uses a name that is not in `tree`.
    """
    # Leaky entries come last: they don't compete with the others.
    ordered = sorted(entries, key=lambda entry: entry.leaky)
    context = _context(ordered, data_sets, report, tree, cache_dir)
    context["clips"] = _clips(context["entries"], data_sets, report, cache_dir)
    sections = {key: name for key, name in SECTIONS.items() if key != "audits" or audits}
    chosen = {"html": sections, "significance": {"results": "Results"}, "data": {"data": "Data"}}
    template = page_template()
    context |= {"audits": audit_views(audits), "what_ran": what_ran}
    return {name: template.render(context, sections=shown) for name, shown in chosen.items()}


def _context(
    entries: Sequence[Entry],
    data_sets: Sequence[DataSet],
    report: Report,
    tree: Tree,
    cache_dir: Path,
) -> dict[str, Any]:
    """Return the template data for runs and data sets."""
    varying = [key for key in ("dataset", "split") if len({entry.choice[key] for entry in entries}) > 1]
    by_name = {data_set.name: data_set for data_set in data_sets}
    views = {
        entry.anchor: entry_view(
            entry, tree, by_name.get(entry.choice["dataset"]), varying, report.example_seconds
        )
        for entry in entries
    }
    runs = [run for entry in entries for run in entry.runs]
    return {
        "title": report.title,
        "groups": [group_view(members, views, tree) for members in comparable(entries)],
        "entries": list(views.values()),
        "varying": varying,
        "data_sets": [
            data_set_view(data_set, runs, report.example_seconds, cache_dir) for data_set in data_sets
        ],
        "track_decision": _TRACK_DECISIONS[entries[0].decision],
        "n_runs": len(runs),
        "train_seconds": sum(run.timing["seconds"] for run in runs),
    }


def percent(rate: float) -> str:
    """Format a rate in 0..1 in percent with one decimal; NaN is a dash."""
    return _DASH if rate != rate else f"{100 * rate:.1f}\u202f%"


def interval(scored: Interval, plain: bool = False) -> str:
    """Format the bounds of a rate in 0..1, in percent unless `plain`; NaN bounds give ""."""
    if scored.low != scored.low:
        return ""
    low, high = (f"{x:.2f}" if plain else f"{100 * x:.0f}" for x in (scored.low, scored.high))
    return f"{low}{_DASH}{high}"


def points(difference: float) -> str:
    """Format a difference of rates in points, with its sign; NaN is a dash."""
    return _DASH if difference != difference else f"{100 * difference:+.1f}".replace("-", "\N{MINUS SIGN}")


def decimal(value: float) -> str:
    """Format a number with two decimals; NaN is a dash."""
    return _DASH if value != value else f"{value:.2f}"


def p_value(p: float) -> str:
    """Format a p value with three decimals."""
    return "< .001" if p < 0.001 else f"{p:.3f}"


def duration(seconds: float) -> str:
    """Format seconds in the one or two largest units."""
    if round(seconds) < 60:
        return f"{seconds:.1f}\u202fs" if seconds < 10 else f"{seconds:.0f}\u202fs"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}\u202fmin {rest}\u202fs"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,}\u202fh {minutes}\u202fmin"


def count(number: float | None) -> str:
    """Format a count with thousands separators; None and NaN are a dash."""
    return _DASH if number is None or number != number else f"{number:,.0f}"


def page_template() -> jinja2.Template:
    """Return the template of a page; it includes a template for each of its ``sections``."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("genredag.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    writers = (percent, interval, points, decimal, p_value, duration, count)
    environment.globals["theme"] = STYLE.read_text(encoding="utf-8")
    environment.filters.update({writer.__name__: writer for writer in writers})
    return environment.get_template("report.html.j2")


def _clips(
    views: Sequence[dict[str, Any]], data_sets: Sequence[DataSet], report: Report, cache_dir: Path
) -> dict[str, str]:
    """Return clips of the misclassified tracks of `report.audio`, keyed by data set and track.

    Tracks whose audio file can't be read are left out.
    """
    clips: dict[str, str | None] = {}
    for data_set in data_sets:
        name = data_set.name
        if name not in report.audio:
            continue
        paths = data_set.tracks.set_index("track_id")["path"]
        mistakes = [m for view in views if view["dataset"] == name for m in view["mistakes"]]
        for track_id in sorted({mistake["track_id"] for mistake in mistakes} & {*paths.index}):
            path = track_path(paths[track_id], cache_dir)
            clips[f"{name}/{track_id}"] = clip_address(path, report.clip_seconds)
    return {key: clip for key, clip in clips.items() if clip}
