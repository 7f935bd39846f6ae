"""Predict the validation and test slices; score slices and whole tracks."""

from __future__ import annotations

import pandas as pd

from genredag.bundles.bundle import read_bundle
from genredag.bundles.parts import is_network
from genredag.errors import exits_cleanly
from genredag.evaluation.metrics import evaluate_predictions, tables_of_test, training_scores
from genredag.evaluation.plots import run_figures, save_figure
from genredag.evaluation.predictions import track_predictions
from genredag.frames.split_slices import open_split_slices
from genredag.params.groups.evaluation import Evaluate, Report
from genredag.params.groups.reading import read_group
from genredag.params.groups.splits import read_split
from genredag.prediction.held_out import predict_split
from genredag.prediction.learned import learned_tracks
from genredag.prediction.model_file import Run, describe, write_model
from genredag.runtime.backend import configure_backend, limit_threads
from genredag.runtime.files import write_csv, write_json, write_parquet
from genredag.runtime.flags import flag_parser
from genredag.runtime.logs import configure_logging
from genredag.splits.leakage import mark, marked


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    args = flag_parser(
        __doc__,
        names="dataset representation model split-name",
        numbers="fold seed",
        paths="params manifest frames slices split bundle history predictions track-predictions metrics"
        " confusion per-genre roc reliability"
        " confusion-matrix learning-curves roc-curves reliability-diagram model-file",
    ).parse_args(argv)
    configure_logging()
    if is_network(args.bundle):
        configure_backend(threads=1)
    else:
        limit_threads(1)
    decision = read_group(args.params, "evaluate", Evaluate).track_decision
    data = open_split_slices(args.frames, args.slices, args.split)
    bundle, split = read_bundle(args.bundle), data.split
    predictions = predict_split(bundle, data)
    choice = {"dataset": args.dataset, "representation": args.representation, "model": args.model}
    choice |= {"split": args.split_name, "fold": args.fold, "seed": args.seed}
    choice |= {"n_parameters": bundle.info["n_parameters"]}
    history = pd.read_csv(args.history)
    metrics = choice | training_scores(history) | evaluate_predictions(predictions, split, decision)
    tracks = track_predictions(predictions, decision)
    predictions.attrs = tracks.attrs = mark(split)
    write_parquet(args.predictions, predictions)
    write_parquet(args.track_predictions, tracks)
    write_json(args.metrics, metrics)
    tables = tables_of_test(predictions, decision)
    for name, table in tables.items():
        write_csv(getattr(args, name), marked(table, split))
    for name, figure in run_figures(tables, history, bundle.class_names).items():
        save_figure(getattr(args, name), figure, metrics.get("warning", ""))
    protocol = read_split(args.params, args.split_name)
    manifest = pd.read_parquet(args.manifest)
    run = Run(args.dataset, args.split_name, args.fold, protocol, decision, manifest.attrs, data)
    n_resamples = read_group(args.params, "report", Report).n_resamples
    card, calibration = describe(bundle.info, run, tracks, n_resamples)
    write_model(args.model_file, args.bundle, card, calibration, learned_tracks(manifest, split))


if __name__ == "__main__":
    main()
