"""Train one model on the training slices, stopping early on the validation slices."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

from genredag.atomic import write_csv, write_json
from genredag.backend import configure_backend
from genredag.bundle import save_bundle
from genredag.errors import exits_cleanly
from genredag.frames import open_frames
from genredag.leaky import mark, marked
from genredag.logs import configure_logging
from genredag.params import load_params
from genredag.recipes import Hybrid
from genredag.training import train_bundle


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
    params = load_params(args.params)
    recipe = params.entry("models", args.model)
    configure_backend(params.train.threads)
    split = pd.read_parquet(args.split)
    # No runner knows of this file and of those beside it, so that none removes them when a job fails.
    checkpoint = args.bundle.with_name(f".{args.bundle.name}.checkpoint")
    bundle, history, timing = train_bundle(
        args.model,
        recipe,
        params.train,
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
