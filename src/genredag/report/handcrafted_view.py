"""Template data for handcrafted features of a data set, if the report has their frames."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from genredag.errors import DataError
from genredag.report.data_figures import genre_map
from genredag.report.feature_map import N_LEAST, track_features, tracks_to_map
from genredag.report.handcrafted_figures import (
    chromagram,
    genre_heat_map,
    genre_spread,
    rolloff_over_spectrogram,
    tempogram,
    waveform,
)
from genredag.report.projections import projections
from genredag.report.svg import to_svg
from genredag.tracks.manifest import track_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from genredag.frames.store import Frames
    from genredag.report.data_sets import DataSet

HANDCRAFTED = "handcrafted"
# Prefix of their columns; what is left of the name is the label.
_VECTORS = {"MFCC": "mfcc_", "Chroma": "chroma_"}
_NUMBERS = {
    "Zero crossings": ("zero_crossing_rate", "share of samples"),
    "Roll-off": ("rolloff_khz", "kHz"),
    "Tempo": ("tempo_bpm", "beats per minute"),
}
_NEEDED = ("mfcc_1", "chroma_C", "onset_strength", *(column for column, _ in _NUMBERS.values()))
_SR = 22050

Panel = dict[str, object]
Track = Mapping[Hashable, Any]  # a row of a manifest


def handcrafted_frames(data_set: DataSet) -> Frames | None:
    """Return the frames of handcrafted features of a data set; None without them, or if they lack columns."""
    return next(
        (
            frames
            for frames in data_set.frames
            if frames.spec.representation == HANDCRAFTED and set(_NEEDED) <= set(frames.spec.bins)
        ),
        None,
    )


def handcrafted_view(data_set: DataSet) -> dict[str, object] | None:
    """Return statistics by genre and projections of the tracks, or None without frames of the features."""
    frames = handcrafted_frames(data_set)
    if frames is None:
        return None
    rows = tracks_to_map(data_set.tracks, frames)
    if len(rows) < N_LEAST:
        return None
    features, genres = track_features(frames, rows), rows["genre"].to_numpy(str)
    maps = [
        {
            "name": found.name,
            "note": found.note,
            "figure": to_svg(
                genre_map(found.points, genres, found.labels),
                f"{found.name} of handcrafted features of {len(rows)} tracks of {data_set.name}",
            ),
        }
        for found in projections(features, genres)
    ]
    return {
        "n_tracks": len(rows),
        "statistics": _statistics(data_set.name, frames, features, genres),
        "maps": maps,
    }


def _statistics(name: str, frames: Frames, features: np.ndarray, genres: np.ndarray) -> list[Panel]:
    columns = [str(label) for label in frames.spec.bins]
    means, deviations = (pd.DataFrame(half, columns=columns) for half in np.hsplit(features, 2))
    panels: list[Panel] = []
    for title, prefix in _VECTORS.items():
        own = [label for label in columns if label.startswith(prefix)]
        labels = [label.removeprefix(prefix) for label in own]
        for what, values in (("mean", means[own]), ("deviation", deviations[own])):
            by_genre = standardised(values).groupby(genres).mean()
            figure = genre_heat_map(by_genre.to_numpy(), [str(genre) for genre in by_genre.index], labels)
            panels.append(_panel(f"{title}: {what}", figure, name))
    for title, (column, unit) in _NUMBERS.items():
        groups = means[column].groupby(genres)
        mean, spread = groups.mean(), groups.std().fillna(0)
        figure = genre_spread(mean.to_numpy(), spread.to_numpy(), [str(genre) for genre in mean.index], unit)
        panels.append(_panel(title, figure, name))
    return panels


def standardised(values: pd.DataFrame) -> pd.DataFrame:
    """Return columns in standard deviations from their mean; 0 if they are constant."""
    spread = values.std(ddof=0)
    return (values - values.mean()) / spread.where(spread > 0, 1)


def _panel(title: str, figure: Figure, of: str) -> Panel:
    return {"title": title, "figure": to_svg(figure, f"{title} of {of}")}


def track_panels(
    data_set: DataSet, tracks: Sequence[Track], seconds: float, cache_dir: Path
) -> list[list[Panel]]:
    """Return figures of the first `seconds` of each track: waveform, chromagram, tempogram, roll-off.

    There are none without frames of the features. The waveform takes a file that can be read, the roll-off
    a spectrogram with the same frames.
    """
    frames = handcrafted_frames(data_set)
    if frames is None:
        return [[] for _ in tracks]
    rate = frames.spec.frames_per_second
    spectrogram = next(
        (
            other
            for other in data_set.frames
            if not isinstance(other.spec.bins[0], str) and other.spec.frames_per_second == rate
        ),
        None,
    )
    return [
        [
            {
                "representation": title,
                "figure": to_svg(figure, f"{title} of {data_set.name}: {track['track_id']}"),
            }
            for title, figure in _figures(frames, spectrogram, track, seconds, cache_dir).items()
        ]
        for track in tracks
    ]


def _figures(
    frames: Frames, spectrogram: Frames | None, track: Track, seconds: float, cache_dir: Path
) -> dict[str, Figure]:
    columns, rate = [str(label) for label in frames.spec.bins], frames.spec.frames_per_second
    values = pd.DataFrame(first_frames(frames, track["track_id"], seconds), columns=columns)
    chroma = [label for label in columns if label.startswith("chroma_")]
    figures: dict[str, Figure] = {}
    if (samples := _samples(track_path(track["path"], cache_dir), seconds)) is not None:
        figures["waveform"] = waveform(samples, _SR)
    names = [label.removeprefix("chroma_") for label in chroma]
    figures["chromagram"] = chromagram(values[chroma].to_numpy(), names, rate)
    figures["tempogram"] = tempogram(values["onset_strength"].to_numpy(), rate)
    if spectrogram is not None:
        shown = first_frames(spectrogram, track["track_id"], seconds)
        n_frames = min(len(shown), len(values))
        limits = float(shown.min()), float(max(shown.max(), shown.min() + 1))
        rolloff = 1000 * values["rolloff_khz"].to_numpy()[:n_frames]
        bins = [float(hz) for hz in spectrogram.spec.bins]
        figure = rolloff_over_spectrogram(shown[:n_frames], bins, rolloff, rate, limits)
        figures[f"roll-off over {spectrogram.spec.representation}"] = figure
    return figures


def first_frames(frames: Frames, track_id: str, seconds: float) -> np.ndarray:
    """Return the values of the first `seconds` of a track, (n_frames, n_bins).

    Raises
    ------
    DataError
        The track isn't in the frame store.
    """
    rows = frames.index[frames.index["track_id"] == track_id]
    if rows.empty:
        where = f"frames of {frames.spec.representation}"
        raise DataError(f"lack track {track_id}", where=where, hint="rerun the spectrograms stage")
    first, length = rows.iloc[0][["first_frame", "n_frames"]]
    length = min(length, max(1, round(seconds * frames.spec.frames_per_second)))
    return frames.gather(np.array([first]), length, np.array([length]))[0]


def _samples(path: Path, seconds: float) -> np.ndarray | None:
    """Return the first `seconds` of an audio file at 22,050 Hz, or None if it can't be read."""
    from genredag.tracks.audio import decode

    try:
        samples, _ = decode(path, _SR)
    except DataError:
        return None
    return samples[: round(seconds * _SR)]
