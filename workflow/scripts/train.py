"""Train one model on the training slices, stopping early on the validation slices."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

from genredag.bundles.bundle import save_bundle
from genredag.errors import exits_cleanly
from genredag.frames.store import open_frames
from genredag.params.groups.models import Hybrid, Train, read_recipe
from genredag.params.groups.reading import read_group
from genredag.runtime.backend import configure_backend
from genredag.runtime.files import write_csv, write_json
from genredag.runtime.logs import configure_logging
from genredag.splits.leakage import mark, marked
from genredag.training.train import train_bundle


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--model", required=True, help="a key of `models`")
    parser.add_argument("--seed", type=int, required=True)
    for name in ("--frames", "--slices", "--split", "--embeddings", "--bundle", "--history", "--timing"):
        parser.add_argument(name, type=Path, required=True)
    args = parser.parse_args(argv)
    configure_logging()
    recipe = read_recipe(args.params, args.model)
    train = read_group(args.params, "train", Train)
    configure_backend(train.threads)
    split = pd.read_parquet(args.split)
    # No runner knows of this file and of those beside it, so that none removes them when a job fails.
    checkpoint = args.bundle.with_name(f".{args.bundle.name}.checkpoint")
    bundle, history, timing = train_bundle(
        args.model,
        recipe,
        train,
        frames=open_frames(args.frames.parent),
        slices=pd.read_parquet(args.slices),
        slice_spec=json.loads(args.slices.with_suffix(".json").read_text(encoding="utf-8")),
        split=split,
        embeddings=np.load(args.embeddings, mmap_mode="r"),
        seed=args.seed,
        checkpoint=checkpoint,
    )
    save_bundle(args.bundle, bundle)
    write_csv(args.history, marked(history, split))
    write_json(args.timing, timing | mark(split))
    if not isinstance(recipe, Hybrid):  # whose network another classifier goes on from
        for file in checkpoint.parent.glob(f"*{checkpoint.name}"):
            file.unlink()


if __name__ == "__main__":
    main()
