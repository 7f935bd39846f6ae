"""Deal the tracks to training, validation and test, check that nothing leaks, and tell what is too alike."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from genredag.atomic import write_csv, write_parquet
from genredag.errors import exits_cleanly
from genredag.frames import open_frames
from genredag.leaky import marked
from genredag.logs import configure_logging
from genredag.near_duplicates import near_duplicates
from genredag.params import load_params
from genredag.split import check_split, split_slices


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--split-name", required=True, help="a key of `splits`")
    parser.add_argument("--fold", type=int, required=True, help="which fold tests; 0 without folds")
    parser.add_argument("--seed", type=int, required=True)
    for name in ("--manifest", "--frames", "--slices", "--split", "--near-duplicates"):
        parser.add_argument(name, type=Path, required=True)
    args = parser.parse_args(argv)
    configure_logging()
    params, manifest = load_params(args.params), pd.read_parquet(args.manifest)
    protocol = params.entry("splits", args.split_name)
    split = split_slices(manifest, pd.read_parquet(args.slices), protocol, args.seed, args.fold)
    check_split(split, manifest, protocol)
    alike = near_duplicates(split, open_frames(args.frames.parent), params.near_duplicates.correlation)
    write_parquet(args.split, split)
    write_csv(args.near_duplicates, marked(alike, split))


if __name__ == "__main__":
    main()
