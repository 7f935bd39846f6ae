"""Splits: assign slices to training, validation or test by a protocol, and check any split."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import numpy as np
import pandas as pd

from genredag.errors import DataError, ParameterError, UnsuitableDataError
from genredag.params.groups.splits import (
    PARTS,
    KFold,
    LeakySlices,
    Official,
    Split,
    Stratified,
    keeps_artists_whole,
    n_folds,
)
from genredag.splits.assignment import assign_by_artist, assign_by_genre
from genredag.splits.leakage import mark
from genredag.tracks.artists import artist_groups

logger = logging.getLogger(__name__)

_ASSIGN = {"track": assign_by_genre, "artist": assign_by_artist}


def split_slices(
    manifest: pd.DataFrame, slices: pd.DataFrame, protocol: Split, seed: int, fold: int = 0
) -> pd.DataFrame:
    """Assign all usable tracks to three parts and return the part of each slice.

    The split depends on `seed` and on ids, genres, artists and listed subsets of usable tracks. It depends
    neither on the order of rows nor on the representation. Augmented tracks are in the training set if their
    original is, and are left out otherwise.

    Parameters
    ----------
    slices
        track_id, slice, and, if there are augmented tracks, parent (null for all others).
    fold
        The fold that is the test set; 0 for a protocol without folds.

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
        A genre has too few tracks or artists for all parts, no artist is known, or no track is listed.
    """
    if fold not in range(n_folds(protocol)):
        last = n_folds(protocol) - 1
        expected = f"0 to {last}" if last else "0: its protocol has no folds"
        raise ParameterError(f"there is no fold {fold}", where="split", expected=expected)
    tracks = _usable(manifest).sort_values("track_id", ignore_index=True)
    split = slices[["track_id", "slice"]].reset_index(drop=True)
    parent = slices["parent"].reset_index(drop=True) if "parent" in slices else pd.Series(None, split.index)
    is_copy, original = parent.notna(), parent.fillna(split["track_id"])
    for column in ("genre", "artist"):
        split[column] = original.map(tracks.set_index("track_id")[column])
    rng = np.random.default_rng(seed)
    if isinstance(protocol, LeakySlices):
        part = leaky_slices(split[~is_copy], protocol, rng).reindex(split.index)
    else:
        by_track = pd.Series(_part_of_tracks(tracks, protocol, fold, rng), tracks["track_id"], dtype="str")
        part = original.map(by_track).mask(is_copy)
    trains = original.isin(split.loc[part == "train", "track_id"])
    split["part"] = part.mask(is_copy & trains, "train")
    split.attrs |= mark(split)
    _log_warnings(split)
    return split.assign(parent=parent) if "parent" in slices else split


def stratified(tracks: pd.DataFrame, protocol: Stratified, rng: np.random.Generator) -> np.ndarray:
    """Assign whole tracks or artists by ratios.

    Parameters
    ----------
    tracks
        The usable rows of a manifest, sorted by track_id.

    Returns
    -------
    np.ndarray
        The part of each track, None for those left out.
    """
    return np.array(PARTS, dtype=object)[_ASSIGN[protocol.group_by](tracks, protocol.ratios, rng)]


def kfold(tracks: pd.DataFrame, protocol: KFold, fold: int, rng: np.random.Generator) -> np.ndarray:
    """Test on one of `k` equal folds, validate on the next and train on the others; see `stratified`."""
    fold_of = _ASSIGN[protocol.group_by](tracks, [1 / protocol.k] * protocol.k, rng)
    part = np.select([fold_of == fold, fold_of == (fold + 1) % protocol.k], [2, 1], 0)
    return np.array(PARTS, dtype=object)[part]


def official(tracks: pd.DataFrame, protocol: Official, rng: np.random.Generator) -> np.ndarray:
    """Use the split that the data set lists for its tracks; see `stratified`.

    With a `validation_share`, validation is taken by artist from the listed training part.

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
            hint = "use a protocol that splits the tracks itself, or an official one with another test part"
            raise UnsuitableDataError(
                f"the data set lists no track for {subset}", where="manifest", hint=hint
            )
        part[rows] = name
    if protocol.validation_share is not None:
        training = tracks[part == "train"]
        assign = assign_by_artist if training["artist"].notna().any() else assign_by_genre
        ratios = [1 - protocol.validation_share, protocol.validation_share]
        part[part == "train"] = np.array(PARTS, dtype=object)[assign(training, ratios, rng)]
    return part


