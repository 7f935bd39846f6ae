from __future__ import annotations

import dataclasses
import json
import zipfile

import numpy as np
import pandas as pd
import pytest

from genredag.bundles.bundle import save_bundle
from genredag.bundles.card import read_card
from genredag.bundles.loading import load_bundle
from genredag.evaluation.predictions import track_predictions
from genredag.params.groups.splits import KFold, LeakySlices, Official, Stratified
from genredag.prediction.held_out import predict_split
from genredag.prediction.model_file import Run, describe, protocol_in_words, track_features, write_model
from genredag.prediction.tables import model_lines
from genredag.prediction.trust import music_features, read_calibration
from genredag.training.train import train_bundle
from recipes import SVM, TRAIN

FACTS = {"homepage": "toys.example", "license": "CC0", "citation": "@misc{toys}"}
ARTISTS = Stratified(protocol="stratified", ratios=[0.8, 0.1, 0.1], group_by="artist")
TRACKS = ARTISTS.model_copy(update={"group_by": "track"})


@pytest.fixture(scope="module")
def bundle(toy_slices):
    return train_bundle("svm_rbf", SVM, TRAIN, toy_slices, seed=1)[0]


def described(bundle, data, protocol=ARTISTS, facts=FACTS, change=lambda tracks: tracks):
    tracks = change(track_predictions(predict_split(bundle, data), "mean"))
    run = Run("toys", "s", 2, protocol, "mean", facts, data)
    return describe(bundle.info, run, tracks, n_resamples=200)


def test_synthetic_training_sounds_are_a_limit(bundle, toy_slices):
    tracks = track_predictions(predict_split(bundle, toy_slices), "mean")
    said = {}
    for name in ("toys", "synthetic"):
        run = Run(name, "s", 2, ARTISTS, "mean", FACTS, toy_slices)
        card, _ = describe(bundle.info, run, tracks, n_resamples=200)
        said[name] = any("real music means nothing" in limit for limit in card.limits)
        assert any("trained on synthetic sounds" in line for line in model_lines(["m"], [card])) == said[name]
    assert said == {"toys": False, "synthetic": True}


def test_a_card_says_what_and_how_good(bundle, toy_slices):
    card, calibration = described(bundle, toy_slices)
    assert card.name == "svm_rbf on mel"
    assert card.data.model_dump() == {
        **{"name": "toys", "homepage": "toys.example", "licence": "CC0", "citation": "@misc{toys}"}
    }
    assert card.tracks == {"train": 12, "validation": 6, "test": 6}
    assert (card.split, card.fold, card.seed, card.track_decision) == ("s", 2, 1, "mean")
    assert card.accuracy.value == card.macro_f1 == card.validation_accuracy == 1
    assert card.accuracy.low < 1 == card.accuracy.high
    assert card.chance == pytest.approx(1 / 3, abs=1e-6)
    assert [(row.genre, row.tracks, row.recall) for row in card.genres] == [
        *(("blues", 2, 1), ("jazz", 2, 1), ("rock", 2, 1))
    ]
    assert card.warning is None
    assert card.commit == bundle.info["commit"]
    assert calibration.class_names == ("blues", "jazz", "rock")
    assert "12 bins" in card.input and "1 s, 50% overlap" in card.input


def test_a_card_names_the_members_of_an_ensemble(bundle, toy_slices):
    members = {"svm_rbf": {"copies": 1}, "random_forest": {"copies": 2}}
    info = bundle.info | {"recipe": {"kind": "ensemble", "members": members}}
    run = Run("toys", "s", 2, ARTISTS, "mean", FACTS, toy_slices)
    card, _ = describe(info, run, track_predictions(predict_split(bundle, toy_slices), "mean"), 200)
    assert card.members == {"svm_rbf": 1, "random_forest": 2}
    assert described(bundle, toy_slices)[0].members == {}


def test_a_card_names_the_channels_of_a_stack(bundle, toy_slices):
    stack = {"n_channels": 3, "params": {"channels": {"mel": {}, "cqt": {}, "chroma_stft": {}}}}
    info = {**bundle.info, "frames": bundle.info["frames"] | stack}
    run = Run("toys", "s", 2, ARTISTS, "mean", FACTS, toy_slices)
    tracks = track_predictions(predict_split(bundle, toy_slices), "mean")
    card, _ = describe(info, run, tracks, n_resamples=200)
    assert "mel, 4 bins of mel, cqt, chroma_stft, 10.0 frames per second" in card.input


