"""What a model says of a song: genre probabilities, over time and for the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Timeline:
    """Predictions of the slices of a song.

    Attributes
    ----------
    start, end
        Where each slice begins and ends, in seconds, (n_slices,). If the last slice of a song is padded, its
        end is that of the song.
    probabilities
        Float32 (n_slices, n_classes).
    """

    start: np.ndarray
    end: np.ndarray
    probabilities: np.ndarray


@dataclass(frozen=True)
class Trust:
    """How far a prediction can be trusted.

    Attributes
    ----------
    genres
        The smallest set of genres found to hold the right one in `coverage` of the validation tracks, most
        probable first.
    coverage
        A share, such as 0.9.
    unsure
        Whether the set is so large that the prediction says little.
    unlike_training
        Whether the song is further from the training music than nearly all validation tracks; None if it is
        unknown.
    """

    genres: tuple[str, ...]
    coverage: float
    unsure: bool
    unlike_training: bool | None

    @property
    def doubts(self) -> str:
        """Why not to rely on the prediction, in words; empty if there is no reason."""
        doubts = ["unsure"] * self.unsure + ["unlike the training music"] * bool(self.unlike_training)
        return ", ".join(doubts)


@dataclass(frozen=True)
class Spectrogram:
    """What a model saw of a song, in few enough columns to draw.

    Attributes
    ----------
    values
        Float32 (n_columns, n_bins), in `unit`.
    bins
        Centre frequency of each bin in Hz, or the name of a feature.
    seconds
        Length of the song.
    """

    values: np.ndarray
    bins: Sequence[float | str]
    unit: str
    seconds: float


@dataclass(frozen=True)
class SongPrediction:
    """The genres of a song.

    Attributes
    ----------
    source
        The file or address, as given.
    class_names
        Genres in the order of `probabilities`.
    probabilities
        Float64 (n_classes,): of the whole song.
    timeline
        The slices that `probabilities` combines.
    duration
        Length of the song, in seconds.
    trust
        None if the bundle wasn't calibrated, or if there are several bundles.
    spectrogram
        For plots; None for songs of a batch.
    """

    source: str
    class_names: tuple[str, ...]
    probabilities: np.ndarray
    timeline: Timeline
    duration: float
    trust: Trust | None
    spectrogram: Spectrogram | None = None

    def __repr__(self) -> str:
        top = ", ".join(f"{genre} {probability:.0%}" for genre, probability in self.top())
        return f"<{type(self).__name__} {self.source!r}: {top}>"

    def plot(self) -> Figure:
        """Draw the probabilities as bars, and over time under the spectrogram: `genredag.song_figure`."""
        import genredag

        figure: Figure = genredag.song_figure(self)
        return figure

    @property
    def genre(self) -> str:
        """The most probable genre; see `top`."""
        return self.top(1)[0][0]

    @property
    def set(self) -> tuple[str, ...] | None:
        """The genres that hold the right one as often as `trust` promises; None without `trust`."""
        return self.trust.genres if self.trust else None

    def top(self, n: int = 3) -> list[tuple[str, float]]:
        """Return the `n` most probable genres with their probabilities.

        Of genres that are equally probable, such as those with as many votes of slices, the one with the
        larger mean over the slices comes first, as in the evaluate stage; then the order of classes decides.
        """
        means = self.timeline.probabilities.mean(axis=0, dtype=np.float64)
        order = np.lexsort((-means, -self.probabilities))[:n]
        return [(self.class_names[i], float(self.probabilities[i])) for i in order]

    def led(self) -> dict[str, float]:
        """Return the share of the slices in which each genre is the most probable; the values add up to 1."""
        leaders = self.timeline.probabilities.argmax(axis=1)
        shares = np.bincount(leaders, minlength=len(self.class_names)) / len(leaders)
        return dict(zip(self.class_names, shares.tolist(), strict=True))


@dataclass(frozen=True)
class UnreadableSong:
    """A song that can't be predicted.

    Attributes
    ----------
    source
        The file or address, as given.
    reason
        What is wrong with it, in one line.
    """

    source: str
    reason: str
