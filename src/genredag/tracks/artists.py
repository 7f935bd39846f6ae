"""Artist groups: spellings of one artist and collaborations, which splits by artist keep together."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_GUEST = r"\b(?:feat|ft|featuring)\b"
_JOINT = re.compile(rf"{_GUEST}\.?|\band\b|[&,;+]")


def artist_key(name: str) -> str:
    """Normalise an artist's name: ``The 2 Pac feat. X`` and ``2Pac`` give the same key."""
    plain = _plain(name).replace("&", " and ")
    plain = re.sub(rf"{_GUEST}.*", "", plain)
    plain = re.sub(r"^\s*the\s+|,\s*the\s*$", "", plain)
    return "".join(character for character in plain if character.isalnum()) or name.strip()


def artist_keys(name: str) -> set[str]:
    """Return the key of a name and, if it is that of a collaboration, those of the artists that it names."""
    return {artist_key(name), *_parts(name)}


def artist_groups(artists: pd.Series) -> pd.Series:
    """Replace each artist's name by the name of a group that must stay together; null stays null.

    A group holds all spellings of a name (`artist_key`). A collaboration (``X and Y``, ``X & Y``, ``X, Y``,
    ``X feat. Y``) joins the groups of all its parts that are artists in `artists`. If no part is an artist,
    the name is not divided, as in ``Earth, Wind & Fire``.

    Returns
    -------
    pd.Series
        The alphabetically first spelling in each group. It depends only on the set of names.
    """
    import networkx as nx

    names = sorted(artists.dropna().unique())
    key_of = {name: artist_key(name) for name in names}
    keys = set(key_of.values())
    graph = nx.Graph()
    graph.add_nodes_from(keys)
    graph.add_edges_from((key, part) for name, key in key_of.items() for part in _parts(name) if part in keys)
    first = {key: name for name, key in reversed(key_of.items())}
    group_of = {
        key: min(map(first.__getitem__, group)) for group in nx.connected_components(graph) for key in group
    }
    return artists.map({name: group_of[key] for name, key in key_of.items()}).astype("str")


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKD", name).casefold()


def _parts(name: str) -> list[str]:
    """Return the keys of the artists that a collaboration names."""
    return [artist_key(part) for part in _JOINT.split(_plain(name)) if part.strip()]
