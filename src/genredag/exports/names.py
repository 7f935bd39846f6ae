"""Names of tracks and genres as names of files, on any file system."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

MAX_BYTES = 180  # of 255 that file systems allow; the rest is for a digest, a number and a suffix
_FORBIDDEN = frozenset('<>:"/\\|?*')
# Control characters, halves of surrogate pairs, line and paragraph separators.
_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
# Devices of Windows, with any suffix.
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def file_names(names: Iterable[str]) -> dict[str, str]:
    """Return a file name for each of `names`, without a suffix; no two are equal, in any case.

    Letters of all scripts are kept, in composed form (NFC). What a file system may refuse becomes ``_``.
    Names that are too long are cut and end in a digest, as do names that would otherwise be equal.
    """
    safe = {name: _safe(name) for name in names}
    wanted = Counter(one.casefold() for one in safe.values())
    return {
        name: f"{_cut(one)}-{_digest(name)}" if wanted[one.casefold()] > 1 or one != _cut(one) else one
        for name, one in safe.items()
    }


def _safe(name: str) -> str:
    composed = unicodedata.normalize("NFC", name)
    kept = "".join(
        "_" if letter in _FORBIDDEN or unicodedata.category(letter) in _CATEGORIES else letter
        for letter in composed
    )
    # Hidden files, options of commands, and what Windows drops from the end of a name.
    kept = re.sub(r"^[\s.-]|[\s.]$", "_", kept)
    return f"_{kept}" if not kept or _DEVICE.fullmatch(kept) else kept


def _cut(name: str) -> str:
    """Return the beginning of a name, at most `MAX_BYTES` long in UTF-8."""
    return name.encode()[:MAX_BYTES].decode(errors="ignore")


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]
