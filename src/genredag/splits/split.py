"""Splits: which slices train, validate and test. One function a protocol; `check_split` trusts none."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from genredag.errors import DataError, ParameterError, UnsuitableDataError
from genredag.params.groups.splits import (
    KFold,
    LeakySlices,
    Official,
    Split,
    Stratified,
    keeps_artists_whole,
    n_folds,
)
from genredag.splits.assignment import by_artist, by_genre
from genredag.splits.leakage import mark
from genredag.tracks.artists import artist_groups

logger = logging.getLogger(__name__)

PARTS = ("train", "validation", "test")
_DEALS = {"track": by_genre, "artist": by_artist}


def split_slices(
    manifest: pd.DataFrame, slices: pd.DataFrame, protocol: Split, seed: int, fold: int = 0
) -> pd.DataFrame:
    """Deal all usable tracks to three parts and say for each slice where it stands.

    The deal depends on ids, genres, artists and listed subsets of the usable tracks and on `seed`: neither
    on the order of rows nor on the representation. Augmented tracks train if the track they were made from
    does, and are left out if it doesn't.

    Parameters
    ----------
    slices
        track_id, slice, and, if there are augmented tracks, parent: null for the others.
    fold
        Which fold tests; 0 for a protocol without folds.

    Returns
    -------
    pd.DataFrame
        track_id, slice, genre, artist, part (null: left out), and parent if `slices` has it; rows in the
        order of `slices`. A leaky split says so in ``attrs["warning"]``, which Parquet files keep.

    Raises
    ------
    ParameterError
        There is no such fold.
    UnsuitableDataError
        A genre has too few tracks or artists to stand in all parts, no artist is known, or none is listed.
    """
    if fold not in range(n_folds(protocol)):
        last = n_folds(protocol) - 1
        expected = f"0 to {last}" if last else "0: its protocol has no folds"
        raise ParameterError(f"there is no fold {fold}", where="split", expected=expected)
    tracks = _usable(manifest).sort_values("track_id", ignore_index=True)
    split = slices[["track_id", "slice"]].reset_index(drop=True)
    parent = slices["parent"].reset_index(drop=True) if "parent" in slices else pd.Series(None, split.index)
    is_child, original = parent.notna(), parent.fillna(split["track_id"])
    for column in ("genre", "artist"):
        split[column] = original.map(tracks.set_index("track_id")[column])
    rng = np.random.default_rng(seed)
    if isinstance(protocol, LeakySlices):
        part = leaky_slices(split[~is_child], protocol, rng).reindex(split.index)
    else:
        dealt = PROTOCOLS[type(protocol)](tracks, protocol, fold, rng)
        part = original.map(pd.Series(dealt, tracks["track_id"], dtype="str")).mask(is_child)
    trains = original.isin(split.loc[part == "train", "track_id"])
    split["part"] = part.mask(is_child & trains, "train")
    split.attrs |= mark(split)
    _tell(split)
    return split.assign(parent=parent) if "parent" in slices else split


def stratified(tracks: pd.DataFrame, protocol: Stratified, fold: int, rng: np.random.Generator) -> np.ndarray:
    """Deal whole tracks or artists by ratios.

    Parameters
    ----------
    tracks
        The usable rows of a manifest, sorted by track_id.

    Returns
    -------
    np.ndarray
        The part of each track, None for those left out.
    """
    return np.array(PARTS, dtype=object)[_DEALS[protocol.group_by](tracks, protocol.ratios, rng)]


def kfold(tracks: pd.DataFrame, protocol: KFold, fold: int, rng: np.random.Generator) -> np.ndarray:
    """Let one of `k` equal folds test, the next one validate and the others train; see `stratified`."""
    dealt = _DEALS[protocol.group_by](tracks, [1 / protocol.k] * protocol.k, rng)
    return np.array(PARTS, dtype=object)[
        np.select([dealt == fold, dealt == (fold + 1) % protocol.k], [2, 1], 0)
    ]


def official(tracks: pd.DataFrame, protocol: Official, fold: int, rng: np.random.Generator) -> np.ndarray:
    """Take the split that the data set lists for its tracks; see `stratified`.

    With a `validation_share`, validation is dealt by artist from the listed training part.

    Raises
    ------
    UnsuitableDataError
        No track is listed for a part that is needed.
    """
    listed = {"train": "train", "test": protocol.test}
    if protocol.validation_share is None:
        listed["validation"] = "validation"
    part = np.full(len(tracks), None, dtype=object)
    for name, subset in listed.items():
        rows = (tracks["subset"] == subset).to_numpy()
        if not rows.any():
            hint = "use a protocol that deals the tracks, or an official one that tests on another part"
            raise UnsuitableDataError(
                f"the data set lists no track for {subset}", where="manifest", hint=hint
            )
        part[rows] = name
    if protocol.validation_share is not None:
        training = tracks[part == "train"]
        deal = by_artist if training["artist"].notna().any() else by_genre
        ratios = [1 - protocol.validation_share, protocol.validation_share]
        part[part == "train"] = np.array(PARTS, dtype=object)[deal(training, ratios, rng)]
    return part


def leaky_slices(split: pd.DataFrame, protocol: LeakySlices, rng: np.random.Generator) -> pd.Series:
    """Deal the slices of each genre by ratios, without regard to their tracks.

    Parameters
    ----------
    split
        track_id, slice, genre.
    """
    ordered = split.dropna(subset="genre").sort_values(["track_id", "slice"])
    dealt = by_genre(ordered, protocol.ratios, rng)
    return pd.Series(np.array(PARTS, dtype=object)[dealt], ordered.index, dtype="str")


PROTOCOLS: dict[type, Callable[[pd.DataFrame, Any, int, np.random.Generator], np.ndarray]] = {
    Stratified: stratified,
    KFold: kfold,
    Official: official,
}


def check_split(split: pd.DataFrame, manifest: pd.DataFrame, protocol: Split) -> None:
    """Prove that a split keeps what its protocol promises and that no part lacks a class.

    Raises
    ------
    DataError
        Names the first slice that stands twice; the first track, copy of a track or (if promised) artist,
        as `artist_groups` tells them, on two sides, or augmented track away from its parent, unless the
        protocol is leaky.
    UnsuitableDataError
        Names the genre that a part lacks.
    """
    if "parent" not in split:
        split = split.assign(parent=None)
    may_lack_part = split["parent"].notna() | isinstance(protocol, Official)
    in_no_part = ~split["part"].isin(PARTS) & (split["genre"].isna() | ~may_lack_part)
    if in_no_part.any():
        hint = "the slices are of another manifest: rerun the spectrograms and slices stages"
        track_id = split.loc[in_no_part, "track_id"].iloc[0]
        raise DataError(f"track {track_id} is in no part", where="split", hint=hint)
    dealt = split.dropna(subset="part")
    for problem in _crossings(dealt, manifest, protocol):
        raise DataError(problem, where="split", expected="one side")
    present = pd.crosstab(dealt["genre"], dealt["part"]).reindex(columns=list(PARTS), fill_value=0)
    for genre, row in present.iterrows():
        for part in row.index[row == 0]:
            hint = "add tracks, or remove the genre; short tracks may have been quarantined"
            raise UnsuitableDataError(f"genre {genre} is missing in {part}", where="split", hint=hint)


def _crossings(dealt: pd.DataFrame, manifest: pd.DataFrame, protocol: Split) -> Iterator[str]:
    """Yield what stands on two sides, of each kind the first, in words."""
    twice = dealt[dealt.duplicated(["track_id", "slice"], keep=False)].sort_values(
        ["track_id", "slice", "part"]
    )
    if not twice.empty:
        (one, other), number = twice["part"].head(2), twice["slice"].iloc[0]
        yield f"the same slice twice: {number} of {twice['track_id'].iloc[0]} in {one} and in {other}"
    if isinstance(protocol, LeakySlices):
        return
    tracks = dealt.drop_duplicates(["track_id", "part"])
    tracks = tracks.merge(_usable(manifest)[["track_id", "sha256"]], on="track_id", how="left")
    children = tracks[tracks["parent"].notna()].merge(
        tracks[["track_id", "part"]],
        left_on="parent",
        right_on="track_id",
        how="left",
        suffixes=("", "_of_parent"),
    )
    away = children[(children["part"] != "train") | (children["part_of_parent"] != "train")]
    for child in away.head(1).itertuples():
        told = child.part_of_parent if isinstance(child.part_of_parent, str) else "no part"
        yield f"augmented {child.track_id} in {child.part}, its parent {child.parent} in {told}"
    promises = {"track_id": "track", "sha256": "audio"}
    if keeps_artists_whole(protocol):
        promises["artist"] = "artist"
        tracks["artist"] = artist_groups(tracks["artist"])
    for column, what in promises.items():
        sides = tracks.dropna(subset=column).drop_duplicates([column, "part"])
        crossing = sides[sides[column].duplicated(keep=False)].sort_values([column, "part"]).head(2)
        if not crossing.empty:
            track_ids = " and ".join(crossing["track_id"] + " in " + crossing["part"])
            yield f"the same {what} on two sides: {track_ids}"


def _tell(split: pd.DataFrame) -> None:
    """Log what a user should know of a split: that it leaks, that it leaves tracks out."""
    if "warning" in split.attrs:
        logger.warning(split.attrs["warning"])
    left_out = split.loc[split["part"].isna() & split["genre"].notna(), "track_id"].nunique()
    if left_out:
        logger.info("%d tracks are in no part and left out", left_out)


def _usable(manifest: pd.DataFrame) -> pd.DataFrame:
    return manifest[manifest["status"] == "ok"]
