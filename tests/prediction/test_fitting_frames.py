import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from genredag.bundles.bundle import read_bundle
from genredag.bundles.card import read_card
from genredag.cli import app
from genredag.errors import DataError, ParameterError, UnsuitableDataError
from genredag.evaluation.intervals import Interval
from genredag.params.loading import load_params
from genredag.prediction.fitting_frames import _slice_seconds, build_manifest, fit_frames, read_settings
from genredag.prediction.predicting_frames import predict_frames
from genredag.prediction.trust import read_calibration
from prediction.frame_files import GENRES, N_BINS, write_table, write_tracks

PROJECT = Path(__file__).parents[2]
GTZAN = PROJECT.parent / "shared/gtzan"


@pytest.fixture
def settings():
    """Give the settings of `lda_textures` for frames of few bins."""
    found = read_settings(PROJECT / "params.yaml", "lda_textures")
    return dataclasses.replace(found, group=found.group.model_copy(update={"n_mels": N_BINS}))


@pytest.fixture
def files(tmp_path):
    """Give the paths of training tracks, of validation tracks, and of a table that has more tracks."""
    paths = {"frames": tmp_path / "a.npz", "validation": tmp_path / "b.npz", "tracks": tmp_path / "t.csv"}
    ids = [*write_tracks(paths["frames"], "a", 40), *write_tracks(paths["validation"], "b", 12, seed=1)]
    write_table(paths["tracks"], [*ids, "c.00", "c.01"])
    return paths


def fit(settings, files, out, **changes):
    """Return the accuracy on the validation tracks."""
    options = {"slice_seconds": 30.0} | files | changes
    accuracy, _ = fit_frames("lda_textures", settings, **options, out=out, seed=1)
    return accuracy.estimate


def test_learns_and_predicts_tracks_without_labels(settings, files, tmp_path):
    out = tmp_path / "new/model.zip"
    assert fit(settings, files, out) > 0.9
    ids = write_tracks(tmp_path / "hidden.npz", "hidden", 9, seed=2)
    found = predict_frames(tmp_path / "hidden.npz", out, tmp_path / "p.csv")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "p.csv"), found)
    assert list(found) == ["track_id", *GENRES] and list(found["track_id"]) == ids
    assert (found["fall"].to_numpy() > 0.5).tolist() == [i % 2 == 0 for i in range(9)]
    np.testing.assert_allclose(found[list(GENRES)].sum(axis=1), 1, atol=1e-6)


def test_the_bundle_is_calibrated_and_has_no_card(settings, files, tmp_path):
    fit(settings, files, tmp_path / "m.zip")
    info = read_bundle(tmp_path / "m.zip").info
    assert info["features"] == "textures" and info["slices"]["seconds"] == 30.0
    assert info["layers"][-1]["kind"] == "CalibratedClassifierCV"
    assert read_calibration(tmp_path / "m.zip").class_names == GENRES
    assert read_card(tmp_path / "m.zip") is None


def test_the_same_seed_gives_the_same_bytes(settings, files, tmp_path):
    for name in "xy":
        fit(settings, files, tmp_path / name)
    assert (tmp_path / "x").read_bytes() == (tmp_path / "y").read_bytes()


@pytest.mark.parametrize("artists", [True, False])
def test_without_validation_a_share_of_whole_artists_is_set_aside(settings, files, tmp_path, artists):
    write_table(files["tracks"], [f"a.{i:02}" for i in range(40)], artists)
    assert fit(settings, files, tmp_path / "m.zip", validation=None) > 0.7
    n_groups = read_calibration(tmp_path / "m.zip").n_groups
    assert n_groups in (2, 3) if artists else n_groups == 6


def test_accuracy_and_calibration_are_of_before_tracks_set_aside_were_learned_from(
    settings, files, tmp_path, monkeypatch
):
    accuracy = fit(settings, files, tmp_path / "again.zip", validation=None)
    monkeypatch.setattr("genredag.prediction.fitting_frames.refitted", lambda bundle, data: bundle)
    assert fit(settings, files, tmp_path / "once.zip", validation=None) == accuracy
    again, once = (read_calibration(tmp_path / f"{name}.zip") for name in ("again", "once"))
    assert again.json_text() == once.json_text()
    assert "refitted" not in read_bundle(tmp_path / "once.zip").info


