"""Which recordings and artists a model learned from, so that a test on other music can tell them apart.

A file in ``model.zip`` has hashes of the training and validation tracks: of their samples, and of the names
of their artists. A copy in a lossy encoding, or one that was cut, has other samples.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from genredag.bundles.parts import parse_part
from genredag.params.groups.splits import PARTS
from genredag.tracks.artists import artist_keys

if TYPE_CHECKING:
    import pandas as pd

LEARNED_FILE = "learned.json"
_DIGITS = 16  # of each hash, in hexadecimal
_MAX_BYTES = 2**26  # three million tracks
Hashes = frozenset[Annotated[str, Field(pattern=f"^[0-9a-f]{{{_DIGITS}}}$")]]


class LearnedTracks(BaseModel):
    """The tracks that a model was trained on, or that chose its epoch and calibrated it.

    Attributes
    ----------
    recordings
        The beginning of each `genredag.tracks.audio.Probe.sha256`.
    artists
        The beginning of the SHA-256 of the `artist_keys` of each artist.
    n_anonymous
        Number of tracks of unknown artist.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    recordings: Hashes
    artists: Hashes
    n_anonymous: Annotated[int, Field(ge=0)]

    def has_recording(self, sha256: str) -> bool:
        """Return whether the samples with this hash are those of one of the tracks."""
        return sha256[:_DIGITS] in self.recordings

    def has_artist(self, name: str) -> bool | None:
        """Return whether one of the tracks is by an artist of this name, or by one of those that it names.

        None if none is as far as artists are known, but those of some tracks are unknown.
        """
        if not self.artists.isdisjoint(_of_name(name)):
            return True
        return None if self.n_anonymous else False

    def json_text(self) -> str:
        """Return ``learned.json``."""
        sets = {key: sorted(getattr(self, key)) for key in ("recordings", "artists")}
        return json.dumps(sets | {"n_anonymous": self.n_anonymous}) + "\n"


def learned_tracks(manifest: pd.DataFrame, split: pd.DataFrame) -> LearnedTracks:
    """Return the tracks of a manifest that a split uses for training or validation."""
    used = split.loc[split["part"].isin(PARTS[:2]), "track_id"]
    own = manifest[manifest["track_id"].isin(used)]
    return LearnedTracks(
        recordings=frozenset(own["sha256"].str[:_DIGITS]),
        artists=frozenset[str]().union(*map(_of_name, own["artist"].dropna().unique())),
        n_anonymous=int(own["artist"].isna().sum()),
    )


def joined(found: Sequence[LearnedTracks | None]) -> LearnedTracks | None:
    """Return the tracks of several models together; None if those of one are unknown."""
    known = [one for one in found if one is not None]
    if not known or len(known) < len(found):
        return None
    return LearnedTracks(
        recordings=frozenset[str]().union(*(one.recordings for one in known)),
        artists=frozenset[str]().union(*(one.artists for one in known)),
        n_anonymous=sum(one.n_anonymous for one in known),
    )


def read_learned(path: Path) -> LearnedTracks | None:
    """Read the hashes from a ``model.zip`` or an ONNX model; return None if it has none.

    Raises
    ------
    ModelError
        The file isn't a bundle, or the hashes can't be read.
    """
    return parse_part(path, LEARNED_FILE, LearnedTracks.model_validate_json, _MAX_BYTES)


def _of_name(name: str) -> frozenset[str]:
    """Return the hashes of the `artist_keys` of a name."""
    return frozenset(hashlib.sha256(key.encode()).hexdigest()[:_DIGITS] for key in artist_keys(name))
