"""A run: the files that training and evaluating one model left in its folder."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from genredag.errors import DataError
from genredag.evaluation.predictions import class_names

# What the runs of one leaderboard entry share, and what they may differ in.
POOLED = ("dataset", "representation", "model", "split")
CHOICE = (*POOLED, "fold", "seed")


@dataclass(frozen=True)
class Run:
    """One model, trained and evaluated once.

    Parameters
    ----------
    metrics
        ``metrics.json``; its values of `CHOICE` say which run this is.
    history
        One row an epoch: epoch, loss, accuracy, val_loss, val_accuracy, learning_rate.
    timing
        ``seconds``, ``slices_per_second`` and ``peak_memory_mb`` of the training.
    predictions
        One row a validation or test slice: ``predictions.parquet``.
    layers
        The architecture as the bundle records it: see `genredag.models.layer_table.layers`.
    """

    metrics: dict[str, Any]
    history: pd.DataFrame
    timing: dict[str, float]
    predictions: pd.DataFrame
    layers: list[dict[str, object]] = field(default_factory=list)

    @property
    def choice(self) -> dict[str, str | int]:
        """Which data set, representation, model, split, fold and seed this is."""
        return {key: self.metrics[key] for key in CHOICE}

    @property
    def pooled_choice(self) -> dict[str, str]:
        """The choice that runs of one leaderboard entry share: all but fold and seed."""
        return {key: self.metrics[key] for key in POOLED}

    @property
    def anchor(self) -> str:
        """An identifier that no other run of a report has."""
        return "-".join(["run", *map(str, self.choice.values())])

    @property
    def genres(self) -> list[str]:
        """The classes, in the model's order."""
        return class_names(self.predictions)


def read_run(directory: Path) -> Run:
    """Read the files of a run's folder.

    Raises
    ------
    DataError
        A file is damaged or holds something else.
    """
    directory = Path(directory)
    metrics = _read_json(directory / "metrics.json")
    run = Run(
        metrics=metrics,
        history=pd.read_csv(directory / "history.csv"),
        timing=_read_json(directory / "timing.json"),
        predictions=pd.read_parquet(directory / "predictions.parquet"),
        layers=_read_layers(directory / "bundle.zip"),
    )
    missing = {*CHOICE, "n_parameters", "n_tracks"} - metrics.keys()
    if missing:
        where = str(directory / "metrics.json")
        raise DataError(f"lacks {', '.join(sorted(missing))}", where=where, hint="rerun the evaluate stage")
    return run


def _read_layers(path: Path) -> list[dict[str, object]]:
    """Read the architecture from a bundle, without loading its model."""
    try:
        with zipfile.ZipFile(path) as archive:
            return json.loads(archive.read("bundle.json"))["layers"]
    except (zipfile.BadZipFile, KeyError, json.JSONDecodeError) as error:
        raise DataError(f"not a bundle: {error}", where=str(path), hint="rerun the train stage") from None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise DataError(f"not JSON: {error}", where=str(path), hint="rerun the stage that made it") from None
