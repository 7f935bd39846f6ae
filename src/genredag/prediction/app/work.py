"""What the app's jobs do with a song: predict it, explain it, copy it for playing.

These functions run in a worker process. It keeps the models that it loaded.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from genredag.prediction.app.picture import song_pieces
from genredag.prediction.song import SongPrediction, Trust
from genredag.runtime.files import atomic_path

if TYPE_CHECKING:
    from genredag.prediction.classifier import Classifier

KEPT_MODELS = 4
PLAYING_SR = 44100  # in Hz


@dataclass(frozen=True)
class PredictionContent:
    """A prediction as the page receives it.

    Attributes
    ----------
    led
        The share of the song that each genre leads.
    start, end, timeline
        The slices: where they are, in seconds, and their probabilities, (n_slices, n_classes).
    trust
        None if the model has no card.
    """

    genres: list[str]
    probabilities: list[float]
    led: list[float]
    start: list[float]
    end: list[float]
    timeline: list[list[float]]
    trust: Trust | None


@dataclass(frozen=True)
class ExplanationContent:
    """An explanation as the page receives it.

    Attributes
    ----------
    edges
        Borders of the parts in time, in seconds, (n_parts + 1,).
    hz
        Borders of the bands, (n_bands + 1,); None if the model takes features that have no frequency.
    names
        A name for each band.
    effect
        By how much the probability falls without each part, (n_parts, n_bands).
    """

    genre: str
    edges: list[float]
    hz: list[float] | None
    names: list[str]
    effect: list[list[float]]


def predict_song(model: Path, song: Path) -> PredictionContent:
    """Predict a song with a model.

    Raises
    ------
    DataError, ModelError
        The song can't be decoded, or the model can't be loaded or applied.
    """
    return content_of(load_classifier(model).predict(song))


def explain_song(model: Path, song: Path) -> ExplanationContent:
    """Find which times and bands of a song decided.

    Raises
    ------
    DataError, ModelError
        The song can't be decoded, or the model can't be loaded or applied.
    """
    from genredag.prediction.explain import explain, kind_of

    found = explain(load_classifier(model), song)
    bins, bands = found.spectrogram.bins, found.bands
    hz = None if isinstance(bins[0], str) else _borders(np.asarray(bins, float), bands)
    kinds = [kind_of(bins[low]) for low in bands[:-1]]
    return ExplanationContent(
        genre=found.genre,
        edges=found.edges.round(3).tolist(),
        hz=hz,
        names=kinds
        if hz is None
        else [f"{low:.0f} to {high:.0f} Hz" for low, high in itertools.pairwise(hz)],
        effect=found.effect.round(5).tolist(),
    )


def _borders(centres: np.ndarray, bands: np.ndarray) -> list[float]:
    """Return the borders of bands in Hz: between the centres of the bins on both sides."""
    between = (centres[1:] + centres[:-1]) / 2
    return np.concatenate([centres[:1], between, centres[-1:]])[bands].round(1).tolist()


def warm_up(model: Path) -> None:
    """Load a model, so that the first visitor does not wait for it."""
    load_classifier(model)


def copy_for_playing(song: Path, copy: Path) -> None:
    """Write a song as MP3, which every browser plays.

    Raises
    ------
    DataError
        It can't be decoded.
    """
    with (
        atomic_path(copy) as temporary,
        soundfile.SoundFile(temporary, "w", PLAYING_SR, 1, "MPEG_LAYER_III", format="MP3") as file,
    ):
        for piece in song_pieces(song, PLAYING_SR):
            file.write(piece)


def content_of(prediction: SongPrediction) -> PredictionContent:
    """Return a prediction as the page receives it."""
    timeline = prediction.timeline
    return PredictionContent(
        genres=list(prediction.class_names),
        probabilities=[round(float(p), 6) for p in prediction.probabilities],
        led=list(prediction.led().values()),
        start=[round(float(t), 3) for t in timeline.start],
        end=[round(float(t), 3) for t in timeline.end],
        timeline=[[round(float(p), 4) for p in row] for row in timeline.probabilities],
        trust=prediction.trust,
    )


@functools.lru_cache(maxsize=KEPT_MODELS)
def load_classifier(model: Path) -> Classifier:
    """Load a model, or return the one that is loaded."""
    from genredag.prediction.classifier import load

    return load(model)
