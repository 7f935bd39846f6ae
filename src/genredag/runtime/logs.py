"""Logging of the scripts: plain lines on stderr."""

from __future__ import annotations

import logging
import sys


def configure_logging() -> None:
    """Log genredag from INFO and all other packages from WARNING, to stderr."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(message)s")
    logging.getLogger("genredag").setLevel(logging.INFO)
