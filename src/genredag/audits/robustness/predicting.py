"""Predict the test tracks of a split, undeformed and with every deformation."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from genredag.audits.robustness.deformations import Deformation, deformed
from genredag.audits.robustness.kinds import NONE
from genredag.errors import DataError
from genredag.frames.rendering import render_tracks
from genredag.frames.split_slices import SplitSlices
from genredag.frames.store import Frames
from genredag.params.groups.splits import LEAKY
from genredag.prediction.held_out import predict_split
from genredag.runtime.progress import progress
from genredag.splits.leakage import is_leaky

if TYPE_CHECKING:
    from genredag.bundles.predictor import Predictor


def predict_deformed(
    bundle: Predictor,
    data: SplitSlices,
    manifest: pd.DataFrame,
    deformations: Sequence[Deformation],
    *,
    cache_dir: Path,
    n_jobs: int,
) -> pd.DataFrame:
    """Predict the test slices of undeformed tracks, then of tracks with each deformation.

    Audio is decoded, deformed and rendered in memory, one deformation at a time; nothing is kept.

    Parameters
    ----------
    data
        Tracks are rendered in the same way as in its frame store.

    Returns
    -------
    pd.DataFrame
        deformation (a kind; ``"none"`` comes first), strength (NaN for none), the columns that
        `predict_split` returns for the test slices, and warning, which marks a leaky split.

    Raises
    ------
    DataError
        There is no audio, or it has changed since it was rendered.
    """
    frames, slices, split = data.frames, data.slices, data.split
    if frames.spec.sr == 0:
        raise DataError("frames without audio can't be deformed", where="robustness.dataset")
    tables = []
    for deformation in (None, *deformations):
        # Undeformed tracks use the batches of the evaluate stage: rounding may depend on the batch.
        parts = ["test"] if deformation else ["validation", "test"]
        rows = data.is_in(*parts)
        tracks = manifest.set_index("track_id").loc[slices.loc[rows, "track_id"].unique()].reset_index()
        store = rendered(tracks, frames, deformation, cache_dir=cache_dir, n_jobs=n_jobs)
        own = SplitSlices(store, moved(slices[rows], frames, store), data.spec, split[rows])
        predictions = predict_split(bundle, own)
        kind, strength = (deformation.kind, deformation.strength) if deformation else (NONE, np.nan)
        predictions.insert(0, "deformation", kind)
        predictions.insert(1, "strength", float(strength))
        tables.append(predictions[predictions["part"] == "test"])
    return pd.concat(tables, ignore_index=True).assign(warning=LEAKY if is_leaky(split) else "")


def rendered(
    tracks: pd.DataFrame,
    frames: Frames,
    deformation: Deformation | None,
    *,
    cache_dir: Path,
    n_jobs: int,
) -> Frames:
    """Return a frame store of only these tracks, in memory, each deformed.

    Raises
    ------
    DataError
        The number of frames of a track differs from that in `frames`.
    """
    index = frames.index.set_index("track_id").loc[tracks["track_id"]].reset_index()
    changes = [
        None if deformation is None else partial(deformed, deformation=deformation, track_id=track_id)
        for track_id in tracks["track_id"]
    ]
    blocks = render_tracks(tracks, changes, frames.spec, cache_dir=cache_dir, n_jobs=n_jobs)
    label = f"{deformation.kind} {deformation.strength:g}" if deformation else "undeformed"
    array = list(progress(blocks, f"rendering {label}", len(tracks)))
    for track, block in zip(index.itertuples(), array, strict=True):
        if len(block) != track.n_frames:
            raise DataError(
                f"{len(block)} frames",
                where=f"track {track.track_id}",
                expected=f"{track.n_frames} as in the frame store",
                hint="its audio has changed: rerun the download and spectrograms stages",
            )
    index["first_frame"] = np.cumsum([0, *index["n_frames"][:-1]], dtype=np.int64)
    total = int(index["n_frames"].sum())
    spec = dataclasses.replace(frames.spec, n_tracks=len(tracks), total_frames=total, shifts=[])
    return Frames(spec, index, np.concatenate(array))


def moved(slices: pd.DataFrame, source: Frames, target: Frames) -> pd.DataFrame:
    """Return slices of `source` as slices of `target`, which holds the same tracks at other positions."""
    old, new = (store.index.set_index("track_id")["first_frame"] for store in (source, target))
    offset = slices["track_id"].map(new) - slices["track_id"].map(old)
    return slices.assign(first_frame=slices["first_frame"] + offset)
