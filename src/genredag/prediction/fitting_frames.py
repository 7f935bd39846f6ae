"""Training on files of precomputed frames, without a project: from ``.npz`` files to a ``model.zip``."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from genredag.bundles.bundle import save_bundle
from genredag.bundles.parts import ONNX_SUFFIX, needs_keras
from genredag.datasets.spectrograms import probe_all, read_tracks
from genredag.errors import DataError, ParameterError, UnsuitableDataError
from genredag.evaluation.curves import is_hit
from genredag.evaluation.intervals import Interval, accuracy_interval, cluster_names
from genredag.evaluation.predictions import track_predictions
from genredag.frames.features import OF_SPECTROGRAMS, choose
from genredag.frames.rendering import render
from genredag.frames.slices import cut
from genredag.frames.split_slices import SlicedFrames, SliceSpec
from genredag.frames.store import open_frames
from genredag.params.groups.base import Group
from genredag.params.groups.datasets import Download, Spectrograms, read_data_set
from genredag.params.groups.evaluation import Evaluate
from genredag.params.groups.models import Ensemble, Estimator, Recipe, Train, read_recipe
from genredag.params.groups.reading import read_group
from genredag.params.groups.slices import Slices
from genredag.params.groups.spectrograms import Rendering, read_representation
from genredag.prediction.held_out import predict_split
from genredag.prediction.model_file import track_features, write_model
from genredag.prediction.refitting import refitted
from genredag.prediction.trust import calibrate
from genredag.runtime.backend import configure_backend, limit_threads
from genredag.runtime.files import check_outputs
from genredag.splits.assignment import assign_by_artist, assign_by_genre
from genredag.tracks.manifest import LISTED, assemble, check_usable
from genredag.tracks.precomputed import load_spectrograms
from genredag.training.train import train_bundle

if TYPE_CHECKING:
    from genredag.evaluation.predictions import Decision
    from genredag.frames.split_slices import SplitSlices

logger = logging.getLogger(__name__)

TRAIN, VALIDATION = "train", "validation"
# Of the training tracks, if no file of validation tracks is given.
VALIDATION_SHARE = 0.15
SLICE_SECONDS = 10.0
_N_RESAMPLES = 2000


@dataclass(frozen=True)
class Settings:
    """The groups of ``params.yaml`` that training on frames depends on.

    Attributes
    ----------
    group
        The parameters of the representation that the frames are in.
    """

    recipe: Recipe
    train: Train
    download: Download
    rendering: Rendering
    spectrograms: Spectrograms
    group: Group
    decision: Decision


def read_settings(path: Path, model: str) -> Settings:
    """Read the settings for `model` from the ``params.yaml`` at `path`.

    Raises
    ------
    ParameterError
        There is no such model, or a value can't be used.
    """
    spectrograms = read_data_set(path, "spectrograms")
    assert isinstance(spectrograms, Spectrograms)
    return Settings(
        recipe=read_recipe(path, model),
        train=read_group(path, "train", Train),
        download=read_group(path, "download", Download),
        rendering=read_group(path, "spectrograms", Rendering),
        spectrograms=spectrograms,
        group=read_representation(path, spectrograms.representation),
        decision=read_group(path, "evaluate", Evaluate).track_decision,
    )


def fit_frames(
    model: str,
    settings: Settings,
    frames: Path,
    validation: Path | None,
    tracks: Path,
    out: Path,
    *,
    seed: int,
    slice_seconds: float | None,
) -> tuple[Interval, int]:
    """Train `model` on the tracks of a file, calibrate it on validation tracks, and write its ``model.zip``.

    The file has a calibration, but no model card: a card needs test tracks.

    Parameters
    ----------
    frames, validation
        Files as `load_spectrograms` reads them. Without validation tracks, a share of the training tracks is
        set aside, by whole artists. Once they have calibrated the model, its estimators learn from them, too.
    tracks
        A CSV with the track_id, genre and, where known, artist of these tracks, and perhaps of others.
    slice_seconds
        Length of slices, which overlap by half; at most that of the tracks. None: whole tracks for features
        of spectrograms, which are statistics over time; otherwise `SLICE_SECONDS`.

    Returns
    -------
    tuple
        Accuracy on the validation tracks, which the model had not seen, and their number. The interval draws
        whole artists, where they are known.

    Raises
    ------
    GenredagError
        A file can't be used, a track is not in `tracks`, or the model can't be trained on these tracks.
    """
    parts = {TRAIN: frames} | ({VALIDATION: validation} if validation else {})
    check_outputs([out], [*parts.values(), tracks])
    if out.suffix.lower() == ONNX_SUFFIX:
        hint = "`genredag export` makes an ONNX model of it"
        raise ParameterError("can't be written", where=str(out), expected="a file FILE.zip", hint=hint)
    out.parent.mkdir(parents=True, exist_ok=True)  # fail early if it can't be created
    manifest = build_manifest(parts, tracks, settings)
    if needs_keras(settings.recipe.model_dump()):
        configure_backend(settings.train.threads)
    else:
        limit_threads(settings.train.threads)
    with TemporaryDirectory() as folder:
        seconds = min(slice_seconds or _slice_seconds(settings.recipe), settings.spectrograms.clip_seconds)
        sliced = cut_frames(manifest, settings, Path(folder), seconds)
        data = split_by(sliced, manifest, part_of_tracks(manifest[manifest["status"] == "ok"], seed))
        bundle, _, _ = train_bundle(model, settings.recipe, settings.train, data, seed=seed)
        found = track_predictions(predict_split(bundle, data), settings.decision)
        trained, held_out = (track_features(data.part(part)) for part in (TRAIN, VALIDATION))
        if validation is None:
            bundle = refitted(bundle, data)
        file = Path(folder, "bundle.zip")
        save_bundle(file, bundle)
        write_model(out, file, None, calibrate(found, trained, held_out))
    interval = accuracy_interval(
        is_hit(found).to_numpy(), cluster_names(found), n_resamples=_N_RESAMPLES, seed=0
    )
    return interval, len(found)


def _slice_seconds(recipe: Recipe) -> float:
    if isinstance(recipe, Ensemble):
        return min(_slice_seconds(member.recipe) for member in recipe.members.values())
    over_time = isinstance(recipe, Estimator) and choose(recipe.features, bins=[]) in OF_SPECTROGRAMS
    return math.inf if over_time else SLICE_SECONDS


def build_manifest(parts: dict[str, Path], tracks: Path, settings: Settings) -> pd.DataFrame:
    """Return the manifest of the tracks in files, with the part of each file as their `subset`.

    Raises
    ------
    DataError
        A file or the table can't be used, a track is in two files or not in the table, or a file lacks a
        genre.
    """
    table = read_tracks(tracks).drop_duplicates("track_id").set_index("track_id")
    listed = []
    for part, file in parts.items():
        ids, _ = load_spectrograms(file)
        if not ids:
            raise DataError("no track", where=str(file))
        unknown = [track_id for track_id in ids if track_id not in table.index]
        if unknown:
            where, expected = str(tracks), f"a row for each track of {file}"
            raise DataError(f"track {unknown[0]} is missing", where=where, expected=expected)
        rows = table.loc[ids].reset_index()
        listed.append(rows.assign(subset=part, path=str(file.resolve()), subgenres=None)[LISTED])
    manifest = pd.concat(listed, ignore_index=True)
    twice = manifest.loc[manifest["track_id"].duplicated(), "track_id"]
    if not twice.empty:
        where = " and ".join(map(str, parts.values()))
        raise DataError(f"{twice.iloc[0]} is there twice", where=where, expected="each track once")
    seconds = settings.spectrograms.clip_seconds
    probes = probe_all(manifest, clip_seconds=seconds, min_seconds=settings.download.min_seconds)
    manifest = assemble(manifest, probes)
    check_usable(manifest, name="spectrograms", max_skipped=settings.download.max_skipped)
    usable = manifest[manifest["status"] == "ok"]
    for part, file in parts.items():
        missing = set(usable["genre"]) - set(usable.loc[usable["subset"] == part, "genre"])
        if missing:
            expected = f"all genres of the files: {', '.join(sorted(set(usable['genre'])))}"
            raise DataError(f"no usable track of genre {min(missing)}", where=str(file), expected=expected)
    return manifest


def cut_frames(manifest: pd.DataFrame, settings: Settings, folder: Path, seconds: float) -> SlicedFrames:
    """Write a frame store into `folder`, and cut it into slices of this length, which overlap by half."""
    name = settings.spectrograms.representation
    render(manifest, name, settings.group, settings.rendering, cache_dir=Path(), out_dir=folder, n_jobs=1)
    store = open_frames(folder)
    params = Slices(seconds=seconds, overlap=0.5, short_tracks="pad")
    slices, summary = cut(store.index, store.spec.frames_per_second, params)
    return SlicedFrames(store, slices, SliceSpec.of(summary))


def split_by(sliced: SlicedFrames, manifest: pd.DataFrame, part: pd.Series) -> SplitSlices:
    """Split slices by the part of each track_id."""
    slices = sliced.slices
    known = manifest.set_index("track_id").loc[slices["track_id"], ["genre", "artist"]].reset_index()
    parts = part.loc[known["track_id"]].to_numpy()
    return sliced.with_split(known.assign(slice=slices["slice"].to_numpy(), part=parts))


def part_of_tracks(tracks: pd.DataFrame, seed: int) -> pd.Series:
    """Return the part of each track: that of its file, or an artist-disjoint share of a single file."""
    part = tracks["subset"].to_numpy(object)
    if VALIDATION not in part:
        rng = np.random.default_rng(seed)
        assign = assign_by_artist if tracks["artist"].notna().any() else assign_by_genre
        try:
            number = assign(tracks.reset_index(drop=True), [1 - VALIDATION_SHARE, VALIDATION_SHARE], rng)
        except UnsuitableDataError as error:
            hint = "give validation tracks (--validation), or add tracks by other artists"
            raise UnsuitableDataError(
                error.what, where="training tracks", expected=error.expected, hint=hint
            ) from None
        part = np.array([TRAIN, VALIDATION], dtype=object)[number]
    return pd.Series(part, tracks["track_id"].to_numpy())
