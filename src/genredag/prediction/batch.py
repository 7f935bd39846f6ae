"""Many songs, which a journal remembers, so that a killed run resumes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from genredag.prediction.song import SongPrediction, UnreadableSong

if TYPE_CHECKING:
    from genredag.prediction.classifier import Classifier
    from genredag.prediction.journal import Journal


def new_songs(sources: Sequence[str], journal: Journal | None) -> list[str]:
    """Return the songs that are not in the journal."""
    return [source for source in sources if journal is None or journal.find(source) is None]


def predict_batch(
    classifier: Classifier,
    sources: Sequence[str],
    new: Sequence[str],
    journal: Journal | None,
    n_jobs: int,
) -> Iterator[SongPrediction | UnreadableSong]:
    """Yield the prediction of each song, in order; those that are not `new` come from the journal."""
    predictions, waiting = classifier.predict_many(new, n_jobs), set(new)
    for source in sources:
        found = None if journal is None or source in waiting else journal.find(source)
        if found is None:
            # A song that was known has changed since the beginning of the run if the journal lacks it now.
            found = next(predictions) if source in waiting else next(classifier.predict_many([source]))
            if journal is not None:
                journal.add(found)
        yield found
