import numpy as np
import pandas as pd
import pytest

from genredag.params.groups.audits import AuditCnn, AuditSvm, LeakageAudit

SPLITS = {"slices": "leaky_slices", "tracks": "by_track", "artists": "by_artist", "faults": "listed"}


@pytest.fixture
def group():
    """Return small parameters for the audit."""
    return LeakageAudit(
        dataset=["toy"],
        representation="mel",
        split=SPLITS,
        seed=[1, 2],
        svm=AuditSvm(C=[0.001, 1.0]),
        cnn=AuditCnn(filters=[4], learning_rate=0.01, batch_size=8, epochs=3),
    )


@pytest.fixture
def parts(toy_slices):
    """Return the toy slices by part."""
    return {part: toy_slices.part(part) for part in ("train", "validation", "test")}


@pytest.fixture
def manifest(toy_slices):
    """Return a manifest of the toy tracks: two per artist, no listed subset."""
    tracks = toy_slices.split.drop_duplicates("track_id")[["track_id", "genre"]].reset_index(drop=True)
    artist = tracks["genre"] + " artist " + (np.arange(len(tracks)) // 2).astype(str)
    return tracks.assign(artist=artist, subset=None, status="ok", sha256=tracks["track_id"])


@pytest.fixture
def outcomes_table():
    """Return a function that makes track outcomes of one way to evaluate: `hits` of tracks 0, 1, ..."""

    def make(split, hits, *, selection="validation", seed=1, artists=None):
        track_ids = [f"track {i}" for i in range(len(hits))]
        return pd.DataFrame(
            {
                **{"dataset": "toy", "split": split, "seed": seed, "model": "svm", "scaling": "train"},
                **{"selection": selection, "candidate": "C=1", "level": "track", "track_id": track_ids},
                **{"artist": artists or [None] * len(hits), "hits": hits, "n": 1, "warning": ""},
            }
        )

    return make
