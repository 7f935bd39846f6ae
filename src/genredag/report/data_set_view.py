"""Template data for a data set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from genredag.report.data_figures import balance_figure, durations_figure, genre_map
from genredag.report.data_sets import (
    DataSet,
    example_frames,
    example_tracks,
    genre_table,
    part_counts,
    value_limits,
)
from genredag.report.feature_map import N_LEAST, principal_components, track_features, tracks_to_map
from genredag.report.handcrafted_view import handcrafted_view, track_panels
from genredag.report.projections import component_labels
from genredag.report.runs import Run
from genredag.report.spectrogram_figures import colour_key, spectrogram
from genredag.report.svg import to_svg
from genredag.tracks.artists import artist_groups

if TYPE_CHECKING:
    from genredag.frames.store import Frames


def data_set_view(
    data_set: DataSet, runs: Sequence[Run], seconds: float, cache_dir: Path
) -> dict[str, object]:
    """Return counts, lengths, parts, quarantined tracks, maps and example spectrograms of a data set.

    Parameters
    ----------
    seconds
        Length of the examples.
    cache_dir
        Folder of the audio files, whose waveforms are drawn next to handcrafted features.
    """
    table = genre_table(data_set)
    durations = data_set.tracks["duration"]
    near = data_set.near_duplicates
    return {
        "name": data_set.name,
        "genres": table.reset_index(names="genre").to_dict("records"),
        "total": table.sum().to_dict(),
        "artists": artist_groups(data_set.tracks["artist"]).nunique(),
        "lengths": (durations.min(), durations.median(), durations.max()),
        "figures": _figures(data_set, table),
        "parts": _parts(data_set, runs),
        "quarantine": data_set.quarantine.to_dict("records"),
        "left_out": data_set.left_out.to_dict("records"),
        "near_duplicates": None if near is None else near.to_dict("records"),
        "maps": [found for frames in data_set.frames if (found := _map(data_set, frames))],
        "handcrafted": handcrafted_view(data_set),
        **_examples(data_set, seconds, cache_dir),
    }


def _figures(data_set: DataSet, table: pd.DataFrame) -> dict[str, Markup | None]:
    counts = ", ".join(f"{genre} {n}" for genre, n in table["tracks"].items())
    durations = data_set.tracks["duration"]
    lengths = f"{durations.min():.0f} to {durations.max():.0f} seconds"
    description = f"Lengths of the tracks of {data_set.name}: {lengths}"
    vary = durations.min() < durations.max()
    return {
        "balance": to_svg(balance_figure(table), f"Tracks of {data_set.name} by genre: {counts}"),
        "durations": to_svg(durations_figure(durations.to_numpy()), description) if vary else None,
    }


def _parts(data_set: DataSet, runs: Sequence[Run]) -> dict[str, dict[str, list[float]]]:
    """Return the number of tracks of each genre in each part, by split, from the first run of each split."""
    parts: dict[str, dict[str, list[float]]] = {}
    for run in runs:
        split = run.pooled_choice["split"]
        if run.pooled_choice["dataset"] == data_set.name and split not in parts:
            counts = part_counts(data_set, run)
            counts.loc["total"] = counts.sum(skipna=False)
            parts[split] = {str(genre): list(row) for genre, row in counts.iterrows()}
    return parts


def _map(data_set: DataSet, frames: Frames) -> dict[str, object] | None:
    rows = tracks_to_map(data_set.tracks, frames)
    if len(rows) < N_LEAST:
        return None
    points, shares = principal_components(track_features(frames, rows))
    description = f"Map of {len(rows)} tracks of {data_set.name} in {frames.spec.representation}"
    figure = genre_map(points, rows["genre"].to_numpy(str), component_labels(shares))
    return {
        "representation": frames.spec.representation,
        "n_tracks": len(rows),
        "figure": to_svg(figure, description),
    }


def _examples(data_set: DataSet, seconds: float, cache_dir: Path) -> dict[str, object]:
    """Draw one track per genre in every representation, and a colour key per representation."""
    tracks = example_tracks(data_set).to_dict("records")
    keys: list[dict[str, object]] = []
    panels: list[list[dict[str, object]]] = [[] for _ in tracks]
    for frames in data_set.frames:
        spec = frames.spec
        values = example_frames(frames, [track["track_id"] for track in tracks], seconds)
        low, high = limits = value_limits(frames, values)
        unit = "standard deviations from a feature's mean" if spec.unit == "feature" else spec.unit
        colours = f"colours from {low:.3g} to {high:.3g} {unit}"
        key = to_svg(colour_key(limits, unit), f"{spec.representation} of {data_set.name}: {colours}")
        keys.append({"spec": spec, "figure": key})
        for track, row, x in zip(tracks, panels, values, strict=True):
            figure = spectrogram(x, spec.bins, spec.frames_per_second, limits)
            example = f"{spec.representation} of {data_set.name}, {track['genre']}: {track['track_id']}"
            row.append({"representation": spec.representation, "figure": to_svg(figure, example)})
    for row, more in zip(panels, track_panels(data_set, tracks, seconds, cache_dir), strict=True):
        row += more
    return {"keys": keys, "examples": list(zip(tracks, panels, strict=True))}
