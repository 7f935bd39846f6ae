"""Compute the frozen part of a network once for every training and validation slice."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from genredag.errors import exits_cleanly
from genredag.params.groups.models import Train, read_recipe
from genredag.params.groups.reading import read_group
from genredag.runtime.files import write_npy
from genredag.runtime.logs import configure_logging


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--model", required=True, help="a key of `models`")
    parser.add_argument("--seed", type=int, required=True)
    for name in ("--frames", "--slices", "--split", "--embeddings"):
        parser.add_argument(name, type=Path, required=True)
    args = parser.parse_args(argv)
    configure_logging()
    backbone = read_recipe(args.params, args.model).backbone
    if backbone is None or not backbone.has_embedding:
        return write_npy(args.embeddings, np.empty((0, 0), np.float32))
    # Only now: most models have nothing frozen, and these take seconds to load.
    import pandas as pd

    from genredag.frames.store import open_frames
    from genredag.runtime.backend import configure_backend
    from genredag.training.embedding import write_embeddings

    train = read_group(args.params, "train", Train)
    configure_backend(train.threads)
    write_embeddings(
        args.embeddings,
        backbone,
        train,
        frames=open_frames(args.frames.parent),
        slices=pd.read_parquet(args.slices),
        slice_spec=json.loads(args.slices.with_suffix(".json").read_text(encoding="utf-8")),
        split=pd.read_parquet(args.split),
        seed=args.seed,
    )


if __name__ == "__main__":
    main()
