"""Compute the frozen part of a network once for every training and validation slice."""

from __future__ import annotations

import numpy as np

from genredag.errors import exits_cleanly
from genredag.params.groups.models import Train, read_recipe
from genredag.params.groups.reading import read_group
from genredag.runtime.files import write_npy
from genredag.runtime.flags import flag_parser
from genredag.runtime.logs import configure_logging


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    args = flag_parser(
        __doc__, names="model", numbers="seed", paths="params frames slices split embeddings"
    ).parse_args(argv)
    configure_logging()
    backbone = read_recipe(args.params, args.model).backbone
    if backbone is None or not backbone.has_embedding:
        return write_npy(args.embeddings, np.empty((0, 0), np.float32))
    # Imported late: most models have no frozen part, and these modules take seconds to load.
    from genredag.frames.split_slices import open_split_slices
    from genredag.runtime.backend import configure_backend
    from genredag.training.embedding import write_embeddings

    train = read_group(args.params, "train", Train)
    configure_backend(train.threads)
    write_embeddings(
        args.embeddings,
        backbone,
        train,
        open_split_slices(args.frames, args.slices, args.split),
        seed=args.seed,
    )


if __name__ == "__main__":
    main()
