"""Predict songs with several models: where the true genre ranks, and what each model makes of the rest."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from genredag.audits.external_songs.verdicts import UNREADABLE, verdict_of
from genredag.datasets.folder import list_tracks
from genredag.evaluation.predictions import PREFIX
from genredag.params.groups.datasets import Folder
from genredag.prediction.classifier import Classifier
from genredag.prediction.genre_names import match_genres
from genredag.prediction.song import SongPrediction, UnreadableSong
from genredag.runtime.progress import progress
from genredag.tracks.audio import SUFFIXES


def list_songs(path: Path) -> pd.DataFrame:
    """List the songs of a CSV, or of folders named by genre; files next to the folders have no label.

    Returns
    -------
    pd.DataFrame
        song, path, label; the label is None for an unlabelled song.

    Raises
    ------
    DataError
        There is no such folder or CSV, or it names no audio files.
    """
    files = sorted(path.iterdir()) if path.is_dir() else []
    loose = [
        {"song": file.stem, "path": str(file), "label": None}
        for file in files
        if file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and file.is_file()
    ]
    if loose and not any(file.is_dir() and not file.name.startswith(".") for file in files):
        return pd.DataFrame(loose)
    labelled = list_tracks(Folder(path=str(path))).tracks
    labelled = labelled.rename(columns={"track_id": "song", "genre": "label"})[["song", "path", "label"]]
    return pd.concat([labelled, pd.DataFrame(loose, columns=list(labelled))], ignore_index=True)


def predict_external(models: Iterable[Classifier], songs: pd.DataFrame, n_jobs: int = 1) -> pd.DataFrame:
    """Predict every song with every model.

    Parameters
    ----------
    songs
        What `list_songs` returned.

    Returns
    -------
    pd.DataFrame
        One row per model and song: model, song, path, genre (the label), verdict, predicted, probability (of
        the predicted genre), rank (of the true genre, from 1), genres (the set that holds the right one, if
        the model has such sets), unsure, reason (why a song is unreadable), p_<genre>. A label that the model
        does not know counts as no label.
    """
    tables = []
    for classifier in models:
        known = match_genres([label for label in songs["label"] if label], classifier.class_names)
        name = model_name(classifier)
        found = classifier.predict_many(songs["path"], n_jobs)
        listed = songs.to_dict("records")
        predicted = progress(found, f"songs predicted with {name}", len(songs))
        rows = [
            {"model": name, "song": song["song"], "path": song["path"], "genre": song["label"]}
            | _outcome(result, known.get(song["label"]))
            for song, result in zip(listed, predicted, strict=True)
        ]
        tables.append(pd.DataFrame(rows))
    return pd.concat(tables, ignore_index=True)


def model_name(classifier: Classifier) -> str:
    """Return the model, its input and what it was trained on, such as ``svm_rbf on mel, gtzan, seed 42``."""
    card = next((card for card in classifier.cards if card is not None), None)
    if card is None:
        return classifier.name
    fold = f" fold {card.fold}" if card.fold else ""
    return f"{classifier.name}, {card.data.name}, {card.split}{fold}, seed {card.seed}"


def _outcome(result: SongPrediction | UnreadableSong, genre: str | None) -> dict[str, object]:
    if isinstance(result, UnreadableSong):
        return {"verdict": UNREADABLE, "reason": result.reason}
    ranking = [name for name, _ in result.top(len(result.class_names))]
    rank = ranking.index(genre) + 1 if genre else None
    trust = result.trust
    shares = zip(result.class_names, result.probabilities.tolist(), strict=True)
    return {
        "verdict": verdict_of(rank),
        "predicted": result.genre,
        "probability": float(result.probabilities.max()),
        "rank": rank,
        "genres": ", ".join(trust.genres) if trust else None,
        "unsure": trust.unsure if trust else None,
        "reason": None,
        **{PREFIX + name: share for name, share in shares},
    }