def test_a_share_that_was_set_aside_is_learned_from_in_the_end(settings, files, tmp_path):
    fit(settings, files, tmp_path / "all.zip", validation=None)
    fit(settings, files, tmp_path / "train.zip")
    found = {name: read_bundle(tmp_path / f"{name}.zip") for name in ("all", "train")}
    assert found["all"].info["refitted"] and "refitted" not in found["train"].info
    for bundle in found.values():  # 40 training tracks: as many principal components
        assert {"rotate": [40]}.items() <= {
            r["name"]: r["output_shape"] for r in bundle.info["layers"]
        }.items()
        assert bundle.model.calibrated_classifiers_[0].estimator.estimator["rotate"].n_components_ == 40


def test_slices_are_at_most_as_long_as_tracks(settings, files, tmp_path):
    fit(settings, files, tmp_path / "m.zip", slice_seconds=1e9)
    assert read_bundle(tmp_path / "m.zip").info["slices"]["seconds"] == 30.0


@pytest.mark.parametrize(
    ("model", "seconds"), [("best", np.inf), ("lda_patches", np.inf), ("svm_rbf", 10.0), ("crnn", 10.0)]
)
def test_slices_are_whole_tracks_for_statistics_over_time(model, seconds):
    assert _slice_seconds(read_settings(PROJECT / "params.yaml", model).recipe) == seconds


@pytest.mark.parametrize(
    ("names", "seconds"),
    [(["patches"], np.inf), (["features_133", "textures"], np.inf), (["bin_statistics", "patches"], 10.0)],
)
def test_the_first_features_that_a_spectrogram_has_decide(project_dir, names, seconds):
    recipe = load_params(project_dir / "params.yaml").models["lda_patches"]
    assert _slice_seconds(recipe.model_copy(update={"features": names})) == seconds


def test_an_ensemble_with_a_network_has_its_slices(settings, project_dir):
    recipes = load_params(project_dir / "params.yaml").models
    member = recipes["best"].members["lda_patches"]
    members = {"lda_patches": member, "crnn": member.model_copy(update={"recipe": recipes["crnn"]})}
    assert _slice_seconds(recipes["best"].model_copy(update={"members": members})) == 10.0


def test_tracks_can_be_cut_into_slices(settings, files, tmp_path):
    assert fit(settings, files, tmp_path / "m.zip", slice_seconds=10.0) > 0.9
    assert read_bundle(tmp_path / "m.zip").info["slices"]["n_frames"] == 21


def test_an_unlisted_track_is_named(settings, files):
    write_table(files["tracks"], ["a.00", "a.01"])
    parts = {"train": files["frames"]}
    with pytest.raises(
        DataError, match=r"t.csv: track a.02 is missing; expected a row for each track of .*a.npz"
    ):
        build_manifest(parts, files["tracks"], settings)


def test_a_file_without_tracks_is_named(settings, files):
    np.savez(files["frames"], track_id=np.array([], str), mel=np.zeros((0, N_BINS, 60), np.uint8))
    with pytest.raises(DataError, match=r"a\.npz: no track$"):
        build_manifest({"train": files["frames"]}, files["tracks"], settings)


@pytest.mark.parametrize("part", ["frames", "validation"])
def test_a_file_that_lacks_a_genre_is_named(settings, files, part):
    table = pd.read_csv(files["tracks"])
    prefix = {"frames": "b", "validation": "a"}[part]
    rows = table.index[table["track_id"].str.startswith(prefix) & (table["genre"] == "fall")]
    table.loc[rows[:3], "genre"] = "steps"
    table.to_csv(files["tracks"], index=False)
    message = f"{files[part].name}: no usable track of genre steps; expected all genres of the files: fall, "
    with pytest.raises(DataError, match=message):
        build_manifest(
            {"train": files["frames"], "validation": files["validation"]}, files["tracks"], settings
        )


def test_too_few_artists_to_set_some_aside_need_validation_tracks(settings, files, tmp_path):
    table = pd.read_csv(files["tracks"])
    table.assign(artist=table["genre"]).to_csv(files["tracks"], index=False)
    message = (
        r"^training tracks: genre fall has too few artists: 1; expected at least 2\. Hint: .*--validation"
    )
    with pytest.raises(UnsuitableDataError, match=message):
        fit(settings, files, tmp_path / "m.zip", validation=None)


