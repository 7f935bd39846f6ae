"""Which times and bands of a song decided: occlusion.

A part of the spectrogram, some seconds of a band, is replaced by the mean spectrum of the song, and the song
is predicted again. The more the probability of the genre falls, the more that part spoke for it. This takes
nothing from the model but its predictions, so it works for every model.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

import numpy as np

from genredag.errors import ParameterError
from genredag.frames.batches import CHUNK, runs_of_windows
from genredag.prediction.rendering import RenderedSong, Source, render_all
from genredag.prediction.song import Spectrogram
from genredag.spectrograms.column_names import channel_of

if TYPE_CHECKING:
    from genredag.bundles.predictor import Predictor
    from genredag.prediction.classifier import Classifier

N_BANDS = 8
MAX_PARTS = 24  # of time


@dataclass(frozen=True)
class Explanation:
    """How much parts of a song speak for a genre.

    Attributes
    ----------
    edges
        Borders of the parts, in seconds, (n_parts + 1,).
    bands
        Borders of the bands, as numbers of bins, (n_bands + 1,).
    effect
        By how much the probability of the slices that a part touches falls without it, (n_parts, n_bands).
        Negative: that part speaks against the genre.
    """

    source: str
    genre: str
    edges: np.ndarray
    bands: np.ndarray
    effect: np.ndarray
    spectrogram: Spectrogram


def explain(classifier: Classifier, source: Source, genre: str | None = None) -> Explanation:
    """Find which times and bands of a song speak for a genre: by default, the most probable one.

    Of several bundles, the first one is explained.

    Raises
    ------
    DataError
        The song can't be decoded.
    ParameterError
        The model doesn't know the genre.
    """
    return explain_rendered(classifier, render_all(source, classifier.renderings, classifier.limits), genre)


def explain_rendered(
    classifier: Classifier, songs: Sequence[RenderedSong], genre: str | None = None
) -> Explanation:
    """Explain a song that was rendered for each bundle; see `explain`."""
    song, bundle, names = songs[0], classifier.bundles[0], classifier.class_names
    genre = classifier.predict_rendered(songs).genre if genre is None else genre
    if genre not in names:
        raise ParameterError(repr(genre), where="genre", expected=", ".join(names))
    column = names.index(genre)
    edges, bands = _parts(song), _bands(song.spec.bins)
    before = _probability(bundle, song, np.arange(len(song)), column)
    mean = song.spec.encode(song.spec.decode(song.frames).mean(axis=0))
    effect = np.zeros((len(edges) - 1, len(bands) - 1))
    for i, (start, stop) in enumerate(pairwise(edges)):
        for j, (low, high) in enumerate(pairwise(bands)):
            touched = _touched(song, start, stop)
            hidden = song.frames.copy()
            hidden[start:stop, low:high] = mean[low:high]
            after = _probability(bundle, dataclasses.replace(song, frames=hidden), touched, column)
            effect[i, j] = (before[touched] - after).mean() if len(touched) else 0.0
    seconds = np.minimum(edges / song.spec.frames_per_second, song.duration)
    return Explanation(song.source, genre, seconds, bands, effect, song.spectrogram())


def _probability(bundle: Predictor, song: RenderedSong, rows: np.ndarray, column: int) -> np.ndarray:
    """Return the probability of one class for some slices, (len(rows),), which are in order."""
    if bundle.over_windows:  # the others of a run matter, too
        runs = runs_of_windows(np.arange(len(song)))
        parts = [run for run in runs if np.isin(run, rows).any()]
    else:
        parts = np.split(rows, range(CHUNK, len(rows), CHUNK))
    found = [bundle.predict(song.take(part), song.n_valid[part])[:, column] for part in parts]
    predicted = np.concatenate(parts) if parts else rows
    return np.concatenate([*found, np.zeros(0)])[np.isin(predicted, rows)].astype(np.float64)


def _parts(song: RenderedSong) -> np.ndarray:
    """Return the borders of the parts in time, as numbers of frames: about as long as half a slice."""
    n_frames = len(song.frames)
    n_parts = int(np.clip(round(2 * n_frames / song.slices.n_frames), 2, MAX_PARTS))
    return np.unique(np.linspace(0, n_frames, n_parts + 1).astype(int))


def _bands(bins: Sequence[float | str]) -> np.ndarray:
    """Return the borders of the bands: of equal numbers of bins, or the kinds of features, or channels."""
    if all(isinstance(name, str) for name in bins):
        kinds = [len(list(group)) for _, group in groupby(bins, key=kind_of)]
        if 1 < len(kinds) < len(bins):
            return np.cumsum([0, *kinds])
    return np.unique(np.linspace(0, len(bins), min(N_BANDS, len(bins)) + 1).astype(int))


def kind_of(name: float | str) -> str:
    """Return the kind of a feature: ``mfcc`` for ``mfcc_3``; for a row of a stack, its channel."""
    return channel_of(name) or str(name).removesuffix("_khz").rstrip("0123456789").partition("_")[0]


def _touched(song: RenderedSong, start: int, stop: int) -> np.ndarray:
    """Return the slices that contain frames from `start` to `stop`."""
    return np.flatnonzero((song.first_frame < stop) & (song.first_frame + song.n_valid > start))
