"""A classifier of songs: from an audio file to its genres, with one trained bundle or several."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from genredag.bundles.card import Card, read_card
from genredag.bundles.loading import load_bundle
from genredag.bundles.onnx_bundle import OnnxBundle
from genredag.bundles.onnx_cache import load_as_onnx
from genredag.errors import ModelError
from genredag.evaluation.predictions import Decision, combined
from genredag.frames.batches import CHUNK, runs_of_windows
from genredag.frames.split_slices import SliceSpec
from genredag.frames.store import FrameSpec
from genredag.prediction.ahead import render_ahead, work_ahead
from genredag.prediction.fetching import Limits
from genredag.prediction.rendering import (
    RenderedSong,
    Rendering,
    Source,
    check_takes_audio,
    render_all,
    render_or_reason,
)
from genredag.prediction.song import SongPrediction, Timeline, Trust, UnreadableSong
from genredag.prediction.trust import Calibration, music_features, read_calibration

if TYPE_CHECKING:
    from genredag.bundles.predictor import Predictor


@dataclass(frozen=True)
class Classifier:
    """Predicts the genres of songs with the mean of one or several bundles.

    Attributes
    ----------
    bundles
        All have the same genres.
    cards, calibrations
        One for each bundle; None for a bundle without.
    decision
        How the slices of a song are combined: ``evaluate.track_decision``. None: for each bundle as its card
        says, which is how it was evaluated, and by their mean if it has no card.
    limits
        Of songs that are fetched.
    files
        Where the bundles were loaded from; empty if they were not.
    """

    bundles: Sequence[Predictor]
    cards: Sequence[Card | None] = ()
    calibrations: Sequence[Calibration | None] = ()
    decision: Decision | None = None
    limits: Limits = field(default_factory=Limits)
    files: Sequence[Path] = ()

    @property
    def class_names(self) -> tuple[str, ...]:
        """Genres in the order of the probabilities of a prediction."""
        return tuple(self.bundles[0].class_names)

    @property
    def name(self) -> str:
        """The models and their inputs, such as ``"crnn on mel"``."""
        infos = [bundle.info for bundle in self.bundles]
        return ", ".join(f"{info['model']} on {info['frames']['representation']}" for info in infos)

    @property
    def renderings(self) -> list[Rendering]:
        """How each bundle wants songs rendered and cut."""
        infos = [bundle.info for bundle in self.bundles]
        return [(FrameSpec(**info["frames"]), SliceSpec(**info["slices"])) for info in infos]

    @property
    def decisions(self) -> list[Decision]:
        """How the slices of a song are combined, for each bundle."""
        return [self.decision or own for own in self._evaluated]

    @property
    def _evaluated(self) -> list[Decision]:
        """How the slices of tracks were combined when each bundle was evaluated."""
        cards = self.cards or [None] * len(self.bundles)
        return [card.track_decision if card else "mean" for card in cards]

    def predict(self, source: Source) -> SongPrediction:
        """Predict a song: a file, an http(s) address, or samples and their rate in Hz.

        Raises
        ------
        DataError
            The song can't be fetched or decoded, or is silent.
        """
        songs = render_all(source, self.renderings, self.limits)
        return dataclasses.replace(self.predict_rendered(songs), spectrogram=songs[0].spectrogram())

    def predict_many(
        self, sources: Iterable[Source], n_jobs: int = 1
    ) -> Iterator[SongPrediction | UnreadableSong]:
        """Yield the prediction of each song, in order; `n_jobs` processes decode songs ahead.

        If all bundles are ONNX models with one thread, as from `load` with an `onnx_cache`, these processes
        predict as well. A song has the same numbers as with `predict`.
        """
        files = self._onnx_files
        if n_jobs > 1 and files:
            work = partial(_predict_or_reason, files=files, decision=self.decision, limits=self.limits)
            yield from work_ahead(sources, work, n_jobs)
            return
        for found in render_ahead(sources, self.renderings, self.limits, n_jobs):
            yield found if isinstance(found, UnreadableSong) else self.predict_rendered(found)

    @property
    def _onnx_files(self) -> tuple[Path, ...]:
        """The files from which other processes can load this classifier quickly; none if they can't."""
        own = [bundle for bundle in self.bundles if isinstance(bundle, OnnxBundle) and bundle.threads == 1]
        files = tuple(bundle.path for bundle in own if bundle.path)
        return files if len(files) == len(self.bundles) else ()

    def predict_rendered(self, songs: Sequence[RenderedSong]) -> SongPrediction:
        """Predict a song that was rendered for each bundle; see `render_all`."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):  # as in the evaluate stage: the sums of several threads round differently
            found = [predict_slices(bundle, song) for bundle, song in zip(self.bundles, songs, strict=True)]
        wholes = [
            combined(p.astype(np.float64), np.zeros(len(p), int), decision)[0][0]
            for p, decision in zip(found, self.decisions, strict=True)
        ]
        first, probabilities = songs[0], np.mean(wholes, axis=0)
        return SongPrediction(
            source=first.source,
            class_names=self.class_names,
            probabilities=probabilities,
            timeline=Timeline(first.start, first.end, _averaged(found, songs)),
            duration=first.duration,
            trust=self._trust(probabilities, first),
        )

    def _trust(self, probabilities: np.ndarray, song: RenderedSong) -> Trust | None:
        """Return how far to trust a prediction. Bundles are calibrated one by one, for their decision."""
        if len(self.bundles) > 1 or self.decisions != self._evaluated or not any(self.calibrations):
            return None
        calibration = self.calibrations[0]
        if calibration is None:
            return None
        if calibration.music is None:
            return calibration.apply(probabilities)
        parts = [music_features(song.take(rows), song.n_valid[rows]) for rows in _chunks(len(song))]
        return calibration.apply(probabilities, np.concatenate(parts).mean(axis=0))


def load(*paths: Path | str, onnx_cache: Path | None = None) -> Classifier:
    """Load one bundle, or several that predict together with the mean of their probabilities.

    Parameters
    ----------
    paths
        ``bundle.zip`` as trained, ``model.zip``, which also holds the model's card and calibration, or an
        ONNX model made from either by `genredag export`.
    onnx_cache
        Convert bundles to ONNX and keep them in this folder, which makes later starts fast. Probabilities
        change by less than 1e-4. None: predict with Keras and scikit-learn, as training did.

    Raises
    ------
    ModelError
        A file isn't a bundle or was trained on precomputed spectrograms, no file is given, or the bundles
        have different genres.
    """
    if not paths:
        raise ModelError("no bundle given", hint="genredag.load('results/.../model.zip')")
    files = [Path(path) for path in paths]
    for file in files:
        if not file.is_file():
            what = "is a folder" if file.is_dir() else "no such file"
            hint = "`genredag bundles` lists the models of a project"
            raise ModelError(
                what, where=str(file), expected="a model.zip, bundle.zip or .onnx file", hint=hint
            )
        check_takes_audio(file)
    bundles = [load_as_onnx(file, onnx_cache) if onnx_cache else load_bundle(file) for file in files]
    for file, bundle in zip(files, bundles, strict=True):
        if bundle.class_names != bundles[0].class_names:
            raise ModelError(
                f"predicts {', '.join(bundle.class_names)}",
                where=str(file),
                expected=f"the genres of {files[0]}: {', '.join(bundles[0].class_names)}",
            )
    cards, calibrations = [read_card(file) for file in files], [read_calibration(file) for file in files]
    for file, calibration in zip(files, calibrations, strict=True):
        if calibration is not None and calibration.class_names != tuple(bundles[0].class_names):
            raise ModelError("trust.json has other genres than the model", where=str(file))
    return Classifier(bundles, cards, calibrations, files=files)


@cache
def _load_once(files: tuple[Path, ...]) -> Classifier:
    return load(*files, onnx_cache=files[0].parent)  # in which nothing is written: they are ONNX models


def _predict_or_reason(
    source: Source, files: tuple[Path, ...], decision: Decision | None, limits: Limits
) -> SongPrediction | UnreadableSong:
    """Predict a song in another process, which keeps the models."""
    classifier = dataclasses.replace(_load_once(files), decision=decision, limits=limits)
    songs = render_or_reason(source, classifier.renderings, limits)
    return songs if isinstance(songs, UnreadableSong) else classifier.predict_rendered(songs)


def predict_slices(bundle: Predictor, song: RenderedSong) -> np.ndarray:
    """Return the class probabilities of the slices of a song, float32 (n_slices, n_classes)."""
    # Parts of the song that the bundle would also predict at once.
    parts = runs_of_windows(np.arange(len(song))) if bundle.over_windows else _chunks(len(song))
    return np.concatenate([bundle.predict(song.take(part), song.n_valid[part]) for part in parts])


def _chunks(n: int) -> list[np.ndarray]:
    return np.split(np.arange(n), range(CHUNK, n, CHUNK))


def _averaged(found: Sequence[np.ndarray], songs: Sequence[RenderedSong]) -> np.ndarray:
    """Return the mean of the bundles' predictions over time, at the slices of the first bundle.

    The other bundles contribute the slice whose centre is nearest.
    """
    centres = [(song.start + song.end) / 2 for song in songs]
    nearest = [np.searchsorted((own[1:] + own[:-1]) / 2, centres[0]) for own in centres]
    aligned = np.stack([p[rows] for p, rows in zip(found, nearest, strict=True)])
    return aligned.mean(axis=0, dtype=np.float32)
