"""A classifier of songs: from an audio file to its genres, with one trained bundle or several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from genredag.bundles.bundle import load_bundle
from genredag.errors import DataError, ModelError
from genredag.evaluation.predictions import Decision, combined
from genredag.frames.batches import CHUNK, runs_of_windows
from genredag.frames.split_slices import SliceSpec
from genredag.frames.store import FrameSpec
from genredag.prediction.rendering import RenderedSong, Source, render_song
from genredag.prediction.song import SongPrediction, Timeline, UnreadableSong

if TYPE_CHECKING:
    from genredag.bundles.bundle import Bundle

Rendering = tuple[FrameSpec, SliceSpec]


@dataclass(frozen=True)
class Classifier:
    """Predicts the genres of songs with the mean of one or several bundles.

    Attributes
    ----------
    bundles
        All have the same genres.
    decision
        How the slices of a song are combined: ``evaluate.track_decision``.
    """

    bundles: Sequence[Bundle]
    decision: Decision = "mean"

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
        return [
            (FrameSpec(**bundle.info["frames"]), SliceSpec(**bundle.info["slices"]))
            for bundle in self.bundles
        ]

    def predict(self, source: Source) -> SongPrediction:
        """Predict a song: a file, or samples and their rate in Hz.

        Raises
        ------
        DataError
            The song can't be decoded, or is silent.
        """
        return self.predict_rendered(render_all(source, self.renderings))

    def predict_many(
        self, sources: Iterable[Source], n_jobs: int = 1
    ) -> Iterator[SongPrediction | UnreadableSong]:
        """Yield the prediction of each song, in order; `n_jobs` processes decode songs ahead.

        A song has the same numbers as with `predict`.
        """
        from joblib import Parallel, delayed, parallel_config

        jobs = (delayed(_render_or_reason)(source, self.renderings) for source in sources)
        with parallel_config("loky", inner_max_num_threads=1):
            for found in Parallel(n_jobs, return_as="generator")(jobs):
                yield found if isinstance(found, UnreadableSong) else self.predict_rendered(found)

    def predict_rendered(self, songs: Sequence[RenderedSong]) -> SongPrediction:
        """Predict a song that was rendered for each bundle; see `render_all`."""
        found = [predict_slices(bundle, song) for bundle, song in zip(self.bundles, songs, strict=True)]
        wholes = [combined(p.astype(np.float64), np.zeros(len(p), int), self.decision)[0][0] for p in found]
        first = songs[0]
        timeline = Timeline(first.start, first.end, _averaged(found, songs))
        return SongPrediction(
            source=first.source,
            class_names=self.class_names,
            probabilities=np.mean(wholes, axis=0),
            timeline=timeline,
            duration=first.duration,
            trust=None,
        )


def load(*paths: Path | str) -> Classifier:
    """Load one bundle, or several that predict together with the mean of their probabilities.

    Raises
    ------
    ModelError
        A file isn't a bundle, no file is given, or the bundles have different genres.
    """
    if not paths:
        raise ModelError("no bundle given", hint="genredag.load('results/.../model.zip')")
    bundles = [load_bundle(Path(path)) for path in paths]
    for path, bundle in zip(paths, bundles, strict=True):
        if bundle.class_names != bundles[0].class_names:
            raise ModelError(
                f"predicts {', '.join(bundle.class_names)}",
                where=str(path),
                expected=f"the genres of {paths[0]}: {', '.join(bundles[0].class_names)}",
            )
    return Classifier(bundles)


def predict_slices(bundle: Bundle, song: RenderedSong) -> np.ndarray:
    """Return the class probabilities of the slices of a song, float32 (n_slices, n_classes)."""
    rows = np.arange(len(song))
    # Parts of the song that the bundle would also predict at once.
    parts = runs_of_windows(rows) if bundle.over_windows else np.split(rows, range(CHUNK, len(rows), CHUNK))
    return np.concatenate([bundle.predict(song.take(part), song.n_valid[part]) for part in parts])


def render_all(source: Source, renderings: Sequence[Rendering]) -> list[RenderedSong]:
    """Render a song in several ways; equal ones are rendered once."""
    found: list[RenderedSong] = []
    for i, rendering in enumerate(renderings):
        same = renderings.index(rendering)
        found.append(found[same] if same < i else render_song(source, *rendering))
    return found


def _render_or_reason(source: Source, renderings: Sequence[Rendering]) -> list[RenderedSong] | UnreadableSong:
    try:
        return render_all(source, renderings)
    except DataError as error:
        return UnreadableSong(error.where, error.what)


def _averaged(found: Sequence[np.ndarray], songs: Sequence[RenderedSong]) -> np.ndarray:
    """Return the mean of the bundles' predictions over time, at the slices of the first bundle.

    The other bundles contribute the slice whose centre is nearest.
    """
    centres = [(song.start + song.end) / 2 for song in songs]
    nearest = [np.abs(own[np.newaxis] - centres[0][:, np.newaxis]).argmin(axis=1) for own in centres]
    return np.mean([p[rows] for p, rows in zip(found, nearest, strict=True)], axis=0, dtype=np.float32)
