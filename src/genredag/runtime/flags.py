"""The command-line flags of the scripts."""

from __future__ import annotations

import argparse
from pathlib import Path


def flag_parser(
    doc: str | None, *, paths: str = "", names: str = "", numbers: str = ""
) -> argparse.ArgumentParser:
    """Return a parser of required flags with one value each.

    Scripts add optional and repeated flags themselves.

    Parameters
    ----------
    doc
        The script's docstring, for ``--help``.
    paths, names, numbers
        Flags that take a path, a string and an integer, separated by spaces, without leading dashes.
    """
    parser = argparse.ArgumentParser(description=doc)
    for flags, kind in ((paths, Path), (names, str), (numbers, int)):
        for flag in flags.split():
            parser.add_argument(f"--{flag}", type=kind, required=True)
    return parser
