"""Prediction for files of precomputed frames: a probability per genre for each track."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from genredag.bundles.card import read_card
from genredag.bundles.loading import load_bundle
from genredag.bundles.predictor import Predictor
from genredag.errors import DataError
from genredag.evaluation.predictions import Decision, combined
from genredag.frames.slices import cut
from genredag.frames.store import FrameSpec, gather
from genredag.params.groups.slices import Slices
from genredag.runtime.files import check_outputs, write_csv
from genredag.tracks.precomputed import load_spectrograms

logger = logging.getLogger(__name__)

AS_PUBLISHED = "as published"


def predict_frames(file: Path, model: Path, out: Path) -> pd.DataFrame:
    """Write the probabilities of all tracks of a file, in its order, to a CSV, and return them.

    Slices of a track are combined as the model's card says, and by their mean without a card.

    Parameters
    ----------
    file
        As `load_spectrograms` reads it. Its tracks need no labels.
    out
        Columns track_id and one per genre, named by it.

    Raises
    ------
    DataError
        The file can't be read, has no track or one twice, another number of bins than the model's frames, or
        values that are not finite.
    ModelError
        The model can't be loaded.
    ParameterError
        `out` can't be written.
    """
    check_outputs([out], [file, model])
    card, bundle = read_card(model), load_bundle(model)
    track_ids, frames = load_spectrograms(file)
    if not track_ids or len(set(track_ids)) < len(track_ids):
        raise DataError("no track, or one is listed twice", where=str(file), expected="each track once")
    decision = card.track_decision if card else "mean"
    probabilities = track_probabilities(bundle, frames, decision, where=str(file))
    table = pd.DataFrame(probabilities, columns=bundle.class_names)
    table.insert(0, "track_id", track_ids)
    write_csv(out, table)
    return table


def track_probabilities(
    bundle: Predictor, frames: np.ndarray, decision: Decision, *, where: str
) -> np.ndarray:
    """Return class probabilities of tracks, float64 (n_tracks, n_classes).

    Parameters
    ----------
    frames
        Values as the model was trained on, (n_tracks, n_frames, n_bins).
    where
        What the frames come from, for errors.

    Raises
    ------
    DataError
        There is no track, the number of bins differs from the model's, or a value is not finite.
    """
    spec = FrameSpec(**bundle.info["frames"])
    n_tracks, n_frames, n_bins = frames.shape
    if n_bins != spec.n_bins or not n_frames:
        what = f"{n_tracks} tracks of {n_bins} bins x {n_frames} frames"
        raise DataError(what, where=where, expected=f"{spec.n_bins} bins, as {bundle.info['model']} takes")
    if spec.unit != AS_PUBLISHED:
        logger.warning("%s must be in the same unit as the model's frames: %s", where, spec.unit)
    own = bundle.info["slices"]
    params = Slices(seconds=own["seconds"], overlap=own["overlap"], short_tracks="pad")
    index = _one_track(n_frames, spec.frames_per_second)
    places, summary = cut(index, spec.frames_per_second, params)
    rows = places[["first_frame", "n_valid"]].to_numpy()
    found = np.empty((n_tracks, len(bundle.class_names)))
    for i, track in enumerate(frames):
        stored = spec.encode(track, where=f"{where}, track {i + 1}")
        slices = gather(stored, spec, rows[:, 0], summary["n_frames"], rows[:, 1])
        (found[i],) = combined(bundle.predict(slices, rows[:, 1]), np.zeros(len(rows), int), decision)[0]
    return found


def _one_track(n_frames: int, frames_per_second: float) -> pd.DataFrame:
    """Return the index of a frame store with one track, which is what all tracks of a file have in common."""
    row = {"track_id": "", "first_frame": 0, "n_frames": n_frames, "duration": n_frames / frames_per_second}
    return pd.DataFrame([row | {"parent": None}])
