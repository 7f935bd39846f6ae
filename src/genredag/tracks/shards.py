"""Shards: equal parts of a table of tracks, which separate jobs work on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shard:
    """One of `total` parts of a table; the first is number 1."""

    number: int
    total: int

    def rows(self, n_rows: int) -> slice:
        """Return the rows of this part; parts follow each other, and some are empty if there are few rows."""
        return slice((self.number - 1) * n_rows // self.total, self.number * n_rows // self.total)


WHOLE = Shard(1, 1)
