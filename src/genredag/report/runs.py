"""A run: the files in a folder where a model was trained and evaluated."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from genredag.bundles.parts import require_part
from genredag.errors import DataError
from genredag.evaluation.predictions import class_names

# The runs of one leaderboard entry share the keys in POOLED; they may differ in fold and seed.
POOLED = ("dataset", "representation", "model", "split")
CHOICE = (*POOLED, "fold", "seed")


@dataclass(frozen=True)
class Run:
    """A model that was trained and evaluated once.

    Parameters
    ----------
    metrics
        ``metrics.json``; its keys in `CHOICE` identify the run.
    history
        One row per epoch: epoch, loss, accuracy, val_loss, val_accuracy, learning_rate.
    timing
        ``seconds``, ``slices_per_second`` and ``peak_memory_mb`` of training.
    predictions
        ``predictions.parquet``: one row per validation or test slice.
    layers
        The architecture as recorded in the bundle: see `genredag.models.layer_table.layers`.
    """

    metrics: dict[str, Any]
    history: pd.DataFrame
    timing: dict[str, float]
    predictions: pd.DataFrame
    layers: list[dict[str, object]] = field(default_factory=list)

    @property
    def choice(self) -> dict[str, str | int]:
        """The data set, representation, model, split, fold and seed of this run."""
        return {key: self.metrics[key] for key in CHOICE}

    @property
    def pooled_choice(self) -> dict[str, str]:
        """The keys that the runs of one leaderboard entry share: all of `choice` except fold and seed."""
        return {key: self.metrics[key] for key in POOLED}

    @property
    def anchor(self) -> str:
        """An identifier, unique within a report."""
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
        A file is damaged or is not what its name says.
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
    return require_part(path, "bundle.json", lambda text: json.loads(text)["layers"], "rerun the train stage")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise DataError(f"not JSON: {error}", where=str(path), hint="rerun the stage that made it") from None
