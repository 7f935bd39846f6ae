"""Rank the tracks of a data set by how much out-of-fold predictions disagree with their labels."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from genredag.errors import DataError
from genredag.evaluation.predictions import PREFIX, class_names, probabilities_of

COLUMNS = (
    *("dataset", "rank", "track_id", "artist", "genre", "suggested", "score", "suggested_probability"),
    *("suspected", "n_predictions", "known_fault"),
)


def label_issues(
    runs: Sequence[tuple[str, pd.DataFrame]], faults: Collection[str] | None = None
) -> pd.DataFrame:
    """Return the tracks of each data set, the most suspicious label first.

    The probabilities of a track are the means over all runs that tested it, so none comes from a model that
    was trained on it. The score is the probability of the given genre. A label is suspected by confident
    learning (Northcutt, Jiang & Chuang 2021), which estimates from the same probabilities how many labels of
    each genre are wrong.

    Parameters
    ----------
    runs
        The data set and the ``track_predictions.parquet`` of each run: folds, seeds, models.
    faults
        Ids of the tracks whose labels are known to be wrong; None if nothing is known.

    Returns
    -------
    pd.DataFrame
        `COLUMNS`. known_fault is null if nothing is known of the data set.

    Raises
    ------
    DataError
        Runs on one data set have different genres, or no track is in `faults`.
    """
    by_dataset: dict[str, list[pd.DataFrame]] = {}
    for dataset, predictions in runs:
        by_dataset.setdefault(dataset, []).append(predictions[predictions["part"] == "test"])
    tables = [
        _ranked(_out_of_fold(name, own)).assign(dataset=name, known_fault=None)
        for name, own in by_dataset.items()
    ]
    table = pd.concat(tables, ignore_index=True)
    if faults is not None:
        known = table["track_id"].isin(list(faults))
        if not known.any():
            raise DataError(
                f"none of {len(faults)} known faults is a track of {', '.join(by_dataset)}",
                where="label_issues.faults",
                expected=f"ids such as {table['track_id'].min()}",
                hint="see the column track_id of the manifest",
            )
        # A list of one data set says nothing about another.
        table["known_fault"] = known.where(known.groupby(table["dataset"]).transform("any"), None)
    return table[list(COLUMNS)]


def read_faults(path: Path) -> list[str]:
    """Read the ids of tracks with wrong labels: the column ``track_id`` of a CSV file.

    Raises
    ------
    DataError
        The file can't be read, or has no such column.
    """
    try:
        listed = pd.read_csv(path, dtype="str")
        if "track_id" not in listed:
            raise ValueError("no column track_id")
        return listed["track_id"].dropna().tolist()
    except (OSError, ValueError) as error:
        raise DataError(
            f"can't be read: {error.strerror if isinstance(error, OSError) else error}",
            where=str(path),
            expected="a CSV file with the column track_id",
            hint="set label_issues.faults to such a file, or to null",
        ) from None


def _out_of_fold(dataset: str, runs: list[pd.DataFrame]) -> pd.DataFrame:
    """Return genre, artist, n_predictions and mean p_<genre> of each track (the index)."""
    names = class_names(runs[0])
    for run in runs:
        if class_names(run) != names:
            raise DataError(
                f"genres {', '.join(class_names(run))}",
                where=f"predictions of {dataset}",
                expected=f"{', '.join(names)} as in the first run",
                hint="rerun the evaluate stage",
            )
    tracks = pd.concat(runs).groupby("track_id")
    means = tracks[[PREFIX + name for name in names]].mean()
    return means.join(tracks[["genre", "artist"]].first()).assign(n_predictions=tracks.size())


def _ranked(tracks: pd.DataFrame) -> pd.DataFrame:
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    names, probabilities = np.array(class_names(tracks)), probabilities_of(tracks)
    # Means are rounded; confident learning wants rows that add up to 1.
    probabilities = probabilities / probabilities.sum(axis=1, keepdims=True)
    labels = np.searchsorted(names, tracks["genre"].to_numpy(str))
    return (
        tracks.reset_index()[["track_id", "artist", "genre", "n_predictions"]]
        .assign(
            suggested=names[probabilities.argmax(axis=1)],
            score=get_label_quality_scores(labels, probabilities),
            suggested_probability=probabilities.max(axis=1),
            suspected=find_label_issues(labels, probabilities, n_jobs=1),
        )
        .sort_values(["score", "track_id"], ignore_index=True)
        .assign(rank=np.arange(1, len(tracks) + 1))
    )
