"""Deal the tracks to training, validation and test, and check that nothing leaks."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from genredag.atomic import write_parquet
from genredag.errors import exits_cleanly
from genredag.logs import configure_logging
from genredag.params import load_params
from genredag.split import check_split, split_slices


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--split-name", required=True, help="a key of `splits`")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--slices", type=Path, required=True)
    parser.add_argument("--split", type=Path, required=True)
    args = parser.parse_args(argv)
    configure_logging()
    protocol = load_params(args.params).entry("splits", args.split_name)
    manifest = pd.read_parquet(args.manifest)
    split = split_slices(manifest, pd.read_parquet(args.slices), protocol, args.seed)
    check_split(split, manifest, protocol)
    write_parquet(args.split, split)


if __name__ == "__main__":
    main()
