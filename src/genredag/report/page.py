"""The page: one HTML file that opens offline, with every figure, style and script inside."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from genredag.params import COLLECTIONS, STAGE_GROUPS, Params, Split, stage_values
from genredag.report.data_sets import (
    DataSet,
    example_frames,
    example_tracks,
    genre_table,
    part_counts,
    value_limits,
)
from genredag.report.figures import colour_key, learning_curve, spectrogram, to_svg
from genredag.report.leaderboard import leaderboard_row, ranked
from genredag.report.provenance import Provenance
from genredag.report.runs import Run


def report_page(
    runs: Iterable[Run],
    data_sets: Sequence[DataSet],
    params: Params,
    params_text: str,
    provenance: Provenance,
) -> str:
    """Return the report as HTML.

    Parameters
    ----------
    params_text
        ``params.yaml`` as it is written, to be shown.

    Raises
    ------
    ParameterError
        A run names something that `params` doesn't hold.
    """
    runs = ranked(runs)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("genredag.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(percent=percent, duration=duration, count=count)
    return environment.get_template("report.html.j2").render(
        title=params.report.title,
        groups=_groups(runs, params),
        runs=[_run_view(run, params) for run in runs],
        varying=[key for key in COLUMNS_THAT_MAY_BE_ONE if len({run.choice[key] for run in runs}) > 1],
        fixed={key: value for key, value in runs[0].choice.items() if _is_one(runs, key)},
        data_sets=[_data_set_view(data_set, runs, params.report.example_seconds) for data_set in data_sets],
        track_decision=params.evaluate.track_decision,
        train_seconds=sum(run.timing["seconds"] for run in runs),
        params_text=params_text,
        provenance=provenance,
    )
