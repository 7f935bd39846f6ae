"""The page: one HTML file that opens offline, with every figure, style and script inside."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import jinja2
from markupsafe import Markup

from genredag.evaluation.metrics import confusion_counts, per_genre
from genredag.params import STAGE_GROUPS, Params
from genredag.report.data_sets import (
    DataSet,
    example_frames,
    example_tracks,
    genre_table,
    part_counts,
    value_limits,
)
from genredag.report.figures import colour_key, learning_curve, spectrogram, to_svg
from genredag.report.leaderboard import Entry, entries, leaderboard_row
from genredag.report.runs import Run
from genredag.report.what_ran import WhatRan

_GROUPED_BY = {
    "track": "no track has slices on two sides, but an artist may have tracks on two sides",
    "artist": "no artist has tracks on two sides",
}
_TRACK_DECISIONS = {
    "mean": "the mean of its slices' probabilities",
    "vote": "the vote of its slices",
    "log_sum": "the sum of its slices' log-probabilities",
}


def report_page(
    runs: Iterable[Run],
    data_sets: Sequence[DataSet],
    params: Params,
    what_ran: WhatRan,
) -> str:
    """Return the report as HTML.

    Raises
    ------
    ParameterError
        A run names something that `params` doesn't hold.
    """
    decision, n_resamples = params.evaluate.track_decision, params.report.n_resamples
    runs = [run for entry in entries(runs, decision, n_resamples) for run in entry.runs]
    varying = [key for key in ("dataset", "split", "seed") if len({run.choice[key] for run in runs}) > 1]
    views = [_run_view(Entry((run,), decision, n_resamples), params, varying) for run in runs]
    return _template().render(
        title=params.report.title,
        groups=_groups(views, params),
        runs=views,
        varying=varying,
        data_sets=[_data_set_view(data_set, runs, params.report.example_seconds) for data_set in data_sets],
        track_decision=_TRACK_DECISIONS[params.evaluate.track_decision],
        train_seconds=sum(run.timing["seconds"] for run in runs),
        what_ran=what_ran,
    )


def percent(rate: float) -> str:
    """Write a rate in 0..1 as per cent with one decimal."""
    return f"{100 * rate:.1f}\u202f%"


def duration(seconds: float) -> str:
    """Write seconds in the two largest units that matter."""
    if round(seconds) < 60:
        return f"{seconds:.1f}\u202fs" if seconds < 10 else f"{seconds:.0f}\u202fs"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}\u202fmin {rest}\u202fs"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,}\u202fh {minutes}\u202fmin"


def count(number: float | None) -> str:
    """Write a count with thousands, and a dash where it isn't known."""
    return "\N{EN DASH}" if number is None or number != number else f"{number:,.0f}"


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("genredag.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(percent=percent, duration=duration, count=count)
    return environment.get_template("report.html.j2")


def _groups(views: list[dict[str, Any]], params: Params) -> list[dict[str, Any]]:
    """Gather the runs that can be compared: those of one data set and one split."""
    groups = []
    for (dataset, split), members in groupby(views, key=lambda v: (v["dataset"], v["split"])):
        group = list(members)
        groups.append(
            {
                "dataset": dataset,
                "split": split,
                "protocol": _GROUPED_BY[params.entry("splits", split).group_by],
                "n_classes": len(group[0]["genres"]),
                "runs": group,
            }
        )
    return groups


def _run_view(entry: Entry, params: Params, varying: list[str]) -> dict[str, Any]:
    (run,) = entry.runs
    counts = confusion_counts(entry.tracks)
    rates = counts.div(counts.sum(axis=1).clip(lower=1), axis=0)
    return {
        **leaderboard_row(entry),
        "seed": run.choice["seed"],
        "anchor": run.anchor,
        "details": " · ".join([run.choice["representation"], *(str(run.choice[key]) for key in varying)]),
        "genres": run.genres,
        "metrics": run.metrics,
        "log_loss": entry.track_scores["log_loss"],
        "per_genre": per_genre(entry.tracks).to_dict("records"),
        "timing": run.timing,
        "curves": _curves(run),
        "confusion": [
            (genre, list(zip(run.genres, counts.loc[genre], rates.loc[genre], strict=True)))
            for genre in run.genres
        ],
        "values": _values(run, params),
    }


def _curves(run: Run) -> list[Markup]:
    """Draw the learning curves; what is fitted at once has none."""
    if len(run.history) < 2:
        return []
    name = f"{run.choice['model']} on {run.choice['representation']}"
    return [
        to_svg(learning_curve(run.history, quantity), f"{name}, {quantity}: {_told(run, quantity)}")
        for quantity in ("loss", "accuracy")
    ]


def _told(run: Run, quantity: str) -> str:
    """Say in words what a learning curve shows."""
    first, last = run.history.iloc[0], run.history.iloc[-1]
    return (
        f"over {len(run.history)} epochs, training from {first[quantity]:.3g} to {last[quantity]:.3g}, "
        f"validation from {first[f'val_{quantity}']:.3g} to {last[f'val_{quantity}']:.3g}"
    )


def _values(run: Run, params: Params) -> dict[str, str]:
    """Return the values that the stages before the report used for a run, by their key in params.yaml."""
    patterns = [group for stage, groups in STAGE_GROUPS.items() if stage != "report" for group in groups]
    values = {}
    for pattern in patterns:
        collection, _, name = pattern.format(**run.choice).partition(".")
        group = params.entry(collection, name) if name else getattr(params, collection)
        for key, value in group.model_dump().items():
            full = ".".join(filter(None, (collection, name, key)))
            values[full] = value if isinstance(value, str) else json.dumps(value)
    return values


def _data_set_view(data_set: DataSet, runs: Sequence[Run], seconds: float) -> dict[str, Any]:
    table = genre_table(data_set)
    durations = data_set.tracks["duration"]
    return {
        "name": data_set.name,
        "genres": table.reset_index(names="genre").to_dict("records"),
        "total": table.sum().to_dict(),
        "artists": data_set.tracks["artist"].nunique(),
        "lengths": (durations.min(), durations.median(), durations.max()),
        "parts": _parts(data_set, runs),
        "quarantine": data_set.quarantine.to_dict("records"),
        **_examples(data_set, seconds),
    }


def _parts(data_set: DataSet, runs: Sequence[Run]) -> dict[tuple[str, int], dict[str, list[float]]]:
    """Return each genre's tracks in each part, by split and seed, from the best run of each."""
    parts: dict[tuple[str, int], dict[str, list[float]]] = {}
    for run in runs:
        key = (run.choice["split"], run.choice["seed"])
        if run.choice["dataset"] == data_set.name and key not in parts:
            counts = part_counts(data_set, run)
            counts.loc["total"] = counts.sum(skipna=False)
            parts[key] = {str(genre): list(row) for genre, row in counts.iterrows()}
    return parts


def _examples(data_set: DataSet, seconds: float) -> dict[str, Any]:
    """Draw one track of each genre in every representation, and a colour key for each representation."""
    tracks = example_tracks(data_set).to_dict("records")
    keys: list[dict[str, Any]] = []
    panels: list[list[dict[str, Any]]] = [[] for _ in tracks]
    for frames in data_set.frames:
        spec = frames.spec
        values = example_frames(frames, [track["track_id"] for track in tracks], seconds)
        low, high = limits = value_limits(frames, values)
        unit = "standard deviations from a feature's mean" if isinstance(spec.bins[0], str) else spec.unit
        told = f"{spec.representation} of {data_set.name}: colours from {low:.0f} to {high:.0f} {unit}"
        keys.append({"spec": spec, "figure": to_svg(colour_key(limits, unit), told)})
        for track, row, x in zip(tracks, panels, values, strict=True):
            figure = spectrogram(x, spec.bins, spec.frames_per_second, limits)
            told = f"{spec.representation} of {data_set.name}, {track['genre']}: {track['track_id']}"
            row.append({"representation": spec.representation, "figure": to_svg(figure, told)})
    return {"keys": keys, "examples": list(zip(tracks, panels, strict=True))}