def leaky_slices(split: pd.DataFrame, protocol: LeakySlices, rng: np.random.Generator) -> pd.Series:
    """Assign the slices of each genre by ratios, without regard to their tracks. LEAKY.

    Parameters
    ----------
    split
        track_id, slice, genre.
    """
    ordered = split.dropna(subset="genre").sort_values(["track_id", "slice"])
    part = assign_by_genre(ordered, protocol.ratios, rng)
    return pd.Series(np.array(PARTS, dtype=object)[part], ordered.index, dtype="str")


def _part_of_tracks(
    tracks: pd.DataFrame, protocol: Stratified | KFold | Official, fold: int, rng: np.random.Generator
) -> np.ndarray:
    match protocol:
        case Stratified():
            return stratified(tracks, protocol, rng)
        case KFold():
            return kfold(tracks, protocol, fold, rng)
        case Official():
            return official(tracks, protocol, rng)


def check_split(split: pd.DataFrame, manifest: pd.DataFrame, protocol: Split) -> None:
    """Check that a split keeps what its protocol guarantees, and that no part lacks a genre.

    Raises
    ------
    DataError
        A slice occurs twice. Unless the protocol is leaky: a track, a copy of it or (if guaranteed) an
        artist, as grouped by `artist_groups`, is in two parts, or an augmented track is not with its parent.
        The message names the first case.
    UnsuitableDataError
        A part lacks a genre, which the message names.
    """
    if "parent" not in split:
        split = split.assign(parent=None)
    may_lack_part = split["parent"].notna() | isinstance(protocol, Official)
    in_no_part = ~split["part"].isin(PARTS) & (split["genre"].isna() | ~may_lack_part)
    if in_no_part.any():
        hint = "the slices belong to another manifest: rerun the spectrograms and slices stages"
        track_id = split.loc[in_no_part, "track_id"].iloc[0]
        raise DataError(f"track {track_id} is in no part", where="split", hint=hint)
    assigned = split.dropna(subset="part")
    for problem in _crossings(assigned, manifest, protocol):
        raise DataError(problem, where="split", expected="one part")
    present = pd.crosstab(assigned["genre"], assigned["part"]).reindex(columns=list(PARTS), fill_value=0)
    for genre, row in present.iterrows():
        for part in row.index[row == 0]:
            hint = "add tracks, or remove the genre; short tracks may have been quarantined"
            raise UnsuitableDataError(f"genre {genre} is missing in {part}", where="split", hint=hint)


def _crossings(assigned: pd.DataFrame, manifest: pd.DataFrame, protocol: Split) -> Iterator[str]:
    """Yield the first track, copy or artist of each kind that is in two parts, in words."""
    twice = assigned[assigned.duplicated(["track_id", "slice"], keep=False)].sort_values(
        ["track_id", "slice", "part"]
    )
    if not twice.empty:
        (one, other), number = twice["part"].head(2), twice["slice"].iloc[0]
        yield f"the same slice twice: {number} of {twice['track_id'].iloc[0]} in {one} and in {other}"
    if isinstance(protocol, LeakySlices):
        return
    tracks = assigned.drop_duplicates(["track_id", "part"])
    tracks = tracks.merge(_usable(manifest)[["track_id", "sha256"]], on="track_id", how="left")
    copies = tracks[tracks["parent"].notna()].merge(
        tracks[["track_id", "part"]],
        left_on="parent",
        right_on="track_id",
        how="left",
        suffixes=("", "_of_parent"),
    )
    away = copies[(copies["part"] != "train") | (copies["part_of_parent"] != "train")]
    for copy in away.head(1).itertuples():
        part = copy.part_of_parent if isinstance(copy.part_of_parent, str) else "no part"
        yield f"augmented {copy.track_id} in {copy.part}, its parent {copy.parent} in {part}"
    kept_together = {"track_id": "track", "sha256": "audio"}
    if keeps_artists_whole(protocol):
        kept_together["artist"] = "artist"
        tracks["artist"] = artist_groups(tracks["artist"])
    for column, what in kept_together.items():
        pairs = tracks.dropna(subset=column).drop_duplicates([column, "part"])
        crossing = pairs[pairs[column].duplicated(keep=False)].sort_values([column, "part"]).head(2)
        if not crossing.empty:
            track_ids = " and ".join(crossing["track_id"] + " in " + crossing["part"])
            yield f"the same {what} in two parts: {track_ids}"


def _log_warnings(split: pd.DataFrame) -> None:
    """Log that a split is leaky, or that it leaves tracks out."""
    if "warning" in split.attrs:
        logger.warning(split.attrs["warning"])
    left_out = split.loc[split["part"].isna() & split["genre"].notna(), "track_id"].nunique()
    if left_out:
        logger.info("%d tracks are in no part and are left out", left_out)


def _usable(manifest: pd.DataFrame) -> pd.DataFrame:
    return manifest[manifest["status"] == "ok"]
