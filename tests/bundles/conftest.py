"""A model card to test with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from genredag.bundles.card import Card, DataFacts, Estimate, GenreScore, SetScore


@pytest.fixture(scope="session")
def make_card() -> Callable[..., Card]:
    """Return a function that makes a card of a model for two genres, with changes."""
    return _make_card


def _make_card(**changes: object) -> Card:
    genres = [("blues", 1.0, 0.5, 2 / 3, 20), ("rock", 2 / 3, 1.0, 0.8, 20)]
    values = {
        "name": "svm_rbf on mel",
        "model": "svm_rbf",
        "n_parameters": None,
        "data": DataFacts(
            name="toys",
            homepage="https://toys.example",
            licence="CC0",
            citation="@misc{toys, title = {Toys}}\n",
        ),
        "representation": "mel",
        "input": "mel, 128 bins",
        "split": "artist_disjoint",
        "fold": 0,
        "protocol": "no artist has tracks in more than one part",
        "track_decision": "mean",
        "tracks": {"train": 320, "validation": 40, "test": 40},
        "accuracy": Estimate(value=0.75, low=0.6, high=0.86),
        "chance": 0.5,
        "macro_f1": 0.7333,
        "validation_accuracy": 0.8,
        "genres": tuple(
            GenreScore(genre=g, precision=p, recall=r, f1=f, tracks=n) for g, p, r, f, n in genres
        ),
        "sets": SetScore(promised=0.9, held=0.925, mean_size=1.3, unsure=0.3, groups=38),
        "unlike": 0.025,
        "limits": ("It knows 2 genres.", "Mind the interval."),
        "warning": None,
        "seed": 1,
        "date": "2024-05-31",
        "commit": "abc123",
        "versions": {"python": "3.11.0", "numpy": "2.1.0"},
    }
    return Card(**(values | changes))
