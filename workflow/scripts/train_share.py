"""Train one model on a share of the training tracks, and predict the test tracks."""

from __future__ import annotations

from genredag.audits.learning_curves.shares import count_training, with_share
from genredag.bundles.parts import needs_keras
from genredag.errors import exits_cleanly
from genredag.evaluation.predictions import track_predictions
from genredag.frames.split_slices import open_split_slices
from genredag.params.groups.evaluation import Evaluate
from genredag.params.groups.models import Train, read_recipe
from genredag.params.groups.reading import read_group
from genredag.prediction.held_out import predict_split
from genredag.runtime.backend import configure_backend, limit_threads
from genredag.runtime.files import write_parquet
from genredag.runtime.flags import flag_parser
from genredag.runtime.logs import configure_logging
from genredag.training.checkpoint import remove_checkpoints
from genredag.training.train import train_bundle


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    parser = flag_parser(
        __doc__,
        names="dataset representation model split-name",
        numbers="fold seed",
        paths="params frames slices split predictions",
    )
    parser.add_argument("--share", type=float, required=True)
    args = parser.parse_args(argv)
    configure_logging()
    recipe, train = read_recipe(args.params, args.model), read_group(args.params, "train", Train)
    (configure_backend if needs_keras(recipe.model_dump()) else limit_threads)(train.threads)
    data = open_split_slices(args.frames, args.slices, args.split)
    data = data.with_split(with_share(data.split, args.share, args.seed))
    # Not declared to Snakemake, as in train.py: it resumes a killed training.
    checkpoint = args.predictions.with_name(f".{args.predictions.name}.checkpoint")
    bundle, *_ = train_bundle(args.model, recipe, train, data, seed=args.seed, checkpoint=checkpoint)
    decision = read_group(args.params, "evaluate", Evaluate).track_decision
    tracks = track_predictions(predict_split(bundle, data), decision).query("part == 'test'")
    choice = {"dataset": args.dataset, "representation": args.representation, "model": args.model}
    choice |= {"split": args.split_name, "fold": args.fold, "seed": args.seed, "share": args.share}
    write_parquet(args.predictions, tracks.assign(**choice, n_training=count_training(data.split)))
    remove_checkpoints(checkpoint)


if __name__ == "__main__":
    main()
