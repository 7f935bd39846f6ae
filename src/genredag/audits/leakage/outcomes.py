"""Audit one split: which test slices and tracks each scaling and selection classifies correctly."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from genredag.audits.leakage.candidates import Scaling, cnn_candidates, svm_candidates
from genredag.errors import DataError
from genredag.frames.batches import SliceSet
from genredag.params.groups.splits import PARTS
from genredag.splits.split import check_split, split_slices

if TYPE_CHECKING:
    from genredag.frames.split_slices import SlicedFrames
    from genredag.params.groups.audits import LeakageAudit
    from genredag.params.groups.splits import Split

logger = logging.getLogger(__name__)

Selection = Literal["validation", "test"]
SCALINGS: tuple[Scaling, ...] = ("train", "everything")
SELECTIONS: tuple[Selection, ...] = ("validation", "test")
LEVELS = ("slice", "track")
COLUMNS = (
    "model",
    "scaling",
    "selection",
    "candidate",
    "level",
    "track_id",
    "artist",
    "hits",
    "n",
    "warning",
)


def audit(
    manifest: pd.DataFrame,
    data: SlicedFrames,
    protocol: Split,
    params: LeakageAudit,
    seed: int,
) -> pd.DataFrame:
    """Split the slices, train the cheap models with each scaling, and select on validation and on test.

    Returns
    -------
    pd.DataFrame
        `COLUMNS`. At level slice, hits is the number of correctly classified slices among a track's n test
        slices; at level track, hits is 1 if the track is classified correctly. If the data set can't be
        split this way, the table has a single row, and its warning gives the reason.
    """
    try:
        split = split_slices(manifest, data.slices, protocol, seed)
        check_split(split, manifest, protocol)
    except DataError as error:
        logger.warning("left out: %s", error)
        return pd.DataFrame([{"warning": str(error)}], columns=list(COLUMNS))
    split_data = data.with_split(split)
    parts = {part: split_data.part(part) for part in PARTS}
    outcomes = pd.concat(_outcomes(parts, params, len(split_data.class_names), seed), ignore_index=True)
    artists = split.drop_duplicates("track_id").set_index("track_id")["artist"]
    return outcomes.assign(artist=outcomes["track_id"].map(artists))[list(COLUMNS)]


def _outcomes(
    parts: Mapping[str, SliceSet], params: LeakageAudit, n_classes: int, seed: int
) -> Iterator[pd.DataFrame]:
    for scaling in SCALINGS:
        for model, candidates in (
            ("svm", svm_candidates(parts, scaling, params.svm)),
            ("cnn", cnn_candidates(parts, scaling, params.cnn, n_classes, seed)),
        ):
            for selection in SELECTIONS:
                chosen = select(candidates.scores[selection], parts[selection].labels)
                name = candidates.names[chosen]
                logger.info("%s scaled on %s, selected on %s: %s", model, scaling, selection, name)
                yield hits_of(candidates.scores["test"][chosen], parts["test"]).assign(
                    **{"model": model, "scaling": scaling, "selection": selection},
                    **{"candidate": name, "warning": warning(scaling, selection)},
                )


def select(scores: np.ndarray, labels: np.ndarray) -> int:
    """Return the index of the candidate with the highest accuracy; the first one wins ties."""
    return int((scores.argmax(axis=2) == labels).mean(axis=1).argmax())


def hits_of(scores: np.ndarray, slices: SliceSet) -> pd.DataFrame:
    """Return level, track_id, hits and n of each track; a track gets the genre with the best mean score."""
    track_ids, first, track_of, n = np.unique(
        slices.track_ids, return_index=True, return_inverse=True, return_counts=True
    )
    right = scores.argmax(axis=1) == slices.labels
    sums = np.zeros((len(track_ids), scores.shape[1]))
    np.add.at(sums, track_of, scores)
    by_level = {
        "slice": (np.bincount(track_of, right, len(track_ids)).astype(int), n),
        "track": ((sums.argmax(axis=1) == slices.labels[first]).astype(int), np.ones_like(n)),
    }
    tables = [
        pd.DataFrame({"level": level, "track_id": track_ids, "hits": hits, "n": size})
        for level, (hits, size) in by_level.items()
    ]
    return pd.concat(tables, ignore_index=True)


def warning(scaling: Scaling, selection: Selection) -> str:
    """Return the faults of a scaling and selection, marked LEAKY, or "" if there are none."""
    faults = ["scaled on test slices"] * (scaling != "train") + ["selected on test"] * (selection == "test")
    return f"LEAKY: {', '.join(faults)}" if faults else ""
