"""Data sets as the report sees them: counts, quarantined tracks, example spectrograms."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from genredag.errors import DataError
from genredag.params.groups.splits import PARTS
from genredag.report.runs import Run
from genredag.tracks.artists import artist_groups

if TYPE_CHECKING:
    from genredag.frames.store import Frames


@dataclass(frozen=True)
class DataSet:
    """A data set: its name, manifest and quarantined tracks, and a frame store per representation.

    Parameters
    ----------
    near_duplicates
        track_id, part, other, other_part, correlation; a row per pair. None if nothing searched for them.
    left_out
        path, reason: the kinds of files in a folder that are no tracks, each with an example.
    """

    name: str
    manifest: pd.DataFrame
    quarantine: pd.DataFrame
    frames: list[Frames] = field(default_factory=list)
    near_duplicates: pd.DataFrame | None = None
    left_out: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["path", "reason"]))

    @property
    def tracks(self) -> pd.DataFrame:
        """The usable tracks of the manifest."""
        return self.manifest[self.manifest["status"] == "ok"]


def named_path(text: str) -> tuple[str, Path]:
    """Parse a command-line argument ``NAME=PATH``."""
    name, equals, path = text.partition("=")
    if not (name and equals and path):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=PATH")
    return name, Path(path)


def read_data_sets(
    manifests: Iterable[tuple[str, Path]],
    frames: Iterable[tuple[str, Path]],
    near_duplicates: Iterable[tuple[str, Path]] = (),
) -> list[DataSet]:
    """Read manifests (each with its ``quarantine.csv``) and open the frame stores of these data sets.

    Parameters
    ----------
    near_duplicates
        Tables of pairs of tracks; the tables of one data set are merged.

    Raises
    ------
    DataError
        Frames or near-duplicates are given for a data set without a manifest.
    """
    from genredag.frames.store import open_frames

    data_sets = {}
    for name, path in manifests:
        table = pd.read_csv(path.with_name("quarantine.csv"), dtype=str, keep_default_na=False)
        no_track = table["track_id"] == ""
        left_out = table.loc[no_track, ["path", "reason"]]
        data_sets[name] = DataSet(name, pd.read_parquet(path), table[~no_track], left_out=left_out)
    for name, path in frames:
        _owner(data_sets, name, "frames").frames.append(open_frames(path.parent))
    for name, path in near_duplicates:
        data_set = _owner(data_sets, name, "near-duplicates")
        text = {key: "str" for key in ("track_id", "part", "other", "other_part")}
        pairs = pd.read_csv(path, dtype=text, keep_default_na=False, na_values={"correlation": [""]})
        pairs = pairs.dropna(subset="correlation")  # a leaky split without pairs has a row with only a mark
        known = [pairs] if data_set.near_duplicates is None else [data_set.near_duplicates, pairs]
        both = pd.concat(known).sort_values("correlation", ascending=False)
        # Several representations can find the same pair: list it once, with its highest correlation.
        both = both.drop_duplicates(list(text), ignore_index=True)
        data_sets[name] = replace(data_set, near_duplicates=both)
    return list(data_sets.values())


def _owner(data_sets: dict[str, DataSet], name: str, what: str) -> DataSet:
    if name not in data_sets:
        raise DataError(f"{what} without a manifest", where=name, hint=f"add --dataset {name}=MANIFEST")
    return data_sets[name]


def genre_table(data_set: DataSet) -> pd.DataFrame:
    """Return tracks, artists and seconds of the usable tracks of each genre (the index), and quarantined."""
    tracks = data_set.tracks
    groups = tracks.assign(artist=artist_groups(tracks["artist"])).groupby("genre")
    table = pd.DataFrame(
        {
            "tracks": groups.size(),
            "artists": groups["artist"].nunique(),
            "seconds": groups["duration"].sum(),
            "quarantined": data_set.quarantine.groupby("genre").size(),
        }
    )
    return table.fillna(0).astype({"tracks": int, "artists": int, "quarantined": int})


def part_counts(data_set: DataSet, run: Run) -> pd.DataFrame:
    """Count the tracks of each genre (rows) in each of `PARTS` of a run's split.

    Predictions list the validation and test tracks; the rest is training. If this number differs from the
    run's own number of training tracks (slicing can quarantine tracks too), training is NaN.
    """
    tracks = run.predictions.drop_duplicates(["track_id", "part"])
    counts = pd.crosstab(tracks["genre"], tracks["part"]).reindex(columns=PARTS, fill_value=0)
    counts = counts.reindex(index=sorted(data_set.tracks["genre"].unique()), fill_value=0)
    rest = data_set.tracks.groupby("genre").size() - counts.sum(axis=1)
    recorded = run.metrics["n_tracks"].get("train", rest.sum())
    return counts.assign(train=rest if rest.sum() == recorded else np.nan)


def example_tracks(data_set: DataSet) -> pd.DataFrame:
    """Choose the first usable track of each genre."""
    return data_set.tracks.sort_values("track_id").drop_duplicates("genre").sort_values("genre")


def example_frames(frames: Frames, track_ids: Sequence[str], seconds: float) -> list[np.ndarray]:
    """Return the first `seconds` of each track, each (n_frames, n_bins) in the representation's unit.

    Features have scales of their own, so they are given in standard deviations from their mean over the
    examples.

    Raises
    ------
    DataError
        A track isn't in the frame store.
    """
    index = frames.index.set_index("track_id")
    missing = [track_id for track_id in track_ids if track_id not in index.index]
    if missing:
        where = f"frames of {frames.spec.representation}"
        raise DataError(f"lack track {missing[0]}", where=where, hint="rerun the spectrograms stage")
    rows = index.loc[list(track_ids)]
    lengths = rows["n_frames"].clip(upper=max(1, round(seconds * frames.spec.frames_per_second)))
    examples = [
        frames.gather(np.array([first]), length, np.array([length]))[0]
        for first, length in zip(rows["first_frame"], lengths, strict=True)
    ]
    if frames.spec.unit == "feature":
        together = np.concatenate(examples)
        spread = together.std(axis=0)
        return [(x - together.mean(axis=0)) / np.where(spread > 0, spread, 1) for x in examples]
    return examples


def value_limits(frames: Frames, examples: Sequence[np.ndarray]) -> tuple[float, float]:
    """Return the values of the darkest and the brightest colour."""
    if frames.spec.unit == "feature":
        return -2.5, 2.5
    floor = float(np.min(frames.spec.floor))
    top = max(float(x.max()) for x in examples)
    return floor, top if top > floor else floor + 1