def test_an_onnx_file_is_refused_before_training(settings, files, tmp_path):
    with pytest.raises(ParameterError, match=r"m\.onnx: can't be written; expected a file FILE\.zip"):
        fit(settings, files, tmp_path / "m.onnx")


def test_a_track_in_both_files_is_refused(settings, files):
    parts = {"train": files["frames"], "validation": files["frames"]}
    with pytest.raises(DataError, match=r"a.00 is there twice; expected each track once"):
        build_manifest(parts, files["tracks"], settings)


def test_other_bins_than_in_params_are_refused(settings, files, tmp_path):
    with pytest.raises(DataError, match=r"16 bins, 2 frames per second; expected 128 as in params.yaml"):
        group = settings.group.model_copy(update={"n_mels": 128})
        fit(dataclasses.replace(settings, group=group), files, tmp_path / "m.zip")
    assert not (tmp_path / "m.zip").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"frames": {"track_id": np.array(["a.00"])}},
        {"out": "dir/file"},
    ],
)
def test_the_command_reports_one_line(files, tmp_path, changes):
    (tmp_path / "dir").write_text("a file, not a folder")
    if "frames" in changes:
        np.savez(files["frames"], **changes["frames"])
    out = tmp_path / changes.get("out", "m.zip")
    options = [text for name, path in files.items() for text in (f"--{name}", str(path))]
    done = CliRunner().invoke(app, ["fit", "--model", "best", *options, "--out", str(out)])
    assert done.exit_code == 2 and "Traceback" not in done.output
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("genredag: error: ")]
    assert ("holds nothing; expected an .npz" if "frames" in changes else "dir") in line


@pytest.mark.parametrize(
    ("given", "shown"), [(True, "validation tracks"), (False, "tracks that were set aside")]
)
def test_the_command_says_which_tracks_its_accuracy_is_of(files, tmp_path, monkeypatch, given, shown):
    found = Interval(0.625, 0.25, 0.9), 8
    monkeypatch.setattr("genredag.prediction.fitting_frames.fit_frames", lambda *args, **options: found)
    validation = ["--validation", str(files["validation"])] if given else []
    options = ["--frames", str(files["frames"]), "--tracks", str(files["tracks"]), *validation]
    done = CliRunner().invoke(app, ["fit", "--model", "best", *options, "--out", str(tmp_path / "m.zip")])
    assert done.exit_code == 0 and f"right for 62.5 % of the 8 {shown}" in done.stdout
    assert "(95 % interval 25.0 % to 90.0 %)" in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(not GTZAN.is_dir(), reason="needs the mel spectrograms of GTZAN")
def test_best_on_the_fault_filtered_validation_tracks(tmp_path):
    accuracy, n_tracks = fit_frames(
        "best",
        read_settings(PROJECT / "params.yaml", "best"),
        GTZAN / "mel_train.npz",
        GTZAN / "mel_valid.npz",
        GTZAN / "tracks.csv",
        tmp_path / "m.zip",
        seed=1,
        slice_seconds=None,
    )
    assert accuracy.estimate > 0.6 and n_tracks == 197
    assert accuracy.low < 0.6 and accuracy.high > 0.7  # artists, not tracks, are drawn


@pytest.mark.parametrize("name", ["frames", "validation", "tracks"])
def test_a_file_that_is_read_is_never_written(settings, files, name):
    before = files[name].read_bytes()
    with pytest.raises(ParameterError, match="would be overwritten, but is read"):
        fit(settings, files, files[name])
    assert files[name].read_bytes() == before


def test_tracks_are_predicted_once_each_and_into_another_file(settings, files, tmp_path):
    fit(settings, files, tmp_path / "m.zip")
    for out in (files["frames"], tmp_path / "m.zip"):
        with pytest.raises(ParameterError, match="would be overwritten, but is read"):
            predict_frames(files["frames"], tmp_path / "m.zip", out)
    write_tracks(tmp_path / "twice.npz", "a", 2, track_id=np.array(["a", "a"]))
    with pytest.raises(DataError, match=r"twice\.npz: no track, or one is listed twice"):
        predict_frames(tmp_path / "twice.npz", tmp_path / "m.zip", tmp_path / "p.csv")
