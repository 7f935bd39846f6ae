"""Predict the test tracks of one split by one trained model: as they are, and deformed in every way."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from genredag.atomic import write_parquet
from genredag.backend import configure_backend
from genredag.bundle import load_bundle
from genredag.cache import default_cache_dir
from genredag.errors import exits_cleanly
from genredag.frames import open_frames
from genredag.logs import configure_logging
from genredag.params import load_params
from genredag.robustness.deformations import all_deformations
from genredag.robustness.predicting import predict_deformed


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--dataset", "--representation", "--model", "--split-name"):
        parser.add_argument(name, required=True)
    for name in ("--fold", "--seed"):
        parser.add_argument(name, type=int, required=True)
    for name in ("--params", "--manifest", "--frames", "--slices", "--split", "--bundle", "--predictions"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args(argv)
    configure_logging()
    configure_backend(threads=1)
    predictions = predict_deformed(
        load_bundle(args.bundle),
        open_frames(args.frames.parent),
        pd.read_parquet(args.slices),
        pd.read_parquet(args.split),
        pd.read_parquet(args.manifest),
        all_deformations(load_params(args.params).robustness.deformations),
        cache_dir=default_cache_dir(),
        n_jobs=args.jobs,
    )
    choice = {"dataset": args.dataset, "representation": args.representation, "model": args.model}
    choice |= {"split": args.split_name, "fold": args.fold, "seed": args.seed}
    write_parquet(args.predictions, predictions.assign(**choice))


if __name__ == "__main__":
    main()
