"""How the scripts log: plain lines on stderr."""

from __future__ import annotations

import logging
import sys


def configure_logging() -> None:
    """Send genredag's messages from INFO on, and everyone else's warnings, to stderr."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(message)s")
    logging.getLogger("genredag").setLevel(logging.INFO)
