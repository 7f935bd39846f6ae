"""Train one model on the training slices, stopping early on the validation slices."""

from __future__ import annotations

import numpy as np

from genredag.bundles.bundle import save_bundle
from genredag.bundles.parts import needs_keras
from genredag.errors import exits_cleanly
from genredag.frames.split_slices import open_split_slices
from genredag.params.groups.models import Hybrid, Train, read_recipe
from genredag.params.groups.reading import read_group
from genredag.runtime.backend import configure_backend, limit_threads
from genredag.runtime.files import write_csv, write_json
from genredag.runtime.flags import flag_parser
from genredag.runtime.logs import configure_logging
from genredag.splits.leakage import mark, marked
from genredag.training.checkpoint import remove_checkpoints
from genredag.training.train import train_bundle


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    args = flag_parser(
        __doc__,
        names="model",
        numbers="seed",
        paths="params frames slices split embeddings bundle history timing",
    ).parse_args(argv)
    configure_logging()
    recipe = read_recipe(args.params, args.model)
    train = read_group(args.params, "train", Train)
    if needs_keras(recipe.model_dump()):
        configure_backend(train.threads)
    else:  # Keras takes seconds to import
        limit_threads(train.threads)
    data = open_split_slices(args.frames, args.slices, args.split)
    # The checkpoint files are not declared to the runners, which would remove them when a job fails.
    checkpoint = args.bundle.with_name(f".{args.bundle.name}.checkpoint")
    bundle, history, timing = train_bundle(
        args.model,
        recipe,
        train,
        data,
        embeddings=np.load(args.embeddings, mmap_mode="r"),
        seed=args.seed,
        checkpoint=checkpoint,
    )
    save_bundle(args.bundle, bundle)
    write_csv(args.history, marked(history, data.split))
    write_json(args.timing, timing | mark(data.split))
    if not isinstance(recipe, Hybrid):  # whose trained network other classifiers reuse
        remove_checkpoints(checkpoint)


if __name__ == "__main__":
    main()
