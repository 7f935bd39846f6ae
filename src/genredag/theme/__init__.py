"""The look of every page, the report's and the app's: ``theme.css``."""

from __future__ import annotations

from pathlib import Path

STYLE = Path(__file__).with_name("theme.css")
