"""The files between a data set's list of tracks, the shards that decode them, and its manifest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

import pandas as pd

from genredag.datasets.folder import Listing
from genredag.errors import DataError
from genredag.runtime.files import write_parquet
from genredag.tracks.audio import Probe
from genredag.tracks.manifest import LEFT_OUT, LISTED

_PROBED = [field.name for field in fields(Probe)]


def write_listing(path: Path, listing: Listing) -> None:
    """Write the list of a data set's tracks, and what its folder contains besides, to one Parquet file."""
    tracks = listing.tracks[[*LISTED, "problem"]]
    tracks.attrs = {"left_out": listing.left_out.to_dict("records")}
    write_parquet(path, tracks)


def read_listing(path: Path) -> Listing:
    """Read what `write_listing` wrote."""
    tracks = pd.read_parquet(path)
    left_out = pd.DataFrame(tracks.attrs.pop("left_out"), columns=LEFT_OUT)
    return Listing(tracks, left_out)


def write_probes(path: Path, tracks: pd.DataFrame, probes: Sequence[Probe]) -> None:
    """Write the probes of some tracks, one row per track."""
    table = pd.DataFrame([asdict(probe) for probe in probes], columns=_PROBED)
    table.insert(0, "track_id", tracks["track_id"].to_numpy())
    write_parquet(path, table)


def read_probes(paths: Sequence[Path], tracks: pd.DataFrame) -> list[Probe]:
    """Read the probes of all `tracks` from the files of the shards, in order.

    Raises
    ------
    DataError
        The files are of other tracks.
    """
    table = pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)
    if table["track_id"].tolist() != tracks["track_id"].tolist():
        raise DataError(
            "the shards decoded other tracks than those listed",
            where=str(paths[0]),
            hint="remove the folder of the shards",
        )
    return [Probe(*row) for row in table[_PROBED].itertuples(index=False)]
