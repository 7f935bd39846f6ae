"""A trained model tested on other music than its own data set: `genredag.evaluate`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from pathlib import Path

import numpy as np
import pandas as pd

from genredag.bundles.card import Card
from genredag.datasets.folder import list_tracks
from genredag.errors import DataError
from genredag.evaluation.curves import is_hit
from genredag.evaluation.intervals import Interval, accuracy_interval, cluster_names, macro_f1_interval
from genredag.evaluation.metrics import confusion_counts, per_genre, scores
from genredag.evaluation.predictions import PREFIX
from genredag.params.groups.datasets import Folder
from genredag.prediction.classifier import Classifier, load
from genredag.prediction.genre_names import match_genres
from genredag.prediction.learned import LearnedTracks, joined, read_learned
from genredag.prediction.song import SongPrediction, UnreadableSong
from genredag.runtime.progress import progress
from genredag.tracks.audio import Probe, probe_all
from genredag.tracks.manifest import assemble, quarantine_table

N_RESAMPLES = 2000


@dataclass(frozen=True)
class ExternalTest:
    """How a model does on a labelled collection of music.

    Attributes
    ----------
    model
        The model and its input, such as ``"crnn on mel"``.
    folder
        The folder or CSV, as given.
    class_names
        The genres that the model knows.
    tracks
        One row per predicted track: track_id, path, label (its genre as the collection calls it), genre (as
        the model calls it), artist, predicted, p_<genre>; and, if the model has calibrated sets of genres,
        in_set (whether the set holds the right genre), set_size and unsure; and, if its file says from whom
        it learned, known_artist (whether it learned from other tracks by the artist; missing if that is
        unknown, because the artist is, or those of some tracks that it learned from are).
    unknown
        Number of tracks of each label that the model does not know. They are not predicted.
    unreadable
        Why files could not be predicted, by path.
    coverage
        What the sets of genres promise; None without them.
    card
        What is known of the model, with its accuracy on its own test tracks.
    n_learned
        Number of recordings that were left out because the model learned from them; None if its file does not
        say from which it did.
    quarantine
        What else was left out, and why: copies of other tracks, and the files of a folder that are no tracks.
        Columns `QUARANTINE_COLUMNS`.
    n_resamples, seed
        Of the bootstrap.
    """

    model: str
    folder: str
    class_names: tuple[str, ...]
    tracks: pd.DataFrame
    unknown: dict[str, int]
    unreadable: dict[str, str]
    coverage: float | None
    card: Card | None
    n_learned: int | None
    quarantine: pd.DataFrame
    n_resamples: int = N_RESAMPLES
    seed: int = 0

    @property
    def absent(self) -> list[str]:
        """Genres of the model that no track has."""
        present = set(self.tracks["genre"])
        return [name for name in self.class_names if name not in present]

    @cached_property
    def accuracy(self) -> Interval:
        """Share of tracks with the right genre; the interval draws whole artists, where they are known."""
        hits, clusters = is_hit(self.tracks).to_numpy(), cluster_names(self.tracks)
        return accuracy_interval(hits, clusters, n_resamples=self.n_resamples, seed=self.seed)

    @cached_property
    def macro_f1(self) -> Interval:
        """Mean F1 of the genres that occur."""
        labels = [name for name in self.class_names if name not in self.absent]
        actual, predicted = self.tracks["genre"].tolist(), self.tracks["predicted"].tolist()
        clusters = cluster_names(self.tracks)
        return macro_f1_interval(
            actual, predicted, labels, clusters, n_resamples=self.n_resamples, seed=self.seed
        )

    @property
    def caution(self) -> str:
        """When the accuracy is too high, as a sentence."""
        if self.n_learned is None:
            return (
                "The file of the model does not say which recordings it learned from: the accuracy is too"
                " high if they include some of these, or others by their artists."
            )
        copies = "lossy copies of some of them"
        artists_known = "known_artist" in self.tracks and self.tracks["known_artist"].notna().all()
        others = "" if artists_known else ", or from others of their artists"
        return f"The accuracy on these tracks is too high if the model learned from {copies}{others}."

    @property
    def chance(self) -> float:
        """Accuracy of always naming the most common genre of the collection."""
        return float(self.tracks["genre"].value_counts(normalize=True).max())

    def per_genre(self) -> pd.DataFrame:
        """Return genre, precision, recall, f1 and support of each class; 0 if the denominator is 0."""
        return per_genre(self.tracks)

    def confusion(self) -> pd.DataFrame:
        """Count tracks by actual (rows) and predicted (columns) genre, with all classes in order."""
        return confusion_counts(self.tracks)

    def metrics(self) -> dict[str, object]:
        """Return the contents of ``metrics.json``."""
        values = scores(self.tracks) | {"macro_f1": round(self.macro_f1.estimate, 6)}
        intervals = {"accuracy": self.accuracy, "macro_f1": self.macro_f1}
        return {
            "model": self.model,
            "folder": self.folder,
            "n_tracks": len(self.tracks),
            "n_artists": int(self.tracks["artist"].nunique()),
            "unknown_genres": self.unknown,
            "absent_genres": self.absent,
            "n_unreadable": len(self.unreadable),
            "n_learned": self.n_learned,
            "n_copies": int((self.quarantine["track_id"] != "").sum()),
            "chance": round(self.chance, 6),
            "track": values,
            "intervals": {name: _bounds(interval) for name, interval in intervals.items()},
            "sets": self._sets(),
            "by_artist": self.by_artist(),
        }

    def by_artist(self) -> dict[str, dict[str, float | int]] | None:
        """Return number and accuracy of the tracks by artists that the model learned from, and by others.

        ``unknown``: the artist is unknown, or may be that of a track of unknown artist from which the model
        learned. None if nothing is known of any.
        """
        if "known_artist" not in self.tracks or self.tracks["known_artist"].isna().all():
            return None
        known, hits = self.tracks["known_artist"], is_hit(self.tracks)
        parts = {"known": hits[known.fillna(False)], "new": hits[~known.fillna(True)]}
        parts["unknown"] = hits[known.isna()]
        return {
            name: {"n_tracks": len(own), "accuracy": round(float(own.mean()), 6)}
            for name, own in parts.items()
            if len(own)
        }

    def _sets(self) -> dict[str, float] | None:
        """Return how often sets of genres held the right one; None without sets."""
        if self.coverage is None:
            return None
        names = {"held": "in_set", "mean_size": "set_size", "unsure": "unsure"}
        means = {name: round(float(self.tracks[column].mean()), 6) for name, column in names.items()}
        return {"promised": self.coverage, **means}


def evaluate(
    bundle: Classifier | Path | str,
    folder: Path | str,
    *,
    genres: Mapping[str, str] | None = None,
    n_jobs: int = 1,
    n_resamples: int = N_RESAMPLES,
    seed: int = 0,
) -> ExternalTest:
    """Test a model on a labelled collection that it was not trained on.

    Recordings that it learned from are left out, if its file says which they are, as every ``model.zip`` of
    the pipeline does. Lossy copies of them can't be told from other music. Of several tracks with the same
    samples, of genres that the model knows, one is kept, or none if their genres differ.

    Parameters
    ----------
    bundle
        A model, or its file.
    folder
        A folder ``<genre>/**/*.mp3``, or a CSV with path, genre and optionally artist.
    genres
        The model's names of genres that the collection calls otherwise; other differences of spelling than
        in letters and digits don't matter.
    n_jobs
        Processes that decode songs ahead.

    Raises
    ------
    DataError
        There is no such folder, the model knows none of its genres or learned from all of its tracks, or no
        track can be predicted.
    ModelError
        The file isn't a bundle.
    ParameterError
        `genres` has a name that does not occur.
    """
    classifier = bundle if isinstance(bundle, Classifier) else load(bundle)
    listing = list_tracks(Folder(path=str(folder)))
    known, unknown = _known(listing.tracks, classifier.class_names, genres, folder)
    learned = joined([read_learned(file) for file in classifier.files])
    n_listed = len(known)
    probes = probe_all(
        [Path(path) for path in known["path"]], min_seconds=0, silence_db=-math.inf, n_jobs=n_jobs
    )
    if learned is not None:
        known, probes = _unlearned(known, probes, learned, folder)
    n_learned = n_listed - len(known)
    known, copies = _without_copies(known, probes, folder)
    found = list(progress(classifier.predict_many(known["path"], n_jobs), "songs predicted", len(known)))
    tracks, unreadable = _table(known, found, classifier.class_names)
    if tracks.empty:
        path, reason = next(iter(unreadable.items()))
        others = {"that the model learned from": n_learned, "with the samples of another": len(copies)}
        left_out = ", ".join(f"{n} {which}" for which, n in others.items() if n)
        raise DataError(
            f"no track can be predicted, such as {path}: {reason}",
            where=str(folder),
            hint=f"left out: {left_out}" if left_out else "",
        )
    return ExternalTest(
        model=classifier.name,
        folder=str(folder),
        class_names=classifier.class_names,
        tracks=tracks,
        unknown=unknown,
        unreadable=unreadable,
        coverage=_coverage(found),
        card=next(iter(classifier.cards), None) if len(classifier.bundles) == 1 else None,
        n_learned=None if learned is None else n_learned,
        quarantine=quarantine_table(copies, _in_folder(listing.left_out, folder)),
        n_resamples=n_resamples,
        seed=seed,
    )


def _known(
    tracks: pd.DataFrame,
    class_names: tuple[str, ...],
    genres: Mapping[str, str] | None,
    folder: Path | str,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the tracks whose genre the model knows, and count those of other labels."""
    listed = tracks.rename(columns={"genre": "label"})
    genre_of = match_genres(listed["label"], class_names, genres)
    listed["genre"] = pd.Series([genre_of[label] for label in listed["label"]], dtype=object)
    is_known = listed["genre"].notna()
    if not is_known.any():
        raise DataError(
            f"the model knows none of the genres {', '.join(genre_of)}",
            where=str(folder),
            expected=", ".join(class_names),
            hint="name them as the model does, or say what they mean with --map",
        )
    unknown = listed.loc[~is_known, "label"].value_counts(sort=False)
    return listed[is_known].reset_index(drop=True), {str(label): int(n) for label, n in unknown.items()}


