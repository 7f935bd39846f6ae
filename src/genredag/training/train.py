"""Training: from slices to a bundle, the same bytes for the same seed, machine and number of threads."""

from __future__ import annotations

import dataclasses
import logging
import resource
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from genredag.bundles.bundle import Bundle
from genredag.errors import ModelError
from genredag.frames.batches import SliceSet, slice_set, summarise
from genredag.frames.features import choose
from genredag.models.layer_table import layers
from genredag.models.registry import check_classifier, features_seen, learner, learners
from genredag.params.groups.models import Estimator, Hybrid, Recipe, Train
from genredag.runtime.closure import code_fingerprint, import_closure, source_dir, unused_imports
from genredag.runtime.provenance import read_commit, read_versions
from genredag.splits.leakage import mark
from genredag.training.checkpoint import Checkpoint, fingerprint
from genredag.training.embedding import NOTHING, embedded
from genredag.training.estimators import check_parts, fit_estimator
from genredag.training.networks import HISTORY_COLUMNS, Cost, feature_slices, fit_network

if TYPE_CHECKING:
    from genredag.frames.store import Frames

logger = logging.getLogger(__name__)


def train_bundle(
    model: str,
    recipe: Recipe,
    params: Train,
    *,
    frames: Frames,
    slices: pd.DataFrame,
    slice_spec: Mapping[str, Any],
    split: pd.DataFrame,
    seed: int,
    embeddings: np.ndarray = NOTHING,
    checkpoint: Path | None = None,
) -> tuple[Bundle, pd.DataFrame, dict[str, float]]:
    """Train `model` on the slices whose part is "train", watched on those whose part is "validation".

    Parameters
    ----------
    slices, slice_spec
        ``slices.parquet`` and ``slices.json``.
    split
        Rows in the order of `slices`.
    embeddings
        What `genredag.training.embedding.write_embeddings` wrote for this recipe, data and seed; no row:
        the frozen part of a network is computed in every epoch.
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
    sets = features_seen(model, recipe)
    seen = choose(sets, frames.spec.bins) if sets else None
    class_names = sorted(split.loc[split["part"].notna(), "genre"].unique())
    parts = _parts(model, frames, slices, slice_spec["n_frames"], split, class_names)
    identity = [model, _network_recipe(recipe), _weights_hash(recipe), params.model_dump(), seed, class_names]
    identity += [_versions(recipe), len(embeddings)]
    kept = _checkpoint(checkpoint, identity, training_code(model), frames, parts) if checkpoint else None
    once = embedded(embeddings, split, parts)
    inputs = {name: summarise(part, seen) if seen else part for name, part in parts.items()}
    fitted, histories, options, timing = _fit(
        model, recipe, params, inputs, {"n_classes": len(class_names), "seed": seed}, kept, once
    )
    info = {
        "class_names": class_names,
        "model": model,
        "frames": dataclasses.asdict(frames.spec),
        "slices": {key: slice_spec[key] for key in ("seconds", "overlap", "n_frames")},
        "train": params.model_dump(),
        "recipe": recipe.model_dump(),
        "options": options,
        "metrics": _metrics(histories[-1]),
        "features": seen,
        "n_parameters": None if recipe.kind == "estimator" else fitted[0].count_params(),
        "layers": [row for part in fitted for row in layers(part)],
        "seed": seed,
        "versions": _versions(recipe),
        "commit": read_commit(),
    }
    info |= mark(split)
    if "warning" in info:
        logger.warning(info["warning"])
    return Bundle(info, *fitted), histories[0], timing


def _fit(
    model: str,
    recipe: Recipe,
    params: Train,
    parts: dict[str, SliceSet],
    sizes: dict[str, int],
    checkpoint: Checkpoint | None,
    once: dict[str, SliceSet] | None,
) -> tuple[tuple[Any, ...], list[pd.DataFrame], dict[str, Any], dict[str, float]]:
    """Return what a bundle holds, the history of each, the options chosen, and what it cost."""
    data: dict[str, Any] = {"training": parts["train"], "validation": parts["validation"], **sizes}
    started = time.perf_counter()
    if isinstance(recipe, Estimator):
        build = learner(model).build
        fitted, history, chosen = fit_estimator(model, build, recipe.options, recipe.folds, **data)
        cost = Cost(time.perf_counter() - started, len(parts["train"]))
        return (fitted,), [history], chosen, _timing(cost)
    if isinstance(recipe, Hybrid):  # now, not after the network is trained
        check_parts(model, recipe.classifier, recipe.folds, parts, sizes["n_classes"])
    network, history, cost = fit_network(model, recipe, params, **data, checkpoint=checkpoint, embedded=once)
    if not isinstance(recipe, Hybrid):
        return (network,), [history], recipe.options, _timing(cost)
    started = time.perf_counter()
    network, seen = feature_slices(network, parts, once)
    data |= {"training": seen["train"], "validation": seen["validation"]}
    build = check_classifier(model, recipe.classifier)
    classifier, last, chosen = fit_estimator(model, build, recipe.classifier, recipe.folds, **data)
    timing = _timing(cost, time.perf_counter() - started)
    return (network, classifier), [history, last], recipe.options | chosen, timing


def _metrics(history: pd.DataFrame) -> dict[str, float]:
    """Return number, losses and accuracies of the epoch that was kept: the first of least validation loss."""
    row = history.iloc[int(np.argmin(history["val_loss"]))]
    return {"epoch": int(row["epoch"])} | {key: float(row[key]) for key in HISTORY_COLUMNS[1:5]}


def _versions(recipe: Recipe) -> dict[str, str]:
    """Return what a result depends on beside its code: versions, and the backend of a network."""
    if isinstance(recipe, Estimator):
        return read_versions()
    import keras

    return read_versions() | {"backend": keras.backend.backend()}


def _parts(
    model: str,
    frames: Frames,
    slices: pd.DataFrame,
    n_frames: int,
    split: pd.DataFrame,
    class_names: list[str],
) -> dict[str, SliceSet]:
    parts = {}
    for part in ("train", "validation"):
        rows = (split["part"] == part).to_numpy()
        if not rows.any():
            raise ModelError(f"no {part} slices", where=f"models.{model}", hint="look into split.parquet")
        parts[part] = slice_set(frames, slices[rows], n_frames, split.loc[rows, "genre"], class_names)
    return parts


def _checkpoint(
    path: Path, identity: list[Any], code: str, frames: Frames, parts: dict[str, SliceSet]
) -> Checkpoint:
    """Return the checkpoint of a training, named by all that determines it: values, data and code."""
    values = [identity, dataclasses.asdict(frames.spec), code]
    rows = [a for part in parts.values() for a in (part.first_frame, part.n_valid, part.labels)]
    return Checkpoint(path, fingerprint(values, [frames.array, *rows]))


def training_code(model: str) -> str:
    """Return a fingerprint of the code that trains `model`: its own family's module, and the shared ones."""
    root, own, families = source_dir(), learner(model).module, {found.module for found in learners().values()}
    unused = unused_imports("genredag.models.registry", families, own, root)
    return code_fingerprint([Path(__file__), *import_closure(Path(__file__), root, unused)], root)


def _network_recipe(recipe: Recipe) -> dict[str, Any]:
    """Return what of a recipe trains its network: another classifier goes on from the same state."""
    return recipe.model_dump(exclude={"classifier", "folds"} if isinstance(recipe, Hybrid) else None)


def _weights_hash(recipe: Recipe) -> str | None:
    """Return the SHA-256 of the user's own file of weights that training starts from, None without one."""
    path = recipe.backbone and recipe.backbone.weights_path
    return fingerprint([], [np.fromfile(path, np.uint8)]) if path and path.is_file() else None


def _timing(cost: Cost, more_seconds: float = 0.0) -> dict[str, float]:
    """Return what training cost; its rate is of the epochs alone, without `more_seconds` of a classifier."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    timing = {
        "seconds": cost.seconds + more_seconds,
        "slices_per_second": cost.n_slices / cost.seconds,
        "peak_memory_mb": peak / 2**20 if sys.platform == "darwin" else peak / 2**10,
    }
    return {key: round(value, 3) for key, value in timing.items()}
