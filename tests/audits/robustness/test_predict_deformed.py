"""Predictions of deformed tracks; those of undeformed tracks match the evaluate stage to the last bit."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml

from genredag.audits.robustness.deformations import Deformation
from genredag.audits.robustness.predicting import moved, predict_deformed, rendered
from genredag.errors import DataError
from genredag.params.groups.splits import LEAKY
from genredag.params.loading import parse_params
from genredag.prediction.held_out import predict_split
from genredag.training.train import train_bundle

DEFORMATIONS = [
    Deformation("gain_db", -6.0),
    Deformation("noise_snr_db", -20.0),
    Deformation("mp3_kbps", 16.0),
    Deformation("resample_hz", 4_000.0),
    Deformation("high_pass_hz", 600.0),
]


def train(data, name, project_dir, tmp_path):
    tree = yaml.safe_load((project_dir / "params.yaml").read_text(encoding="utf-8"))
    if tree["models"][name]["kind"] == "network":
        tree["models"][name] |= {"epochs": 1, "batch_size": 8}
    else:
        tree["models"][name]["options"]["C"] = 10.0  # too few tracks for a search
    params = parse_params(tree)
    bundle, _, _ = train_bundle(
        name,
        params.models[name],
        params.train,
        data.sliced,
        embeddings=np.empty((0, 0), np.float32),
        seed=1,
        checkpoint=tmp_path / "checkpoint",
    )
    return bundle


def predict(bundle, data, deformations=(), **changed):
    sliced = dataclasses.replace(data.sliced, **changed)
    return predict_deformed(bundle, sliced, data.manifest, deformations, cache_dir=data.folder, n_jobs=1)


@pytest.fixture(scope="module")
def machine(data_set, project_dir, tmp_path_factory):
    return train(data_set, "svm_rbf", project_dir, tmp_path_factory.mktemp("machine"))


@pytest.mark.parametrize(
    ("model", "dtype"),
    [("svm_rbf", "float16"), ("svm_rbf", "uint8"), ("lstm", "float16"), ("crnn_windows", "uint8")],
)
def test_undeformed_tracks_are_predicted_as_by_the_evaluate_stage(
    make_data_set, project_dir, tmp_path, model, dtype
):
    data = make_data_set(dtype)
    bundle = train(data, model, project_dir, tmp_path)
    evaluated = predict_split(bundle, data.sliced)
    expected = evaluated[evaluated["part"] == "test"].reset_index(drop=True)
    found = predict(bundle, data)
    assert (found["deformation"] == "none").all()
    assert found["strength"].isna().all()
    pd.testing.assert_frame_equal(found[expected.columns], expected, check_exact=True)


@pytest.mark.parametrize("dtype", ["float16", "uint8"])
def test_rendering_again_gives_the_stored_frames(make_data_set, dtype):
    data = make_data_set(dtype)
    tracks = data.manifest.iloc[[12, 3, 17]]
    store = rendered(tracks, data.sliced.frames, None, cache_dir=data.folder, n_jobs=1)
    assert store.array.dtype == data.sliced.frames.array.dtype
    own = data.sliced.slices[data.sliced.slices["track_id"].isin(tracks["track_id"])]
    before, again = (
        frames.gather(
            slices["first_frame"].to_numpy(), data.sliced.spec.n_frames, slices["n_valid"].to_numpy()
        )
        for frames, slices in ((data.sliced.frames, own), (store, moved(own, data.sliced.frames, store)))
    )
    np.testing.assert_array_equal(again, before)


def test_every_deformation_has_the_rows_of_the_test_part(machine, data_set):
    table = predict(machine, data_set, DEFORMATIONS)
    test = data_set.sliced.split[data_set.sliced.split["part"] == "test"].reset_index(drop=True)
    places = list(table.groupby(["deformation", "strength"], sort=False, dropna=False))
    assert [kind for (kind, _), _ in places] == ["none", *(made.kind for made in DEFORMATIONS)]
    assert [strength for (_, strength), _ in places][1:] == [made.strength for made in DEFORMATIONS]
    for _, own in places:
        assert (
            own[["track_id", "slice"]].to_numpy().tolist() == test[["track_id", "slice"]].to_numpy().tolist()
        )
    assert (table["warning"] == "").all()


def test_a_gain_changes_no_decibel_below_the_maximum_and_noise_drowns_the_genre(machine, data_set):
    table = predict(machine, data_set, DEFORMATIONS).set_index("deformation")
    columns = ["p_blues", "p_rock"]
    np.testing.assert_allclose(table.loc["gain_db", columns], table.loc["none", columns], atol=0.01)
    right = (table["genre"] == table["predicted"]).groupby("deformation").mean()
    assert right["none"] == 1
    assert right["noise_snr_db"] < 0.8


def test_the_bytes_do_not_depend_on_the_number_of_processes(machine, data_set, monkeypatch):
    one = predict(machine, data_set, DEFORMATIONS[1:3])
    monkeypatch.setattr("genredag.frames.rendering.MIN_PARALLEL_SECONDS", 0.0)
    inputs = [machine, data_set.sliced, data_set.manifest]
    two = predict_deformed(*inputs, DEFORMATIONS[1:3], cache_dir=data_set.folder, n_jobs=2)
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_a_leaky_split_is_marked(machine, data_set):
    split = data_set.sliced.split.copy()
    split.loc[split["track_id"].eq("blues.9") & split["slice"].eq(0), "part"] = "train"
    table = predict(machine, data_set, split=split)
    assert (table["warning"] == LEAKY).all()
    assert len(table) == (split["part"] == "test").sum()


def test_frames_without_audio_cannot_be_deformed(machine, data_set):
    frames = data_set.sliced.frames
    frames = dataclasses.replace(frames, spec=dataclasses.replace(frames.spec, sr=0))
    with pytest.raises(DataError, match=r"robustness.dataset: frames without audio can't be deformed"):
        predict(machine, data_set, frames=frames)


def test_changed_audio_is_reported(machine, data_set):
    index = data_set.sliced.frames.index.assign(n_frames=data_set.sliced.frames.index["n_frames"] + 1)
    frames = dataclasses.replace(data_set.sliced.frames, index=index)
    with pytest.raises(DataError, match=r"track blues.4: \d+ frames; expected \d+ as in .* Hint: its audio"):
        predict(machine, data_set, frames=frames)


def test_a_missing_track_is_reported(machine, data_set, tmp_path):
    data = SimpleNamespace(**vars(data_set) | {"folder": tmp_path})
    with pytest.raises(DataError, match=r"track blues.4: no such file"):
        predict(machine, data)
