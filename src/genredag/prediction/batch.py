"""Many songs, which a journal remembers, so that a killed run resumes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from genredag.prediction.song import SongPrediction, UnreadableSong

if TYPE_CHECKING:
    from genredag.prediction.classifier import Classifier
    from genredag.prediction.journal import Journal


def predict_batch(
    classifier: Classifier, sources: Sequence[str], journal: Journal | None, n_jobs: int
) -> Iterator[SongPrediction | UnreadableSong]:
    """Yield the prediction of each song, in order. Songs in the journal are not decoded again."""
    if journal is None:
        yield from classifier.predict_many(sources, n_jobs)
        return
    new = [source for source in sources if journal.find(source) is None]
    predictions = classifier.predict_many(new, n_jobs)
    waiting = set(new)
    for source in sources:
        known = None if source in waiting else journal.find(source)
        if known is None:
            # If a file has changed since the beginning of the run, it isn't among the new ones.
            known = next(predictions) if source in waiting else next(classifier.predict_many([source]))
            journal.add(known)
        yield known
