"""Training: from slices to a bundle, the same bytes for the same seed, machine and number of threads."""

from __future__ import annotations

import dataclasses
import resource
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from genredag.architecture import layers
from genredag.batches import SliceSet, slice_set, summarise
from genredag.bundle import Bundle
from genredag.checkpoint import Checkpoint, fingerprint
from genredag.errors import ModelError
from genredag.estimator_training import fit_estimator
from genredag.models.registry import features_seen
from genredag.network_training import fit_network
from genredag.params import Train
from genredag.provenance import read_code_hash, read_commit, read_versions
from genredag.recipes import Estimator, Network

if TYPE_CHECKING:
    from genredag.frames import Frames


def train_bundle(
    model: str,
    recipe: Network | Estimator,
    params: Train,
    *,
    frames: Frames,
    slices: pd.DataFrame,
    slice_spec: Mapping[str, Any],
    split: pd.DataFrame,
    seed: int,
    checkpoint: Path | None = None,
) -> tuple[Bundle, pd.DataFrame, dict[str, float]]:
    """Train `model` on the slices whose part is "train", watched on those whose part is "validation".

    Parameters
    ----------
    slices, slice_spec
        ``slices.parquet`` and ``slices.json``.
    split
        Rows in the order of `slices`.
    checkpoint
        A file for the state after every epoch. A network whose training was killed goes on from it, to the
        same bundle and history; the state of another training is replaced.

    Returns
    -------
    tuple
        The bundle, the history (one row an epoch) and what it cost: seconds,
        slices_per_second, peak_memory_mb.

    Raises
    ------
    ParameterError
        The recipe doesn't fit the model.
    ModelError
        There is nothing to train on, the model can't take these slices, or it diverges.
    """
    seen = features_seen(model, recipe)
    class_names = sorted(split["genre"].unique())
    parts = _parts(model, frames, slices, slice_spec["n_frames"], split, class_names)
    inputs: dict[str, Any] = {name: summarise(part, seen) if seen else part for name, part in parts.items()}
    inputs |= {"n_classes": len(class_names), "seed": seed}
    options: dict[str, Any] = recipe.options
    started = time.perf_counter()
    if isinstance(recipe, Network):
        identity = [model, recipe.model_dump(), params.model_dump(), seed, class_names]
        kept = _checkpoint(checkpoint, identity, frames, parts) if checkpoint else None
        fitted, history, seconds = fit_network(model, recipe, params, **inputs, checkpoint=kept)
    else:
        fitted, history, options = fit_estimator(model, recipe, **inputs)
        seconds = time.perf_counter() - started
    info = {
        "class_names": class_names,
        "model": model,
        "frames": dataclasses.asdict(frames.spec),
        "slices": {key: slice_spec[key] for key in ("seconds", "overlap", "n_frames")},
        "train": params.model_dump(),
        "recipe": recipe.model_dump(),
        "options": options,
        "features": seen,
        "n_parameters": fitted.count_params() if recipe.kind == "network" else None,
        "layers": layers(fitted),
        "seed": seed,
        "versions": read_versions(),
        "commit": read_commit(),
    }
    return Bundle(info, fitted), history, _timing(seconds, len(parts["training"]) * len(history))


def _parts(
    model: str,
    frames: Frames,
    slices: pd.DataFrame,
    n_frames: int,
    split: pd.DataFrame,
    class_names: list[str],
) -> dict[str, SliceSet]:
    parts = {}
    for name, part in (("training", "train"), ("validation", "validation")):
        rows = (split["part"] == part).to_numpy()
        if not rows.any():
            raise ModelError(f"no {part} slices", where=f"models.{model}", hint="look into split.parquet")
        parts[name] = slice_set(frames, slices[rows], n_frames, split.loc[rows, "genre"], class_names)
    return parts


def _checkpoint(path: Path, identity: list[Any], frames: Frames, parts: dict[str, SliceSet]) -> Checkpoint:
    """Return the checkpoint of a training, named by all that determines it: values, data and code."""
    values = [identity, dataclasses.asdict(frames.spec), read_versions(), read_code_hash()]
    rows = [a for part in parts.values() for a in (part.first_frame, part.n_valid, part.labels)]
    return Checkpoint(path, fingerprint(values, [frames.array, *rows]))


def _timing(seconds: float, n_slices: int) -> dict[str, float]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    timing = {
        "seconds": seconds,
        "slices_per_second": n_slices / seconds,
        "peak_memory_mb": peak / 2**20 if sys.platform == "darwin" else peak / 2**10,
    }
    return {key: round(value, 3) for key, value in timing.items()}
