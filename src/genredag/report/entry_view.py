"""Template data for one entry of the leaderboard."""

from __future__ import annotations

import json
from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from genredag.evaluation.curves import reliability_by_level
from genredag.evaluation.plots import draw_learning_curves, reliability_figure
from genredag.evaluation.predictions import Decision
from genredag.params.groups.reading import value_at
from genredag.params.stages import STAGE_GROUPS
from genredag.report.data_sets import DataSet, example_frames, value_limits
from genredag.report.genre_scores import confusion_rows, genre_rows
from genredag.report.leaderboard import Entry, leaderboard_row
from genredag.report.mistakes import surest_mistakes
from genredag.report.spectrogram_figures import thumbnail
from genredag.report.svg import PAGE, to_svg

if TYPE_CHECKING:
    from genredag.params.tree import Tree
    from genredag.report.runs import Run

SCORES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "macro_precision": "Macro precision",
    "macro_f1": "Macro F1",
    "top3_accuracy": "Top-3 accuracy",
    "log_loss": "Log loss",
    "calibration_error": "Calibration error",
    "roc_auc": "Area under the ROC",
}
DECISIONS: dict[Decision, str] = {
    "mean": "Mean of probabilities",
    "vote": "Vote",
    "log_sum": "Sum of log-probabilities",
}


def entry_view(
    entry: Entry, tree: Tree, data_set: DataSet | None, varying: Sequence[str], example_seconds: float
) -> dict[str, Any]:
    """Return the figures and tables of an entry, recomputed from the predictions of its runs.

    Parameters
    ----------
    tree
        The values of ``params.yaml``.
    data_set
        The entry's data set, from which spectrograms of mistakes are drawn; None if it isn't available.
    varying
        Those of ``dataset`` and ``split`` that differ between the entries of the page.
    example_seconds
        Length of the spectrograms.
    """
    first = entry.runs[0]
    return {
        **leaderboard_row(entry),
        "anchor": entry.anchor,
        "label": entry.label,
        "details": " · ".join([entry.choice["representation"], *(entry.choice[key] for key in varying)]),
        "leaky": entry.leaky,
        "track": entry.interval("track_accuracy"),
        "slice": entry.interval("slice_accuracy"),
        "f1": entry.interval("macro_f1"),
        "n_runs": len(entry.runs),
        "trials": _trials(entry),
        "n_test_slices": len(entry.slices[["track_id", "slice"]].drop_duplicates()),
        "slices_per_second": fmean(run.timing["slices_per_second"] for run in entry.runs),
        "peak_memory_mb": max(run.timing["peak_memory_mb"] for run in entry.runs),
        "layers": first.layers,
        "curves": _curves(entry),
        "scores": _scores(entry),
        "decisions": _decisions(entry),
        "confusion": confusion_rows(entry.tracks),
        **_curves_of_scores(entry),
        "mistakes": _mistakes(entry, data_set, example_seconds),
        "values": _values(first, tree),
    }


def _trials(entry: Entry) -> str:
    """Describe the seeds and folds that an entry pools, if there is more than one."""
    counts = {name: len({run.choice[name] for run in entry.runs}) for name in ("seed", "fold")}
    pooled = [f"{n} {name}s" for name, n in counts.items() if n > 1]
    return f"over {' and '.join(pooled)}" if pooled else ""


def _curves(entry: Entry) -> list[Markup]:
    """Draw the learning curves; runs with fewer than two epochs have none."""
    histories = [run.history for run in entry.runs if len(run.history) > 1]
    if not histories:
        return []
    curves = []
    for quantity in ("loss", "accuracy"):
        figure, axes = PAGE.axes(360, 230)
        draw_learning_curves(axes, histories, quantity, PAGE)
        curves.append(to_svg(figure, f"{entry.anchor}, {_curve_description(histories, quantity)}"))
    return curves


def _curve_description(histories: Sequence[pd.DataFrame], quantity: str) -> str:
    """Describe learning curves in words."""
    epochs = sorted({len(history) for history in histories})
    shown = [quantity, f"val_{quantity}"]
    first, last = (pd.concat([history[shown].iloc[[row]] for history in histories]).mean() for row in (0, -1))
    return (
        f"{quantity} over {' to '.join(map(str, sorted({epochs[0], epochs[-1]})))} epochs, "
        f"training from {first[quantity]:.3g} to {last[quantity]:.3g}, "
        f"validation from {first[f'val_{quantity}']:.3g} to {last[f'val_{quantity}']:.3g}"
    )


def _scores(entry: Entry) -> list[tuple[str, float | None, float | None]]:
    """Return every score by its name, for slices and for tracks."""
    return [(name, entry.slice_scores[key], entry.track_scores[key]) for key, name in SCORES.items()]


def _decisions(entry: Entry) -> list[tuple[str, float, bool]]:
    """Return the track accuracy of each way of combining slices, and whether it is the one in use."""
    return [
        (DECISIONS[decision], accuracy, decision == entry.decision)
        for decision, accuracy in entry.decision_accuracies.items()
    ]


def _curves_of_scores(entry: Entry) -> dict[str, object]:
    """Return the table of genres, the reliability diagram and the ROC curves."""
    error = entry.track_scores["calibration_error"]
    per_genre, roc = genre_rows(entry.tracks, entry.anchor)
    return {
        "per_genre": per_genre,
        "roc": roc,
        "reliability": to_svg(
            reliability_figure(reliability_by_level(entry.slices, entry.tracks), PAGE),
            f"Calibration of {entry.anchor}: error {error:.3f}",
        ),
    }


def _mistakes(entry: Entry, data_set: DataSet | None, seconds: float) -> list[dict[str, object]]:
    """Return the most confident mistakes, each with a thumbnail if its frames are available."""
    mistakes = surest_mistakes(entry.tracks)
    thumbnails: dict[str, str] = {}
    for frames in data_set.frames if data_set else []:
        ids = [track_id for track_id in mistakes["track_id"] if track_id in set(frames.index["track_id"])]
        if frames.spec.representation == entry.choice["representation"] and ids:
            values = example_frames(frames, ids, seconds)
            limits = value_limits(frames, values)
            thumbnails = {key: thumbnail(x, limits) for key, x in zip(ids, values, strict=True)}
    rows = mistakes.to_dict("records")
    return [
        {str(key): value for key, value in row.items()}
        | {
            "thumbnail": thumbnails.get(row["track_id"]),
            "key": f"{entry.choice['dataset']}/{row['track_id']}",
        }
        for row in rows
    ]


def _values(run: Run, tree: Tree) -> dict[str, str]:
    """Return the values that the stages before the report used for a run, by key in params.yaml."""
    patterns = {group for stage, groups in STAGE_GROUPS.items() if stage != "report" for group in groups}
    # Skip a pattern inside another one (a model's backbone): the outer one lists its values.
    patterns = {p for p in patterns if not any(p.startswith(f"{other}.") for other in patterns)}
    values = {}
    for pattern in sorted(patterns):
        place = pattern.format(**run.choice)
        group = value_at(tree, place, "params.yaml")
        leaves = {f"{place}.{key}": value for key, value in group.items()} if isinstance(group, dict) else {}
        for key, value in (leaves or {place: group}).items():
            values[key] = value if isinstance(value, str) else json.dumps(value)
    return values
