"""Training: from slices to a bundle, with the same bytes for the same seed, machine and number of threads."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from genredag.bundles.bundle import Bundle
from genredag.bundles.ensemble import EnsembleBundle
from genredag.bundles.predictor import BundleInfo
from genredag.errors import ModelError
from genredag.frames.batches import SliceSet
from genredag.frames.features import choose
from genredag.models.layer_table import layers
from genredag.models.registry import features_seen, learner, learners
from genredag.params.groups.models import Ensemble, Estimator, Hybrid, Recipe, Train
from genredag.params.groups.splits import LEAKY
from genredag.runtime.backend import settled_precision
from genredag.runtime.closure import code_fingerprint, import_closure, source_dir, unused_imports
from genredag.runtime.provenance import read_commit, read_versions
from genredag.splits.leakage import is_leaky
from genredag.training.checkpoint import Checkpoint, fingerprint
from genredag.training.embedding import FITTED_PARTS, NOTHING, embedded
from genredag.training.ensembles import train_ensemble
from genredag.training.fitting import Fitted, Inputs, fit
from genredag.training.networks import HISTORY_COLUMNS

if TYPE_CHECKING:
    from genredag.frames.split_slices import SplitSlices

logger = logging.getLogger(__name__)


def train_bundle(
    model: str,
    recipe: Recipe,
    params: Train,
    data: SplitSlices,
    *,
    seed: int,
    embeddings: np.ndarray = NOTHING,
    checkpoint: Path | None = None,
) -> tuple[Bundle | EnsembleBundle, pd.DataFrame, dict[str, float]]:
    """Train `model` on the training slices; choose the epoch and calibrate on the validation slices.

    Parameters
    ----------
    embeddings
        What `genredag.training.embedding.write_embeddings` wrote for this recipe, data and seed. If it has no
        rows, the frozen part of a network is computed in every epoch.
    checkpoint
        A file for the state after every epoch. A killed training run of a network resumes from it and ends in
        the same bundle and history. The state of another run is replaced.

    Returns
    -------
    tuple
        The bundle, the history (one row per epoch) and the cost: seconds, slices_per_second, peak_memory_mb.

    Raises
    ------
    ParameterError
        The recipe doesn't match the model.
    ModelError
        There is nothing to train on, the model can't take these slices, or it diverges.
    """
    if isinstance(recipe, Ensemble):
        return _train_ensemble(model, recipe, params, data, seed, checkpoint)
    if not isinstance(recipe, Estimator):
        params = settled(params)
    sets = features_seen(model, recipe)
    feature_set = choose(sets, data.frames.spec.bins) if sets else None
    parts = _parts(model, data)
    inputs = Inputs(
        model,
        params,
        {name: data.features(feature_set, name) for name in parts} if feature_set else parts,
        embedded=embedded(embeddings, data, parts),
        n_classes=len(data.class_names),
        seed=seed,
    )
    kept = _checkpoint(checkpoint, recipe, inputs, data, len(embeddings)) if checkpoint else None
    fitted = fit(recipe, inputs, kept)
    info = _info(recipe, inputs, data, fitted, feature_set)
    if "warning" in info:
        logger.warning(info["warning"])
    return Bundle(info, fitted.model, fitted.classifier), fitted.history, fitted.timing


def settled(params: Train) -> Train:
    """Return `params` with the precision that ``auto`` means on this machine, as the bundle will say."""
    precision = settled_precision(params.precision)
    if precision != params.precision:
        logger.info("precision: %s, chosen for this machine", precision)
    return params.model_copy(update={"precision": precision})


def _train_ensemble(
    model: str, recipe: Ensemble, params: Train, data: SplitSlices, seed: int, checkpoint: Path | None
) -> tuple[EnsembleBundle, pd.DataFrame, dict[str, float]]:
    """Train the members as models of their own, each with its own checkpoint."""
    features_seen(model, recipe)

    def train_member(name: str, own: Recipe, seed: int, copy: int) -> tuple[Bundle, dict[str, float]]:
        file = checkpoint and checkpoint.with_name(f".{name}-{copy}{checkpoint.name}")
        bundle, _, timing = train_bundle(name, own, params, data, seed=seed, checkpoint=file)
        assert isinstance(bundle, Bundle)
        return bundle, timing

    return train_ensemble(model, recipe, data, seed, train_member)


def _info(
    recipe: Recipe, inputs: Inputs, data: SplitSlices, fitted: Fitted, features: str | None
) -> BundleInfo:
    """Return the contents of ``bundle.json``; see `genredag.bundles.bundle.Bundle`."""
    models = [fitted.model] if fitted.classifier is None else [fitted.model, fitted.classifier]
    info: BundleInfo = {
        "class_names": data.class_names,
        "model": inputs.model,
        "frames": dataclasses.asdict(data.frames.spec),
        "slices": dataclasses.asdict(data.spec),
        "train": inputs.params.model_dump(),
        "recipe": recipe.model_dump(),
        "options": fitted.options,
        "metrics": _metrics(fitted.last_history),
        "features": features,
        "n_parameters": None if isinstance(recipe, Estimator) else fitted.model.count_params(),
        "layers": [row for model in models for row in layers(model)],
        "seed": inputs.seed,
        "versions": _versions(recipe),
        "commit": read_commit(),
    }
    if is_leaky(data.split):
        info["warning"] = LEAKY
    return info


def _metrics(history: pd.DataFrame) -> dict[str, float]:
    """Return number, losses and accuracies of the selected epoch: the first with the lowest val_loss."""
    row = history.iloc[int(np.argmin(history["val_loss"]))]
    return {"epoch": int(row["epoch"])} | {key: float(row[key]) for key in HISTORY_COLUMNS[1:5]}


def _versions(recipe: Recipe) -> dict[str, str]:
    """Return the versions that a result depends on, and the Keras backend of a network."""
    if isinstance(recipe, Estimator):
        return read_versions()
    import keras

    return read_versions() | {"backend": keras.backend.backend()}


def _parts(model: str, data: SplitSlices) -> dict[str, SliceSet]:
    for part in FITTED_PARTS:
        if not data.is_in(part).any():
            raise ModelError(f"no {part} slices", where=f"models.{model}", hint="see split.parquet")
    return {part: data.part(part) for part in FITTED_PARTS}


def _checkpoint(
    path: Path, recipe: Recipe, inputs: Inputs, data: SplitSlices, n_embeddings: int
) -> Checkpoint:
    """Return the checkpoint of a training, keyed by everything that determines it: values, data and code."""
    values: list[object] = [inputs.model, _network_recipe(recipe), _weights_hash(recipe)]
    values += [inputs.params.model_dump(), inputs.seed, data.class_names, _versions(recipe), n_embeddings]
    values += [dataclasses.asdict(data.frames.spec), training_code(inputs.model)]
    parts = [data.part(part) for part in FITTED_PARTS]
    rows = [array for part in parts for array in (part.first_frame, part.n_valid, part.labels)]
    return Checkpoint(path, fingerprint(values, [data.frames.array, *rows]))


def training_code(model: str) -> str:
    """Return a fingerprint of the code that trains `model`: its family's module and shared ones."""
    root, own, families = source_dir(), learner(model).module, {found.module for found in learners().values()}
    unused = unused_imports("genredag.models.registry", families, own, root)
    return code_fingerprint([Path(__file__), *import_closure(Path(__file__), root, unused)], root)


def _network_recipe(recipe: Recipe) -> dict[str, object]:
    """Return the part of a recipe that affects its network, so that another classifier can reuse its
    state.
    """
    return recipe.model_dump(exclude={"classifier", "folds"} if isinstance(recipe, Hybrid) else None)


def _weights_hash(recipe: Recipe) -> str | None:
    """Return the SHA-256 of the user's own weights file that training starts from; None without one."""
    path = recipe.backbone and recipe.backbone.weights_path
    return fingerprint([], [np.fromfile(path, np.uint8)]) if path and path.is_file() else None
