"""``model.zip``: a bundle with its model card and the calibration of its predictions, to be shared."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from genredag.bundles.bundle import zipped
from genredag.bundles.card import CARD_FILE, README_FILE, Card, DataFacts, Estimate, GenreScore, SetScore
from genredag.bundles.parts import opened
from genredag.evaluation.intervals import accuracy_interval, cluster_names
from genredag.evaluation.metrics import per_genre
from genredag.evaluation.predictions import Decision, probabilities_of
from genredag.params.groups.splits import (
    PARTS,
    KFold,
    LeakySlices,
    Official,
    Split,
    keeps_artists_whole,
    promise,
)
from genredag.prediction.learned import LEARNED_FILE, LearnedTracks
from genredag.prediction.trust import TRUST_FILE, Calibration, calibrate, music_features
from genredag.runtime.files import atomic_path
from genredag.runtime.progress import progress
from genredag.runtime.provenance import read_commit_date

if TYPE_CHECKING:
    from genredag.bundles.predictor import BundleInfo
    from genredag.frames.batches import SliceSet
    from genredag.frames.split_slices import SplitSlices

_DIGITS = 6
_SEED = 0  # of the bootstrap, as on the leaderboard
_FEW_TRACKS = 300
_OFTEN_MISSED = 0.5


@dataclass(frozen=True)
class Run:
    """The data that a model was trained and evaluated on.

    Attributes
    ----------
    decision
        How the slices of a track are combined.
    facts
        Home page, license and citation of the data set: ``attrs`` of its manifest.
    """

    dataset: str
    split: str
    fold: int
    protocol: Split
    decision: Decision
    facts: Mapping[object, object]
    data: SplitSlices


def write_model(
    path: Path,
    bundle: Path,
    card: Card | None,
    calibration: Calibration,
    learned: LearnedTracks | None = None,
) -> None:
    """Write a bundle with its calibration and, if it was tested, its card and what it learned from.

    The same input gives the same bytes.
    """
    with opened(bundle) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    if card is not None:
        files[CARD_FILE] = card.json_text().encode()
        files[README_FILE] = card.markdown().encode()
    files[TRUST_FILE] = calibration.json_text().encode()
    if learned is not None:
        files[LEARNED_FILE] = learned.json_text().encode()
    with atomic_path(path) as temporary:
        temporary.write_bytes(zipped(files))


def describe(info: BundleInfo, run: Run, tracks: pd.DataFrame, n_resamples: int) -> tuple[Card, Calibration]:
    """Calibrate a model on the validation tracks, and describe it by its results on the test tracks.

    Parameters
    ----------
    tracks
        What `genredag.evaluation.predictions.track_predictions` returned for the validation and test tracks.
    n_resamples
        For the interval of the accuracy.
    """
    validation, test = (tracks[tracks["part"] == part].reset_index(drop=True) for part in PARTS[1:])
    features = {part: track_features(run.data.part(part, class_names=info["class_names"])) for part in PARTS}
    calibration = calibrate(validation, features["train"], features["validation"])
    far = calibration.is_unlike(features["test"])
    found = {
        **_origin(info, run),
        **_scores(validation, test, n_resamples),
        "sets": set_score(calibration, test),
        "unlike": None if far is None else _rounded(far.mean()),
    }
    card = Card(**found, limits=())
    limits = tuple(_limits(card, run.protocol, validation))
    return card.model_copy(update={"limits": limits}), calibration


def track_features(slices: SliceSet) -> np.ndarray:
    """Return the mean of `music_features` over the slices of each track, sorted by track_id.

    Shifted copies of a track are left out.
    """
    original = np.flatnonzero(slices.cut_from == slices.track_ids)
    names, track_of = np.unique(slices.track_ids[original], return_inverse=True)
    sums = np.zeros((len(names), 2 * slices.frames.spec.n_bins))
    chunks = np.array_split(np.arange(len(original)), max(1, len(original) // 256))
    for chunk in progress(chunks, "describing the music", len(chunks)):
        rows = original[chunk]
        np.add.at(sums, track_of[chunk], music_features(slices.take(rows), slices.n_valid[rows]))
    return sums / np.bincount(track_of, minlength=len(names))[:, np.newaxis]


def set_score(calibration: Calibration, tracks: pd.DataFrame) -> SetScore:
    """Return how the sets of genres do on tracks, from their `track_predictions`."""
    in_set = calibration.in_set(probabilities_of(tracks))
    right = tracks["genre"].to_numpy(object)[:, np.newaxis] == np.array(calibration.class_names, object)
    return SetScore(
        promised=calibration.coverage,
        held=_rounded((in_set & right).any(axis=1).mean()),
        mean_size=_rounded(in_set.sum(axis=1).mean()),
        unsure=_rounded(calibration.is_unsure(in_set).mean()),
        groups=calibration.n_groups,
    )


def protocol_in_words(protocol: Split) -> str:
    """Return how a protocol splits, and what it guarantees."""
    match protocol:
        case LeakySlices():
            return promise(protocol)
        case Official():
            how = "the split that the data set lists"
        case KFold():
            how = f"{protocol.k} folds of whole {protocol.group_by}s"
        case _:
            shares = " : ".join(f"{100 * share:.0f}" for share in protocol.ratios)
            how = f"whole {protocol.group_by}s, {shares} in every genre"
    return f"{how}; {promise(protocol)}"


def _origin(info: BundleInfo, run: Run) -> dict[str, object]:
    frames, slices = info["frames"], info["slices"]
    representation = frames["representation"]
    words = (
        f"{representation}, {_bins(frames)}, {frames['frames_per_second']:.1f} frames per second"
        f" of audio at {frames['sr']} Hz; slices of {slices['seconds']:g} s, {slices['overlap']:.0%} overlap"
    )
    by_part = run.data.split.groupby("part")["track_id"].nunique()
    commit = info["commit"]
    members: Any = info["recipe"].get("members", {})
    return {
        "name": f"{info['model']} on {representation}",
        "model": info["model"],
        "n_parameters": info["n_parameters"],
        "members": {name: one["copies"] for name, one in members.items()},
        "data": _data_facts(run.dataset, run.facts),
        "representation": representation,
        "input": words,
        "split": run.split,
        "fold": run.fold,
        "protocol": protocol_in_words(run.protocol),
        "track_decision": run.decision,
        "tracks": {part: int(by_part.get(part, 0)) for part in PARTS},
        "warning": info.get("warning"),
        "seed": info["seed"],
        "date": read_commit_date(commit) if commit else None,
        "commit": commit,
        "versions": info["versions"],
    }


def _bins(frames: Mapping[str, Any]) -> str:
    n_channels = frames.get("n_channels", 1)
    if n_channels == 1:
        return f"{frames['n_bins']} bins"
    return f"{frames['n_bins'] // n_channels} bins of {', '.join(frames['params']['channels'])}"


def _data_facts(name: str, known: Mapping[object, object]) -> DataFacts:
    unknown = {"homepage": "unknown", "license": "unknown", "citation": "% unknown\n"}
    facts = unknown | {str(key): str(value) for key, value in known.items()}
    return DataFacts(
        name=name, homepage=facts["homepage"], licence=facts["license"], citation=facts["citation"]
    )


def _scores(validation: pd.DataFrame, test: pd.DataFrame, n_resamples: int) -> dict[str, object]:
    correct = (test["genre"] == test["predicted"]).to_numpy()
    interval = accuracy_interval(correct, cluster_names(test), n_resamples=n_resamples, seed=_SEED)
    low, high = (None if math.isnan(bound) else _rounded(bound) for bound in (interval.low, interval.high))
    table = per_genre(test)
    return {
        "accuracy": Estimate(value=_rounded(interval.estimate), low=low, high=high),
        "chance": _rounded(test["genre"].value_counts(normalize=True).max()),
        "macro_f1": _rounded(table["f1"].mean()),
        "validation_accuracy": _rounded((validation["genre"] == validation["predicted"]).mean()),
        "genres": tuple(
            GenreScore.model_validate(row)
            for row in table.rename(columns={"support": "tracks"}).to_dict("records")
        ),
    }


def _limits(card: Card, protocol: Split, validation: pd.DataFrame) -> Iterator[str]:
    """Yield what a user should know before trusting the model."""
    yield (
        f"It knows {len(card.genres)} genres and always names one of them, also for speech, noise or music of"
        " another genre."
    )
    if card.is_synthetic:
        yield "It was trained on synthetic sounds: what it says of real music means nothing."
    yield (
        f"Its accuracy was measured on {card.data.name}. Music of other times, places or sound quality can be"
        " harder."
    )
    if card.warning:
        yield "Slices of the test tracks were used for training: no number on this card holds for new music."
    elif not keeps_artists_whole(protocol):
        yield "Test tracks may be by artists of the training tracks. Accuracy on new artists may be lower."
    if card.tracks["test"] < _FEW_TRACKS:
        yield f"There are only {card.tracks['test']} test tracks, so the interval of the accuracy is wide."
    missed = [row.genre for row in card.genres if row.tracks and row.recall < _OFTEN_MISSED]
    if missed:
        yield f"It misses more than half of the test tracks of {', '.join(missed)}."
    unknown = validation["artist"].isna().mean()
    if unknown:
        yield (
            f"The artist of {unknown:.0%} of the validation tracks is unknown. For the calibration of the"
            " sets, each of these tracks counts as another artist."
        )
    if card.sets.groups < 1 / (1 - card.sets.promised) - 1:
        yield f"Its sets hold all genres, because {card.sets.groups} validation artists can't calibrate them."


def _rounded(value: float) -> float:
    return round(float(value), _DIGITS)
