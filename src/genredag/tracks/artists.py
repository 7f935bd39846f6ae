"""Artist groups: spellings of one artist, and collaborations, for everything that keeps artists together."""

from __future__ import annotations

import re
import unicodedata

import pandas as pd

_GUEST = r"\b(?:feat|ft|featuring)\b"
_JOINT = re.compile(rf"{_GUEST}\.?|\band\b|[&,;+]")


def artist_key(name: str) -> str:
    """Reduce an artist's name to what spellings share: ``The 2 Pac feat. X`` and ``2Pac`` are equal."""
    plain = _plain(name).replace("&", " and ")
    plain = re.sub(rf"{_GUEST}.*", "", plain)
    plain = re.sub(r"^\s*the\s+|,\s*the\s*$", "", plain)
    return "".join(character for character in plain if character.isalnum()) or name.strip()


def artist_groups(artists: pd.Series) -> pd.Series:
    """Replace each known artist by one name for all that must stay together; null stays null.

    Those are the spellings of a name (`artist_key`), and a collaboration (``X and Y``, ``X & Y``,
    ``X, Y``, ``X feat. Y``) with each of its parts that is itself an artist in `artists`. A name of which no
    part is one stays whole, such as ``Earth, Wind & Fire``.

    Returns
    -------
    pd.Series
        Of each group the spelling that sorts first; it depends on the set of names alone.
    """
    import networkx as nx

    names = sorted(artists.dropna().unique())
    key_of = {name: artist_key(name) for name in names}
    keys = set(key_of.values())
    alike = nx.Graph()
    alike.add_nodes_from(keys)
    alike.add_edges_from((key, part) for name, key in key_of.items() for part in _parts(name) if part in keys)
    first = {key: name for name, key in reversed(key_of.items())}
    group_of = {
        key: min(map(first.__getitem__, group)) for group in nx.connected_components(alike) for key in group
    }
    return artists.map({name: group_of[key] for name, key in key_of.items()}).astype("str")


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKD", name).casefold()


def _parts(name: str) -> list[str]:
    """Return the keys of the artists that a collaboration names."""
    return [artist_key(part) for part in _JOINT.split(_plain(name)) if part.strip()]
