"""Predict the test tracks of one split with one trained model, undeformed and with every deformation."""

from __future__ import annotations

import pandas as pd

from genredag.audits.robustness.deformations import all_deformations
from genredag.audits.robustness.predicting import predict_deformed
from genredag.bundles.bundle import read_bundle
from genredag.bundles.parts import is_network
from genredag.errors import exits_cleanly
from genredag.frames.split_slices import open_split_slices
from genredag.params.groups.audits import Deformations
from genredag.params.groups.reading import read_group
from genredag.runtime.backend import configure_backend, limit_threads
from genredag.runtime.cache import default_cache_dir
from genredag.runtime.files import write_parquet
from genredag.runtime.flags import flag_parser
from genredag.runtime.logs import configure_logging


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    parser = flag_parser(
        __doc__,
        names="dataset representation model split-name",
        numbers="fold seed",
        paths="params manifest frames slices split bundle predictions",
    )
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args(argv)
    configure_logging()
    if is_network(args.bundle):
        configure_backend(threads=1)
    else:
        limit_threads(1)
    predictions = predict_deformed(
        read_bundle(args.bundle),
        open_split_slices(args.frames, args.slices, args.split),
        pd.read_parquet(args.manifest),
        all_deformations(read_group(args.params, "robustness.deformations", Deformations)),
        cache_dir=default_cache_dir(),
        n_jobs=args.jobs,
    )
    choice = {"dataset": args.dataset, "representation": args.representation, "model": args.model}
    choice |= {"split": args.split_name, "fold": args.fold, "seed": args.seed}
    write_parquet(args.predictions, predictions.assign(**choice))


if __name__ == "__main__":
    main()
