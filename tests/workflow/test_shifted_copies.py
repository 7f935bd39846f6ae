"""Shifted copies, from audio to predictions: they are in the training part only, with their track."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from genredag.frames.rendering import render, with_shifted_copies
from genredag.frames.slices import cut
from genredag.frames.split_slices import SliceSpec, SplitSlices
from genredag.frames.store import open_frames
from genredag.params.groups.models import Estimator, Train
from genredag.params.groups.slices import Slices
from genredag.params.groups.spectrograms import Mel, Rendering, Shift
from genredag.params.loading import load_params
from genredag.prediction.held_out import predict_split
from genredag.splits.split import check_split, split_slices
from genredag.training import fitting
from genredag.training.train import train_bundle

SR = 4000
GROUP = Mel(
    n_fft=256, hop_length=100, window="hann", n_mels=8, fmin=0.0, fmax=2000.0, scale="db", top_db=80.0
)
SHIFTS = [Shift(pitch_semitones=1.0, tempo=1.0), Shift(pitch_semitones=-2.0, tempo=1.25)]
SVM = Estimator(
    backbone=None,
    kind="estimator",
    features="bin_statistics",
    folds=2,
    options={"C": [0.1, 1.0], "kernel": "rbf", "gamma": "scale", "min_variance": 0.0, "selection_trees": 0},
)


def make_manifest(genres: dict[str, int], seconds: float = 2.0) -> pd.DataFrame:
    """List some tracks a genre, two an artist."""
    rows = [(f"{g}.{i:05d}", g, f"{g} {i // 2}") for g, n in genres.items() for i in range(n)]
    tracks = pd.DataFrame(rows, columns=["track_id", "genre", "artist"])
    known = {"sha256": tracks["track_id"], "path": tracks["track_id"] + ".wav"}
    return tracks.assign(duration=seconds, sr=SR, status="ok", subset=None, **known)


def sides(split: pd.DataFrame, parents: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return the part of each track, and of each copy, by track_id."""
    parts = split.drop_duplicates("track_id").set_index("track_id")["part"]
    is_copy = parts.index.isin(parents.index)
    return parts[~is_copy], parts[is_copy]


@pytest.fixture(scope="module")
def protocols(project_dir):
    return load_params(project_dir / "params.yaml").splits


def test_copies_are_used_for_training_only(tmp_path, protocols, monkeypatch):
    rng = np.random.default_rng(0)
    manifest = make_manifest({"low": 10, "high": 10})
    for track in manifest.itertuples():
        time = np.arange(2 * SR) / SR
        y = np.sin(2 * np.pi * {"low": 250, "high": 1000}[track.genre] * time) + rng.normal(0, 0.1, 2 * SR)
        soundfile.write(tmp_path / track.path, 0.2 * y, SR)
    rendering = Rendering(sr=SR, dtype="float16", shifts=SHIFTS)
    render(manifest, "mel", GROUP, rendering, cache_dir=tmp_path, out_dir=tmp_path / "mel", n_jobs=1)
    frames = open_frames(tmp_path / "mel")
    params = Slices(seconds=1.0, overlap=0.5, short_tracks="pad")
    slices, summary = cut(frames.index, frames.spec.frames_per_second, params)
    split = split_slices(manifest, slices, protocols["stratified_8_1_1"], 0)
    check_split(split, manifest, protocols["stratified_8_1_1"])

    fitted, fit = {}, fitting.fit_estimator
    monkeypatch.setattr(fitting, "fit_estimator", lambda *a, **k: fitted.update(k) or fit(*a, **k))
    train = Train(precision="float32", threads=1, normalisation="bin")
    data = SplitSlices(frames, slices, SliceSpec.of(summary), split)
    bundle, _, _ = train_bundle("svm_rbf", SVM, train, data, seed=0)
    predictions = predict_split(bundle, data)

    of_track = slices["parent"].fillna(slices["track_id"])
    held_out = set(predictions["track_id"])
    assert len(held_out) == 4
    assert held_out == set(manifest["track_id"]) - set(of_track[split["part"] == "train"])
    seen = pd.Series(fitted["training"].track_ids).value_counts()
    assert set(seen.index) == set(manifest["track_id"]) - held_out
    assert set(seen) == {3 + 3 + 2}  # slices of a track, of its copy, and of the one that is faster
    assert set(fitted["validation"].track_ids) < held_out
    assert bundle.info["frames"]["shifts"] == ["pitch+1", "pitch-2_tempo1.25"]
    assert (predictions["predicted"] == predictions["genre"]).all()


@settings(max_examples=50, deadline=None)
@given(
    n_tracks=st.lists(st.integers(10, 30), min_size=2, max_size=4),
    shifts=st.lists(
        st.floats(-12, 12).filter(lambda n: f"{n:g}" != "0"), max_size=3, unique_by="{:g}".format
    ),
    tempo=st.floats(0.5, 2),
    seconds=st.floats(0.4, 1.5),
    short_tracks=st.sampled_from(["pad", "quarantine"]),
    name=st.sampled_from(["stratified_8_1_1", "artist_disjoint", "kfold_10", "artist_kfold_5"]),
    seed=st.integers(0, 99),
)
def test_no_copy_crosses(protocols, n_tracks, shifts, tempo, seconds, short_tracks, name, seed):
    protocol = protocols[name]
    manifest = make_manifest({f"g{i}": n for i, n in enumerate(n_tracks)}, seconds=1.5)
    tracks = with_shifted_copies(manifest, [Shift(pitch_semitones=n, tempo=tempo) for n in shifts])
    tracks = tracks.assign(first_frame=0, n_frames=np.int32(150))
    params = Slices(seconds=seconds, overlap=0.5, short_tracks=short_tracks)
    slices, _ = cut(tracks, 40.0, params)
    split = split_slices(manifest, slices, protocol, seed)
    check_split(split, manifest, protocol)
    parents = tracks.dropna(subset="parent").set_index("track_id")["parent"]
    originals, copies = sides(split, parents)
    parent_trains = originals[parents[copies.index]].to_numpy() == "train"
    assert (copies[parent_trains] == "train").all()
    assert copies[~parent_trains].isna().all()
    alone = split_slices(manifest, slices[slices["parent"].isna()], protocol, seed)
    assert originals.equals(sides(alone, parents)[0])
