"""Near-duplicates: the same recording in two parts of a split, with a different cut, encoding or mix."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
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
HELD, BLOCK = 2000, 32  # tracks whose spectra are held, and tracks compared with all of them at once
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
    spectra = ChangeSpectra(frames, list(tracks["track_id"].unique()))
    found: list[tuple[str, str, str, str, float]] = []
    for number, part in enumerate(PARTS, 1):
        ours, theirs = tracks[tracks["part"] == part], tracks[tracks["part"].isin(PARTS[number:])]
        for others in _chunks(theirs, HELD):
            held = spectra.of(others["track_id"])
            for own in _chunks(ours, BLOCK):
                similarity = correlations(spectra.of(own["track_id"]), held)
                found += _pairs(own, others, similarity, correlation)
    table = pd.DataFrame(found, columns=COLUMNS).sort_values(
        ["correlation", "track_id", "other"], ascending=[False, True, True], ignore_index=True
    )
    _log_pairs(table)
    return table


def _chunks(tracks: pd.DataFrame, size: int) -> Iterator[pd.DataFrame]:
    return (tracks.iloc[first : first + size] for first in range(0, len(tracks), size))


def _pairs(
    ours: pd.DataFrame, theirs: pd.DataFrame, similarity: np.ndarray, correlation: float
) -> Iterator[tuple[str, str, str, str, float]]:
    """Yield the rows of `near_duplicates` for some tracks and some others, by track_id and part."""
    for row, column in zip(*np.nonzero(similarity >= correlation), strict=True):
        one, other = ours.iloc[row], theirs.iloc[column]
        if one["track_id"] != other["track_id"]:  # in a leaky split, a track is in two parts
            value = round(float(similarity[row, column]), 3)
            yield one["track_id"], one["part"], other["track_id"], other["part"], value


def correlations(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Return the correlation of each pair of tracks, at the time shift where they agree most.

    Parameters
    ----------
    ours, theirs
        Spectra of tracks, as `ChangeSpectra.of` returns them.

    Returns
    -------
    np.ndarray
        -1..1, shape (n_ours, n_theirs).
    """
    from scipy.fft import irfft
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # with many small products, threads would wait for each other
        return irfft(ours.conj() @ theirs.transpose(0, 2, 1), axis=0).max(axis=0)


class ChangeSpectra:
    """Fourier transforms of the change from step to step in each band of each track.

    Changes distinguish recordings better than levels. They differ between two recordings even if both fade in
    or have the same timbre. A gain or an equaliser does not affect them. They are computed when they are
    needed, so that memory does not grow with the number of tracks.

    Raises
    ------
    DataError
        The frames lack a track.
    """

    def __init__(self, frames: Frames, track_ids: Sequence[str]) -> None:
        from scipy.fft import next_fast_len

        index = frames.index.set_index("track_id")
        missing = [track_id for track_id in track_ids if track_id not in index.index]
        if missing:
            hint = "rerun the spectrograms stage"
            raise DataError(f"no track {missing[0]}", where="frames", hint=hint)
        self._frames, self._places = frames, index[["first_frame", "n_frames"]]
        power, n_steps, longest = np.zeros(1), 0, 1
        for change in map(self._changes, track_ids):
            power = power + np.sum(change**2, axis=0, dtype=np.float64)
            n_steps, longest = n_steps + len(change), max(longest, len(change))
        scale = np.sqrt(power / max(1, n_steps)).astype(np.float32)
        self._scale = np.where(scale > 0, scale, np.float32(1))
        # Zero padding, so that shifts do not wrap around.
        self._n_steps = next_fast_len(2 * longest, real=True)

    def of(self, track_ids: Iterable[str]) -> np.ndarray:
        """Return the spectra of some tracks, complex64 (n_frequencies, n_tracks, n_bands), of unit energy."""
        from scipy.fft import rfft

        spectra = []
        for change in map(self._changes, track_ids):
            change = change / self._scale
            energy = np.linalg.norm(change)
            spectra.append(rfft(change / (energy if energy > 0 else 1), self._n_steps, axis=0))
        return np.stack(spectra, axis=1).astype(np.complex64)

    def _changes(self, track_id: str) -> np.ndarray:
        return _changes(self._frames, *self._places.loc[track_id])


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
