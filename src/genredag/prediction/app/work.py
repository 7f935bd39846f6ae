"""What the app's jobs do with models: predict a song; and how they copy it for playing.

These functions run in a worker process. It keeps the models that it loaded.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import soundfile

from genredag.prediction.song import SongPrediction, Trust
from genredag.runtime.files import atomic_path
from genredag.tracks.audio import decode

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


def predict_song(model: Path, song: Path) -> PredictionContent:
    """Predict a song with a model.

    Raises
    ------
    DataError, ModelError
        The song can't be decoded, or the model can't be loaded or applied.
    """
    return content_of(load_classifier(model).predict(song))


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
    samples, sr = decode(song, PLAYING_SR)
    with atomic_path(copy) as temporary:
        soundfile.write(temporary, samples, sr, format="MP3", subtype="MPEG_LAYER_III")


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
def load_classifier(model: Path):
    """Load a model, or return the one that is loaded."""
    import genredag

    return genredag.load(model)
