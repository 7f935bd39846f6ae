"""Predict the validation and test slices; score slices and whole tracks."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from genredag.atomic import write_csv, write_json, write_parquet
from genredag.backend import configure_backend
from genredag.bundle import load_bundle
from genredag.errors import exits_cleanly
from genredag.evaluation.metrics import confusion, evaluate_predictions
from genredag.evaluation.plots import confusion_figure, learning_curves_figure, save_figure
from genredag.evaluation.predictions import predict_split
from genredag.frames import open_frames
from genredag.logs import configure_logging
from genredag.params import load_params


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--fold", "--seed"):
        parser.add_argument(name, type=int, required=True)
    for name in ("--dataset", "--representation", "--model", "--split-name"):
        parser.add_argument(name, required=True)
    for name in ("--params", "--frames", "--slices", "--split", "--bundle", "--history"):
        parser.add_argument(name, type=Path, required=True)
    for name in ("--predictions", "--metrics", "--confusion", "--confusion-matrix", "--learning-curves"):
        parser.add_argument(name, type=Path, required=True)
    args = parser.parse_args(argv)
    configure_logging()
    configure_backend(threads=1)
    decision = load_params(args.params).evaluate.track_decision
    bundle, split = load_bundle(args.bundle), pd.read_parquet(args.split)
    predictions = predict_split(bundle, open_frames(args.frames.parent), pd.read_parquet(args.slices), split)
    choice = {"dataset": args.dataset, "representation": args.representation, "model": args.model}
    choice |= {"split": args.split_name, "fold": args.fold, "seed": args.seed}
    choice |= {"n_parameters": bundle.info["n_parameters"]}
    warning = split.attrs.get("warning", "")
    choice |= {"leaky": True, "warning": warning} if warning else {}
    predictions.attrs = split.attrs
    write_parquet(args.predictions, predictions)
    write_json(args.metrics, choice | evaluate_predictions(predictions, decision))
    tracks = confusion(predictions, decision)
    write_csv(args.confusion, tracks)
    save_figure(args.confusion_matrix, confusion_figure(tracks, bundle.class_names), warning)
    save_figure(args.learning_curves, learning_curves_figure(pd.read_csv(args.history)), warning)


if __name__ == "__main__":
    main()
