"""The user's cache: verified downloads and synthetic audio, shared by checkouts and runners."""

from __future__ import annotations

from pathlib import Path


def default_cache_dir() -> Path:
    """Return ``$GENREDAG_CACHE`` or the platform's cache folder for genredag."""
    import os

    import platformdirs

    return Path(os.environ.get("GENREDAG_CACHE") or platformdirs.user_cache_path("genredag"))
