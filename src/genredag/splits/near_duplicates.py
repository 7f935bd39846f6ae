"""Near-duplicates: the same recording in two parts of a split, with a different cut, encoding or mix."""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from genredag.errors import DataError
from genredag.params.groups.splits import PARTS

if TYPE_CHECKING:
    from genredag.frames.store import Frames

logger = logging.getLogger(__name__)

COLUMNS = ["track_id", "part", "other", "other_part", "correlation"]
# Measured on GTZAN (docs/decisions/data.md).
STEP_SECONDS = 0.18
N_BANDS = 32
# ASSUME that a copy shows within the first minute.
MAX_SECONDS = 60.0
BLOCK = 64  # tracks compared with all others at once
N_LOGGED = 3


def near_duplicates(split: pd.DataFrame, frames: Frames, correlation: float) -> pd.DataFrame:
    """Find pairs of tracks in different parts with similar changes in their spectrograms, at any time shift.

    Parameters
    ----------
    split
        ``split.parquet``. Augmented tracks and tracks that were left out are not compared.
    correlation
        Lowest correlation that is reported; see `correlations`.

    Returns
    -------
    pd.DataFrame
        track_id, part, other, other_part, correlation; highest first.
    """
    split = split[split["parent"].isna()] if "parent" in split else split
    tracks = split.dropna(subset="part").drop_duplicates(["track_id", "part"])
    track_ids = np.unique(tracks["track_id"].to_numpy(object))
    spectra = change_spectra(frames, list(track_ids))
    row_of = pd.Series(range(len(track_ids)), track_ids)
    found = []
    for part, other_part in itertools.combinations(PARTS, 2):
        ours, theirs = (
            row_of[tracks.loc[tracks["part"] == name, "track_id"]].to_numpy() for name in (part, other_part)
        )
        similarity = correlations(spectra[:, ours], spectra[:, theirs])
        similarity[ours[:, np.newaxis] == theirs] = 0.0  # in a leaky split, a track is in two parts
        rows, columns = np.nonzero(similarity >= correlation)
        pairs = zip(track_ids[ours[rows]], track_ids[theirs[columns]], similarity[rows, columns], strict=True)
        found += [(one, part, other, other_part, round(float(value), 3)) for one, other, value in pairs]
    table = pd.DataFrame(found, columns=COLUMNS)
    table = table.sort_values("correlation", ascending=False, kind="stable", ignore_index=True)
    _log_pairs(table)
    return table


def correlations(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Return the correlation of each pair of tracks, at the time shift where they agree most.

    Parameters
    ----------
    ours, theirs
        Spectra of tracks, as returned by `change_spectra`.

    Returns
    -------
    np.ndarray
        -1..1, shape (n_ours, n_theirs).
    """
    from scipy.fft import irfft
    from threadpoolctl import threadpool_limits

    columns = theirs.conj().transpose(0, 2, 1)
    similarity = np.empty((ours.shape[1], theirs.shape[1]), np.float32)
    with threadpool_limits(1):  # with many small products, threads would wait for each other
        for first in range(0, len(similarity), BLOCK):
            rows = slice(first, first + BLOCK)
            similarity[rows] = irfft(ours[:, rows] @ columns, axis=0).max(axis=0)
    return similarity


def change_spectra(frames: Frames, track_ids: list[str]) -> np.ndarray:
    """Return the Fourier transform of the change from step to step in each band of each track.

    Changes distinguish recordings better than levels. They differ between two recordings even if both fade in
    or have the same timbre. A gain or an equaliser does not affect them.

    Returns
    -------
    np.ndarray
        Complex64, shape (n_frequencies, n_tracks, n_bands); each track of unit energy.
    """
    from scipy.fft import next_fast_len, rfft

    index = frames.index.set_index("track_id")
    missing = [track_id for track_id in track_ids if track_id not in index.index]
    if missing:
        hint = "rerun the spectrograms stage"
        raise DataError(f"no track {missing[0]}", where="frames", hint=hint)
    rows = index.loc[track_ids]
    changes = [_changes(frames, *at) for at in zip(rows["first_frame"], rows["n_frames"], strict=True)]
    power = np.sum([np.sum(change**2, axis=0) for change in changes], axis=0)
    scale = np.sqrt(power / max(1, sum(map(len, changes))))
    # Zero padding, so that shifts do not wrap around.
    n_steps = next_fast_len(2 * max(1, *map(len, changes)), real=True)
    spectra = np.empty((n_steps // 2 + 1, len(changes), len(scale)), np.complex64)
    for number, change in enumerate(changes):
        change = change / np.where(scale > 0, scale, 1)
        energy = np.linalg.norm(change)
        spectra[:, number] = rfft(change / (energy if energy > 0 else 1), n_steps, axis=0)
    return spectra


def _changes(frames: Frames, first: int, n_frames: int) -> np.ndarray:
    """Return how much each band changes over two steps of one track, float32 (n_steps - 2, n_bands)."""
    rate, n_bins = frames.spec.frames_per_second, frames.spec.n_bins
    length, width = max(1, round(STEP_SECONDS * rate)), max(1, n_bins // N_BANDS)
    n_steps, n_bands = min(n_frames, int(MAX_SECONDS * rate)) // length, n_bins // width
    values = frames.spec.decode(frames.array[first : first + n_steps * length, : n_bands * width])
    steps = values.reshape(n_steps, length, n_bands, width).mean(axis=(1, 3))
    return steps[2:] - steps[:-2]


def _log_pairs(table: pd.DataFrame) -> None:
    """Log a warning with the number of near-duplicates and the most similar pairs."""
    if table.empty:
        return
    pairs = [
        f"{row.track_id} ({row.part}) and {row.other} ({row.other_part})"
        for row in table.head(N_LOGGED).itertuples()
    ]
    more = ", ..." if len(table) > N_LOGGED else ""
    logger.warning(
        "%d pairs of tracks in different parts may be near-duplicates: %s%s",
        len(table),
        ", ".join(pairs),
        more,
    )