def test_a_card_counts_mistakes(bundle, toy_slices):
    def confuse(tracks):
        wrong = (tracks["part"] == "test") & (tracks["genre"] == "jazz")
        return tracks.assign(predicted=tracks["predicted"].mask(wrong, "rock"))

    card, _ = described(bundle, toy_slices, change=confuse)
    assert card.accuracy.value == pytest.approx(4 / 6, abs=1e-6)
    assert card.macro_f1 == pytest.approx((1 + 0 + 2 * 0.5 / 1.5) / 3, abs=1e-6)
    assert "It misses more than half of the test tracks of jazz." in card.limits
    assert "jazz" in card.markdown() and "67 %" in card.markdown()


def test_few_artists_give_sets_of_all_genres(bundle, toy_slices):
    card, calibration = described(bundle, toy_slices)
    # The artists of the six validation tracks are 4 and 5: too few.
    assert (calibration.n_groups, calibration.least_probability) == (2, 0)
    assert (card.sets.held, card.sets.mean_size, card.sets.unsure) == (1, 3, 1)
    assert any("all genres" in limit for limit in card.limits)


@pytest.mark.parametrize(("protocol", "said"), [(ARTISTS, False), (TRACKS, True)])
def test_shared_artists_are_a_limit(bundle, toy_slices, protocol, said):
    card, _ = described(bundle, toy_slices, protocol)
    assert any("by artists of the training tracks" in limit for limit in card.limits) == said


def test_a_leaky_split_is_said_first(bundle, toy_slices):
    split = toy_slices.split.copy()
    split.loc[0, "part"] = "test"
    data = dataclasses.replace(toy_slices, split=split)
    leaky = dataclasses.replace(bundle, info=bundle.info | {"warning": "LEAKY: really"})
    card, _ = described(leaky, data, LeakySlices(protocol="leaky_slices", ratios=[0.8, 0.1, 0.1]))
    assert card.markdown().splitlines()[2] == "**LEAKY: really**"
    assert any("no number on this card" in limit for limit in card.limits)


def test_unknown_facts_and_artists_are_said(bundle, toy_slices):
    data = dataclasses.replace(
        toy_slices, split=toy_slices.split.assign(artist=pd.NA).astype({"artist": "str"})
    )
    card, _ = described(bundle, data, facts={})
    assert (card.data.licence, card.data.homepage) == ("unknown", "unknown")
    assert any(
        limit.startswith("The artist of 100% of the validation tracks is unknown") for limit in card.limits
    )


@pytest.mark.parametrize(
    ("protocol", "words"),
    [
        (ARTISTS, "whole artists, 80 : 10 : 10 in every genre; no artist has tracks in more than one part"),
        (KFold(protocol="kfold", k=5, group_by="track"), "5 folds of whole tracks; no track has slices in"),
        (
            Official(protocol="official", test="test", validation_share=None),
            "the split that the data set lists;",
        ),
        (
            LeakySlices(protocol="leaky_slices", ratios=[0.8, 0.1, 0.1]),
            "LEAKY: slices of one track train and",
        ),
    ],
)
def test_protocols_in_words(protocol, words):
    assert protocol_in_words(protocol).startswith(words)


def test_features_of_tracks_leave_shifted_copies_out(toy_slices):
    slices = toy_slices.part("train")
    found = track_features(slices)
    assert found.shape == (12, 24)
    first = music_features(slices.take(np.arange(3)), slices.n_valid[:3]).mean(axis=0)
    np.testing.assert_allclose(found[0], first)
    cut_from = slices.cut_from.astype("U30")
    cut_from[:3] = "blues.00000~up"
    assert len(track_features(dataclasses.replace(slices, cut_from=cut_from))) == 11


def test_the_file_is_a_bundle_and_more(bundle, toy_slices, tmp_path):
    save_bundle(tmp_path / "bundle.zip", bundle)
    card, calibration = described(bundle, toy_slices)
    for name in ("model.zip", "again.zip"):
        write_model(tmp_path / name, tmp_path / "bundle.zip", *described(bundle, toy_slices))
    assert (tmp_path / "model.zip").read_bytes() == (tmp_path / "again.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "model.zip") as archive:
        assert archive.namelist() == [
            "README.md",
            "bundle.json",
            "card.json",
            "estimator.skops",
            "trust.json",
        ]
        assert archive.read("README.md").decode() == card.markdown()
        assert json.loads(archive.read("card.json"))["model"] == "svm_rbf"
    assert read_card(tmp_path / "model.zip") == card
    assert read_calibration(tmp_path / "model.zip").json_text() == calibration.json_text()
    slices = toy_slices.part("test").take(np.arange(6))
    ours, theirs = (load_bundle(tmp_path / name) for name in ("bundle.zip", "model.zip"))
    assert (ours.predict(slices) == theirs.predict(slices)).all()
    assert theirs.info == ours.info
