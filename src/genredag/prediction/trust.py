"""How far to trust a prediction: a set of genres, and whether the song is unlike the training music.

The sets are conformal (Sadinle, Lei and Wasserman 2019, "least ambiguous sets"). A genre belongs to the set
if its probability is at least a threshold, which is chosen so that the sets of validation tracks hold the
right genre as often as promised. Tracks of one artist are not independent: each artist counts once, whatever
the number of tracks, and one more artist counts as a miss (Lee, Barber and Willett 2023, "hierarchical
conformal prediction"). The promise holds for the average track of a new artist, if the artist is drawn like
those of the validation part. If estimators are fitted again afterwards, it is a promise of the model before.

A song is unlike the training music if the means and deviations over time of its bins are further from those
of the training tracks than nearly all validation tracks are. That finds noise, tones, silence and damaged
files, not other genres.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from genredag.bundles.parts import parse_part
from genredag.errors import ModelError
from genredag.prediction.song import Trust

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

COVERAGE = 0.9
# A set is too large to say much if it holds more than this share of the genres, and more than one.
UNSURE_SHARE = 1 / 3
# The share of validation tracks that are not flagged as unlike the training music.
USUAL = 0.99
TRUST_FILE = "trust.json"
_ROUNDING = 1e-9
_CHUNK = 64  # slices at once, so that memory does not grow with the song


@dataclass(frozen=True)
class TrainingMusic:
    """Where the training tracks lie in feature space.

    Attributes
    ----------
    mean, scale
        Of each feature over the training tracks, (n_features,).
    usual
        The largest distance that counts as usual.
    """

    mean: np.ndarray
    scale: np.ndarray
    usual: float

    def distance(self, features: np.ndarray) -> np.ndarray:
        """Return the distance of songs (n_songs, n_features) from the mean, in deviations, (n_songs,)."""
        return np.sqrt(np.square((features - self.mean) / self.scale).mean(axis=1))


@dataclass(frozen=True)
class Calibration:
    """What the validation tracks say of the predictions of one model.

    Attributes
    ----------
    least_probability
        A genre with at least this probability belongs to the set; the most probable one always does.
    n_groups
        Number of artists (tracks, where the artist is unknown) among the validation tracks.
    music
        None if there is nothing to compare a song with.
    """

    class_names: tuple[str, ...]
    coverage: float
    least_probability: float
    n_groups: int
    music: TrainingMusic | None

    @property
    def has_too_few_groups(self) -> bool:
        """Whether too few artists calibrated the sets, so that all of them hold all genres."""
        return self.n_groups < self.coverage * (self.n_groups + 1) - _ROUNDING

    def in_set(self, probabilities: np.ndarray) -> np.ndarray:
        """Return which genres the set of each song holds, bool (n_songs, n_classes)."""
        most = np.arange(probabilities.shape[1]) == probabilities.argmax(axis=1)[:, np.newaxis]
        return (probabilities >= self.least_probability) | most

    def is_unsure(self, in_set: np.ndarray) -> np.ndarray:
        """Return which of the sets that `in_set` returned are too large to say much, bool (n_songs,)."""
        return in_set.sum(axis=1) > max(1.0, UNSURE_SHARE * len(self.class_names))

    def is_unlike(self, features: np.ndarray) -> np.ndarray | None:
        """Return which songs (n_songs, n_features) are unlike the training music; None if unknown."""
        return None if self.music is None else self.music.distance(features) > self.music.usual

    def apply(self, probabilities: np.ndarray, features: np.ndarray | None = None) -> Trust:
        """Return how far the prediction of one song can be trusted.

        Parameters
        ----------
        probabilities
            Of the song, combined from its slices as those of tracks were, (n_classes,).
        features
            The mean over its slices of `music_features`, (n_features,); None: not compared with the music.

        Raises
        ------
        ModelError
            There is another number of probabilities than of classes.
        """
        if probabilities.shape != (len(self.class_names),):
            raise ModelError(f"{probabilities.shape} probabilities", expected=f"({len(self.class_names)},)")
        in_set = self.in_set(probabilities[np.newaxis])
        order = np.argsort(-probabilities, kind="stable")
        unlike = None if features is None else self.is_unlike(features[np.newaxis])
        return Trust(
            genres=tuple(self.class_names[i] for i in order if in_set[0, i]),
            coverage=self.coverage,
            unsure=bool(self.is_unsure(in_set)[0]),
            unlike_training=None if unlike is None else bool(unlike[0]),
        )

    def json_text(self) -> str:
        """Return ``trust.json``."""
        tree = dataclasses.asdict(self)
        return json.dumps(tree, default=lambda array: array.tolist(), allow_nan=False) + "\n"


def music_features(slices: np.ndarray, n_valid: np.ndarray) -> np.ndarray:
    """Return mean and standard deviation over time of each bin, float64 (n_slices, 2 * n_bins).

    Parameters
    ----------
    slices
        Float32 (n_slices, n_frames, n_bins), in the values of the frame store.
    n_valid
        Number of frames of each slice before its padding, which is ignored.
    """
    chunks = range(0, len(slices), _CHUNK)
    empty = np.empty((0, 2 * slices.shape[2]))
    return np.concatenate(
        [empty, *(_moments(slices[i : i + _CHUNK], n_valid[i : i + _CHUNK]) for i in chunks)]
    )


def _moments(slices: np.ndarray, n_valid: np.ndarray) -> np.ndarray:
    valid = (np.arange(slices.shape[1]) < n_valid[:, np.newaxis])[..., np.newaxis]
    counts = n_valid[:, np.newaxis].astype(np.float64)
    mean = np.where(valid, slices, 0).sum(axis=1, dtype=np.float64) / counts
    squares = np.where(valid, np.square(slices - mean[:, np.newaxis]), 0).sum(axis=1, dtype=np.float64)
    return np.concatenate([mean, np.sqrt(squares / counts)], axis=1)


def calibrate(
    tracks: pd.DataFrame,
    training: np.ndarray | None = None,
    validation: np.ndarray | None = None,
    coverage: float = COVERAGE,
) -> Calibration:
    """Find the threshold of the sets, and how far from the training music a song may usually be.

    Parameters
    ----------
    tracks
        Predictions of the validation tracks, as `genredag.evaluation.predictions.track_predictions` returns
        them.
    training, validation
        Features of the training and the validation tracks, (n_tracks, n_features).
    """
    from genredag.evaluation.intervals import cluster_names
    from genredag.evaluation.predictions import class_names, probabilities_of

    names = class_names(tracks)
    actual = tracks["genre"].map({name: i for i, name in enumerate(names)}).to_numpy()
    of_right_genre = probabilities_of(tracks)[np.arange(len(tracks)), actual]
    groups = cluster_names(tracks)
    music = None
    if training is not None and validation is not None and len(training) > 1 and len(validation):
        music = _fit_music(training, validation)
    return Calibration(
        class_names=tuple(names),
        coverage=coverage,
        least_probability=least_probability(of_right_genre, groups, coverage),
        n_groups=len(set(groups)),
        music=music,
    )


def least_probability(
    of_right_genre: np.ndarray, groups: Sequence[str] | np.ndarray, coverage: float
) -> float:
    """Return the largest threshold for which the sets hold the right genre in a share `coverage` of groups.

    Each group has weight 1, shared by its tracks. One more group, for the new song's artist, misses. With too
    few groups (8 or fewer for 90 %), the threshold is 0, and the sets hold all genres.

    Parameters
    ----------
    of_right_genre
        Probability of the right genre of each track, (n_tracks,).
    groups
        The artist of each track, (n_tracks,).
    """
    _, group_of, sizes = np.unique(np.asarray(groups, dtype=str), return_inverse=True, return_counts=True)
    order = np.argsort(-of_right_genre, kind="stable")
    held = np.cumsum(1 / sizes[group_of[order]])
    enough = np.flatnonzero(held >= coverage * (len(sizes) + 1) - _ROUNDING)
    return float(of_right_genre[order[enough[0]]]) if len(enough) else 0.0


def _fit_music(training: np.ndarray, validation: np.ndarray) -> TrainingMusic:
    mean, deviation = training.mean(axis=0), training.std(axis=0)
    scale = np.where(deviation > _ROUNDING * np.abs(mean), deviation, 1.0)
    music = TrainingMusic(mean, scale, usual=0.0)
    usual = np.quantile(music.distance(validation), USUAL, method="higher")
    return dataclasses.replace(music, usual=float(usual))


def read_calibration(path: Path) -> Calibration | None:
    """Read the calibration of a ``model.zip`` or an ONNX model; return None if the bundle has none.

    Raises
    ------
    ModelError
        The file isn't a bundle, or its calibration can't be read.
    """
    return parse_part(path, TRUST_FILE, _parse)


def _parse(content: bytes) -> Calibration:
    values = _Calibration.model_validate_json(content)
    music = None
    if values.music is not None:
        mean, scale = np.array(values.music.mean), np.array(values.music.scale)
        if mean.shape != scale.shape:
            raise ValueError(f"music: {len(mean)} means and {len(scale)} scales")
        music = TrainingMusic(mean, scale, values.music.usual)
    return Calibration(**dict(values) | {"music": music})


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class _Music(_Part):
    mean: list[float]
    scale: list[float]
    usual: float


class _Calibration(_Part):
    """``trust.json``."""

    class_names: tuple[str, ...]
    coverage: Annotated[float, Field(ge=0, le=1)]
    least_probability: Annotated[float, Field(ge=0, le=1)]
    n_groups: Annotated[int, Field(ge=0)]
    music: _Music | None
