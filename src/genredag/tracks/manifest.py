"""The manifest: one row per track, with its status (usable or quarantined) and the reason."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from genredag.errors import DataError
from genredag.tracks.audio import Probe

logger = logging.getLogger(__name__)

LISTED = ["track_id", "genre", "artist", "path", "subset", "subgenres"]
COLUMNS = [
    *("track_id", "genre", "artist", "path", "duration", "sr", "sha256"),
    *("status", "reason", "subset", "subgenres"),
]
LEFT_OUT = ["suffix", "reason", "n_files", "example"]  # of a folder: what is not a track
QUARANTINE_COLUMNS = ["track_id", "genre", "path", "reason"]
N_LOGGED = 20  # quarantined tracks that the log names; quarantine.csv lists all


def assemble(tracks: pd.DataFrame, probes: Sequence[Probe]) -> pd.DataFrame:
    """Join the tracks of a data set with their probes, and quarantine those that can't be used.

    Only one of several tracks with identical samples is kept. Tracks in a published subset take precedence
    (GTZAN's fault-filtered lists kept one of each pair), then the first track_id. Without a published subset,
    none is kept if they have different genres, because any of the labels may be wrong.

    Parameters
    ----------
    tracks
        Columns `LISTED`, one row per track.
    probes
        One for each row of `tracks`.

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`, sorted by track_id.
    """
    if tracks["track_id"].duplicated().any():
        twice = tracks.loc[tracks["track_id"].duplicated(), "track_id"].iloc[0]
        raise DataError("two tracks have this id", where=twice)
    manifest = tracks[LISTED].assign(
        duration=np.array([probe.duration for probe in probes], dtype=np.float64),
        sr=np.array([probe.sr for probe in probes], dtype=np.int32),
        sha256=[probe.sha256 for probe in probes],
        reason=[probe.problem for probe in probes],
    )
    manifest = manifest.sort_values("track_id", ignore_index=True)
    manifest["reason"] = manifest["reason"].where(manifest["reason"] != "", _duplicates(manifest))
    manifest["status"] = np.where(manifest["reason"] == "", "ok", "quarantined")
    text = {name: "str" for name in COLUMNS if name not in ("duration", "sr")}
    return manifest[COLUMNS].astype(text)


def quarantined(manifest: pd.DataFrame) -> pd.DataFrame:
    """Return track_id, genre, path and reason of the tracks in quarantine."""
    return manifest.loc[manifest["status"] == "quarantined", QUARANTINE_COLUMNS].reset_index(drop=True)


def quarantine_table(manifest: pd.DataFrame, left_out: pd.DataFrame) -> pd.DataFrame:
    """Return `quarantined`, followed by a row per kind of files left out (columns `LEFT_OUT`), without an id.

    The path of such a row is that of an example.
    """
    rows = [
        {"track_id": "", "genre": "", "path": row["example"], "reason": left_out_text(row)}
        for row in left_out.to_dict("records")
    ]
    parts = [quarantined(manifest), pd.DataFrame(rows, columns=QUARANTINE_COLUMNS, dtype="str")]
    return pd.concat(parts, ignore_index=True)


def log_left_out(name: str, left_out: pd.DataFrame) -> None:
    """Log how many files of a data set are no tracks, and why."""
    for row in left_out.to_dict("records"):
        logger.info("%s: %s, as %s", name, left_out_text(row), row["example"])


def left_out_text(row: dict[Hashable, object]) -> str:
    """Return a row of columns `LEFT_OUT` in words."""
    n = row["n_files"]
    return f"{n} {'file' if n == 1 else 'files'} left out ({row['suffix']}): {row['reason']}"


def check_usable(manifest: pd.DataFrame, *, name: str, max_skipped: float) -> None:
    """Log the quarantined tracks, and reject a data set that can't be used for training.

    Raises
    ------
    DataError
        There are no tracks, too large a share is quarantined, or fewer than two genres remain.
    """
    bad = quarantined(manifest)
    for row in bad.head(N_LOGGED).itertuples():
        logger.warning("%s: %s is quarantined: %s", name, row.track_id, row.reason)
    if len(bad) > N_LOGGED:
        logger.warning("%s: %d more tracks are quarantined", name, len(bad) - N_LOGGED)
    where = f"data set {name}"
    if manifest.empty:
        raise DataError("no tracks", where=where, expected="audio files in one folder per genre")
    if len(bad) > max_skipped * len(manifest):
        first = bad.iloc[0]
        raise DataError(
            f"{len(bad)} of {len(manifest)} tracks can't be used, first {first.track_id} ({first.reason})",
            where=where,
            expected=f"at most {max_skipped:.0%} (download.max_skipped)",
            hint="repair or remove those files, or raise download.max_skipped",
        )
    genres = sorted(manifest.loc[manifest["status"] == "ok", "genre"].unique())
    lost = bad[~bad["genre"].isin(genres)]
    if genres and not lost.empty:
        first = lost.iloc[0]
        raise DataError(
            f"no track of genre {first.genre} can be used, first {first.track_id} ({first.reason})",
            where=where,
            hint="repair those files, or remove that genre",
        )
    if len(genres) < 2:
        raise DataError(f"only one genre: {genres[0]}", where=where, expected="at least two genres")


def stored_path(path: Path, cache_dir: Path) -> str:
    """Return an absolute path as a manifest stores it: relative to the cache if inside it, which may move."""
    return (path.relative_to(cache_dir) if path.is_relative_to(cache_dir) else path).as_posix()


def track_path(path: str, cache_dir: Path) -> Path:
    """Return the location on this machine of a file that a manifest lists as `path`."""
    return Path(cache_dir) / path


def _duplicates(manifest: pd.DataFrame) -> pd.Series:
    """Return why usable tracks with the samples of another can't be used, else an empty string."""
    usable = manifest[manifest["reason"] == ""]
    keepers = usable.assign(outside=usable["subset"].isna()).sort_values(["outside", "track_id"])
    first = keepers.groupby("sha256")["track_id"].transform("first").reindex(manifest.index)
    conflicts = pd.Series(_label_conflicts(keepers), dtype="str").reindex(manifest.index, fill_value="")
    is_copy = first.notna() & (first != manifest["track_id"])
    return ("duplicate of " + first.astype("str")).where(is_copy, "").where(conflicts == "", conflicts)


def _label_conflicts(usable: pd.DataFrame) -> dict[Hashable, str]:
    """Return the reason, by row, of tracks with the samples of a track of another genre.

    The first track is kept if it is in a published subset, whose labels were reviewed.
    """
    reasons: dict[Hashable, str] = {}
    for _, copies in usable.groupby("sha256"):
        rows = copies[["track_id", "genre", "subset"]].to_dict("index")
        for index, row in rows.items():
            others = [other for other in rows.values() if other["genre"] != row["genre"]]
            first = row is next(iter(rows.values()))
            if others and not (first and isinstance(row["subset"], str)):
                other = others[0]
                reasons[index] = (
                    f"label conflict: the same audio is {other['track_id']} of genre {other['genre']}"
                )
    return reasons
