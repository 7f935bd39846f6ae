"""Outcomes: selection, hits, and impossible splits."""

import dataclasses

import numpy as np
import pytest

from genredag.audits.leakage import outcomes
from genredag.audits.leakage.candidates import Candidates
from genredag.audits.leakage.outcomes import COLUMNS, audit, hits_of, select, warning
from genredag.params.groups.splits import LeakySlices, Official, Stratified

RATIOS = {"ratios": [0.5, 0.25, 0.25]}


def accuracy(scores, labels):
    return (scores.argmax(axis=-1) == labels).mean()


@pytest.mark.parametrize("seed", range(5))
def test_selection_on_test_is_never_worse_on_the_selecting_quantity(seed):
    rng = np.random.default_rng(seed)
    scores = {part: rng.random((6, 40, 4)) for part in ("validation", "test")}
    labels = {part: rng.integers(0, 4, 40) for part in scores}
    by = {part: scores["test"][select(scores[part], labels[part])] for part in scores}
    best = max(accuracy(candidate, labels["test"]) for candidate in scores["test"])
    assert accuracy(by["test"], labels["test"]) == best >= accuracy(by["validation"], labels["test"])


def test_the_first_of_tied_candidates_is_selected():
    right, wrong = np.eye(2)[[0, 1]], np.eye(2)[[1, 0]]
    assert select(np.stack([wrong, right, right]), np.array([0, 1])) == 1


def test_hits_of_slices_and_of_tracks(parts):
    slices = parts["test"]
    labels = np.repeat(np.arange(6) % 3, 3)
    scores = np.eye(3)[labels]
    scores[1], scores[3:5] = [0.4, 0.6, 0], [0.9, 0.1, 0]  # one slice of track 0 is wrong; two of track 1
    found = hits_of(scores, dataclasses.replace(slices, labels=labels)).set_index(["level", "track_id"])
    ids = sorted(set(slices.track_ids))
    assert found.loc["slice", "hits"][ids].tolist() == [2, 1, 3, 3, 3, 3]
    assert found.loc["slice", "n"][ids].tolist() == [3] * 6
    assert found.loc["track", "hits"][ids].tolist() == [1, 0, 1, 1, 1, 1]
    assert found.loc["track", "n"][ids].tolist() == [1] * 6


def test_all_but_the_correct_way_are_marked_leaky():
    assert warning("train", "validation") == ""
    assert warning("everything", "test") == "LEAKY: scaled on test slices, selected on test"
    assert warning("train", "test") == "LEAKY: selected on test"


@pytest.mark.parametrize(
    "protocol",
    [
        Stratified(protocol="stratified", group_by="artist", **RATIOS),
        LeakySlices(protocol="leaky_slices", **RATIOS),
    ],
)
def test_a_split_is_audited_in_all_ways(manifest, toy_slices, group, protocol):
    table = audit(manifest, toy_slices, protocol, group, 1)
    assert list(table.columns) == list(COLUMNS)
    ways = table.groupby(["model", "scaling", "selection", "level"])
    assert len(ways) == 2 * 2 * 2 * 2
    assert ways["track_id"].apply(lambda ids: tuple(sorted(ids))).nunique() == 1
    assert (table["hits"] <= table["n"]).all()
    assert table["artist"].notna().all()
    # Three bands of noise, 12 dB apart: no machine misses them.
    svm = table[(table["model"] == "svm") & (table["level"] == "slice")]
    assert (svm["hits"] == svm["n"]).all()


def test_each_selection_chooses_by_its_own_part(manifest, toy_slices, group, monkeypatch):
    """The first candidate is right on validation alone, the second on test alone."""

    def candidates(parts, *_):
        right = {part: np.eye(3)[slices.labels] for part, slices in parts.items()}
        wrong = {part: np.roll(scores, 1, axis=1) for part, scores in right.items()}
        scores = {"validation": (right, wrong), "test": (wrong, right)}
        return Candidates(
            ["one", "two"], {part: np.stack([s[part] for s in both]) for part, both in scores.items()}
        )

    for model in ("svm", "cnn"):
        monkeypatch.setattr(outcomes, f"{model}_candidates", candidates)
    table = audit(manifest, toy_slices, LeakySlices(protocol="leaky_slices", **RATIOS), group, 1)
    for selection, chosen, rate in (("validation", "one", 0), ("test", "two", 1)):
        own = table[(table["selection"] == selection) & (table["level"] == "slice")]
        assert set(own["candidate"]) == {chosen}
        assert own["hits"].sum() == rate * own["n"].sum()


def test_artists_are_those_of_the_tracks(manifest, toy_slices, group):
    table = audit(manifest, toy_slices, LeakySlices(protocol="leaky_slices", **RATIOS), group, 1)
    assert (table["artist"] == table["track_id"].map(manifest.set_index("track_id")["artist"])).all()


def test_an_impossible_split_gives_one_row_with_the_reason(manifest, toy_slices, group):
    listed = Official(protocol="official", test="test", validation_share=None)
    table = audit(manifest, toy_slices, listed, group, 1)
    assert len(table) == 1
    assert table["level"].isna().all()
    assert "lists no track" in table["warning"].iloc[0]
