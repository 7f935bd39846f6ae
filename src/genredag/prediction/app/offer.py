"""The models that the page offers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Offered:
    """A model to choose.

    Attributes
    ----------
    name
        Such as ``"crnn on mel"``.
    summary
        How good it is, in a line.
    """

    path: Path
    name: str
    summary: str = ""
    card: dict[str, object] | None = field(default=None)

    @property
    def id(self) -> str:
        """What requests name it by: it says nothing about the path."""
        return hashlib.sha256(str(self.path).encode()).hexdigest()[:12]

    def content(self) -> dict[str, object]:
        """Return what the page shows of it."""
        return {"id": self.id, "name": self.name, "summary": self.summary, "card": self.card}
