"""The command line: `genredag --help`."""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer

from genredag.cli import bundles, frames, pipeline, songs

app = typer.Typer(
    help="Music genre recognition, from download to report; `snakemake` and `dvc exp run` run the pipeline.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"genredag {version('genredag')}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # of a terminal that may lack some letters
            stream.reconfigure(errors="replace")


for commands in (pipeline, bundles, frames, songs):
    app.add_typer(commands.app)
