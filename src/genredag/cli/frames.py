"""Commands for precomputed frames, for collections whose audio may not be shared."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import Annotated

import typer

from genredag.errors import exits_cleanly

app = typer.Typer()


@app.command(
    "fit",
    epilog="Example: `genredag fit --model best --frames mel_train.npz --validation mel_valid.npz "
    "--tracks tracks.csv --out best.zip`",
)
@exits_cleanly
def fit_command(
    model: Annotated[str, typer.Option(metavar="MODEL", help="A model of params.yaml, such as `best`.")],
    frames: Annotated[
        Path, typer.Option(metavar="FILE.npz", help="Training tracks: track_id and an array of frames.")
    ],
    tracks: Annotated[Path, typer.Option(metavar="FILE.csv", help="Their genres: track_id,genre[,artist].")],
    out: Annotated[Path, typer.Option(metavar="BUNDLE", help="The model.zip to write.")],
    validation: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.npz",
            help="Validation tracks, for early stopping and calibration. Default: 15 % of the training"
            " tracks, by whole artists; then models without Keras, such as `best`, are fitted again on"
            " all tracks.",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="Seed of the training and of the split.")
    ] = 42,
    slice_seconds: Annotated[
        float | None,
        typer.Option(
            min=1,
            help="Cut tracks into slices of this length, with 50 % overlap. Default: whole tracks for models"
            " on `textures` and `patches`, such as `best`; 10 for others.",
        ),
    ] = None,
) -> None:
    """Train a model on precomputed frames (docs/best.md).

    Recipes come from `params.yaml` in the current folder, or else from the one shipped with genredag.
    """
    from genredag.prediction.fitting_frames import fit_frames, read_settings
    from genredag.project.catalogue_listing import params_file
    from genredag.runtime.logs import configure_logging

    configure_logging()
    settings = read_settings(params_file(), model)
    accuracy, n_tracks = fit_frames(
        model, settings, frames, validation, tracks, out, seed=seed, slice_seconds=slice_seconds
    )
    tracks_seen = "validation tracks" if validation else "tracks that were set aside"
    share = accuracy.percent()
    bounds = "" if isnan(share.low) else f" (95 % interval {share.low:.1f} % to {share.high:.1f} %)"
    print(f"written: {out}; right for {share.estimate:.1f} % of the {n_tracks} {tracks_seen}{bounds}")


@app.command(
    "predict-frames",
    epilog="Example: `genredag predict-frames mel_test.npz --model best.zip --out predictions.csv`",
)
@exits_cleanly
def predict_frames_command(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.npz", help="Tracks: track_id and an array of frames.")
    ],
    model: Annotated[Path, typer.Option(metavar="BUNDLE", help="A model that was trained on such frames.")],
    out: Annotated[
        Path, typer.Option(metavar="FILE.csv", help="Write track_id and a column per genre here.")
    ],
) -> None:
    """Predict tracks from precomputed frames: a CSV with a row per track and a column per genre."""
    from genredag.bundles.parts import ONNX_SUFFIX, is_network
    from genredag.prediction.predicting_frames import predict_frames
    from genredag.runtime.backend import configure_backend
    from genredag.runtime.logs import configure_logging

    configure_logging()
    if model.suffix.lower() != ONNX_SUFFIX and is_network(model):
        configure_backend(threads=1)
    table = predict_frames(file, model, out)
    print(f"written: {out}; {len(table)} tracks")