def _unlearned(
    tracks: pd.DataFrame, probes: Sequence[Probe], learned: LearnedTracks, folder: Path | str
) -> tuple[pd.DataFrame, list[Probe]]:
    """Return the tracks that a model did not learn from, with whether it did from others by their artists."""
    new = np.array([not learned.has_recording(probe.sha256) for probe in probes])
    if not new.any():
        raise DataError(
            f"the model learned from all of these {len(tracks)} tracks",
            where=str(folder),
            expected="other music",
        )
    known = tracks["artist"].map(learned.has_artist, na_action="ignore").astype("boolean")
    tracks = tracks.assign(known_artist=known)[new].reset_index(drop=True)
    return tracks, list(compress(probes, new))


def _in_folder(left_out: pd.DataFrame, folder: Path | str) -> pd.DataFrame:
    """Return the files left out (columns `LEFT_OUT`) with examples whose paths are like those of tracks."""
    return left_out.assign(example=[str(Path(folder, example)) for example in left_out["example"]])


def _without_copies(
    tracks: pd.DataFrame, probes: Sequence[Probe], folder: Path | str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tracks without those that have the samples of another, and the manifest of these copies."""
    manifest = assemble(tracks, probes)
    unreadable = set(compress(tracks["track_id"], (probe.problem for probe in probes)))
    copies = manifest[(manifest["status"] == "quarantined") & ~manifest["track_id"].isin(unreadable)]
    rest = tracks[~tracks["track_id"].isin(copies["track_id"])].reset_index(drop=True)
    if rest.empty:
        first = copies.iloc[0]
        raise DataError(f"no track is left: {first['path']}: {first['reason']}", where=str(folder))
    return rest, copies


def _table(
    known: pd.DataFrame, found: Iterable[SongPrediction | UnreadableSong], class_names: tuple[str, ...]
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the tracks with their predictions, and the reasons of those that have none."""
    rows, probabilities, unreadable = [], [], {}
    for track, song in zip(known.to_dict("records"), found, strict=True):
        if isinstance(song, UnreadableSong):
            unreadable[track["path"]] = track["problem"] or song.reason
            continue
        row = {key: track[key] for key in ("track_id", "path", "label", "genre", "artist")}
        row |= {"known_artist": track["known_artist"]} if "known_artist" in track else {}
        row["predicted"] = song.genre
        if song.trust is not None:
            genres = song.trust.genres
            row |= {"in_set": track["genre"] in genres, "set_size": len(genres), "unsure": song.trust.unsure}
        rows.append(row)
        probabilities.append(song.probabilities)
    columns = [PREFIX + name for name in class_names]
    shares = pd.DataFrame(np.reshape(probabilities, (len(rows), len(columns))), columns=columns)
    tracks = pd.DataFrame(rows)
    if "known_artist" in tracks:
        tracks["known_artist"] = tracks["known_artist"].astype("boolean")
    return pd.concat([tracks, shares], axis=1), unreadable


def _coverage(found: Iterable[SongPrediction | UnreadableSong]) -> float | None:
    return next(
        (song.trust.coverage for song in found if isinstance(song, SongPrediction) and song.trust), None
    )


def _bounds(interval: Interval) -> list[float] | None:
    """Return an interval's bounds; None if there is only one cluster."""
    return None if interval.low != interval.low else [round(interval.low, 6), round(interval.high, 6)]
