"""Render every usable track of a manifest once, into a frame store."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from genredag.cache import default_cache_dir
from genredag.errors import exits_cleanly
from genredag.logs import configure_logging
from genredag.params import load_params
from genredag.rendering import render


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--representation", required=True)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument(
        "--frames", type=Path, required=True, help="frames.npy; its index and spec go beside it"
    )
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args(argv)
    configure_logging()
    params = load_params(args.params)
    group = params.entry("representations", args.representation)
    manifest = pd.read_parquet(args.manifest)
    folders = {"cache_dir": default_cache_dir(), "out_dir": args.frames.parent}
    render(manifest, args.representation, group, params.spectrograms, n_jobs=args.jobs, **folders)


if __name__ == "__main__":
    main()
