"""Which recordings and artists a model learned from, so that a test on other music can tell them apart.

A file in ``model.zip`` has hashes of the training and validation tracks: of their samples, and of the names
of their artists. A copy of a recording has other samples if it was encoded, cut or converted anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genredag.bundles.parts import read_part
from genredag.errors import ModelError
from genredag.params.groups.splits import PARTS
from genredag.tracks.artists import artist_key, artist_keys

if TYPE_CHECKING:
    import pandas as pd

LEARNED_FILE = "learned.json"
_DIGITS = 16  # of each hash, in hexadecimal
_MAX_BYTES = 2**26  # three million tracks


@dataclass(frozen=True)
class LearnedTracks:
    """The tracks that a model was trained on, or that chose its epoch and calibrated it.

    Attributes
    ----------
    recordings
        The beginning of each `genredag.tracks.audio.Probe.sha256`.
    artists
        Of each artist, where known: the beginning of the SHA-256 of `artist_key`.
    """

    recordings: frozenset[str]
    artists: frozenset[str]

    def has_recording(self, sha256: str) -> bool:
        """Return whether the samples with this hash are those of one of the tracks."""
        return sha256[:_DIGITS] in self.recordings

    def has_artist(self, name: str) -> bool:
        """Return whether one of the tracks is by an artist of this name, or by one of those that it names."""
        return not self.artists.isdisjoint(map(_of_name, artist_keys(name)))

    def json_text(self) -> str:
        """Return ``learned.json``."""
        tree = {"recordings": sorted(self.recordings), "artists": sorted(self.artists)}
        return json.dumps(tree) + "\n"


def learned_tracks(manifest: pd.DataFrame, split: pd.DataFrame) -> LearnedTracks:
    """Return the tracks of a manifest that a split uses for training or validation."""
    used = split.loc[split["part"].isin(PARTS[:2]), "track_id"]
    own = manifest[manifest["track_id"].isin(used)]
    return LearnedTracks(
        recordings=frozenset(own["sha256"].str[:_DIGITS]),
        artists=frozenset(map(_of_name, map(artist_key, own["artist"].dropna().unique()))),
    )


def joined(found: Sequence[LearnedTracks | None]) -> LearnedTracks | None:
    """Return the tracks of several models together; None if those of one are unknown."""
    known = [one for one in found if one is not None]
    if not known or len(known) < len(found):
        return None
    return LearnedTracks(
        recordings=frozenset[str]().union(*(one.recordings for one in known)),
        artists=frozenset[str]().union(*(one.artists for one in known)),
    )


def read_learned(path: Path) -> LearnedTracks | None:
    """Read the hashes from a ``model.zip`` or an ONNX model; return None if it has none.

    Raises
    ------
    ModelError
        The file isn't a bundle, or the hashes can't be read.
    """
    content = read_part(path, LEARNED_FILE, _MAX_BYTES)
    if content is None:
        return None
    try:
        tree = json.loads(content)
        return LearnedTracks(*(frozenset(map(str, tree[key])) for key in ("recordings", "artists")))
    except (KeyError, ValueError, TypeError) as error:
        raise ModelError(f"can't read {LEARNED_FILE} ({error})", where=str(path)) from error


def _of_name(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:_DIGITS]
