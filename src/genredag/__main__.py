"""``python -m genredag``: the same as the command ``genredag``."""

from genredag.cli import app

if __name__ == "__main__":  # not in the processes that it starts, which import this module
    app()
