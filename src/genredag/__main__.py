"""``python -m genredag``: the same as the command ``genredag``."""

from genredag.cli import app

app()
