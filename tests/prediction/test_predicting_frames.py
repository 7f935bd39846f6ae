import numpy as np
import pytest
from typer.testing import CliRunner

from genredag.bundles.bundle import Bundle, save_bundle
from genredag.cli import app
from genredag.errors import DataError
from genredag.frames.features import features
from genredag.models.registry import learner
from genredag.prediction.predicting_frames import track_probabilities
from prediction.frame_files import N_BINS, N_FRAMES, frames_of, write_tracks


@pytest.fixture(scope="module")
def bundle():
    """Give a bundle trained on slices of 21 frames, 2 frames per second, that start every 10 frames."""
    rng = np.random.default_rng(0)
    genres = ["fall", "rise"] * 30
    slices = np.stack([frames_of(genre, rng).T[:21] for genre in genres]).astype(np.float32)
    model = learner("logistic_regression").build(
        C=1.0, l1_ratio=0.0, max_iter=200, min_variance=0.0, selection_trees=0, seed=0
    )
    x = features(slices, [], "bin_statistics")
    info = {
        "class_names": ["fall", "rise"],
        "model": "logistic_regression",
        "features": "bin_statistics",
        "recipe": {"kind": "estimator"},
        "slices": {"seconds": 10.0, "overlap": 0.5, "n_frames": 21},
        "frames": {
            **{"representation": "mel", "n_bins": N_BINS, "frames_per_second": 2.0, "n_tracks": 60},
            **{"total_frames": 0, "dtype": "float16", "offset": 0.0, "step": 1.0, "floor": 0.0},
            **{"unit": "as published", "bins": [], "params": {}, "sr": 0},
        },
    }
    return Bundle(info, model.fit(x, [int(genre == "rise") for genre in genres]))


def test_slices_are_cut_as_in_training_and_averaged(bundle):
    tracks = np.stack([frames_of("rise", np.random.default_rng(i)).T for i in range(3)])
    found = track_probabilities(bundle, tracks, "mean", where="x.npz")
    # 30 s hold five slices of 10 s that begin every 5 s, and the last of these lacks a frame.
    padded = np.pad(tracks, ((0, 0), (0, 1), (0, 0))).astype(np.float32)
    n_valid = np.array([21, 21, 21, 21, 20])
    slices = [np.stack([track[i : i + 21] for i in range(0, 50, 10)]) for track in padded]
    expected = [bundle.predict(one, n_valid).mean(axis=0) for one in slices]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_short_track_is_padded(bundle):
    found = track_probabilities(bundle, np.full((2, 7, N_BINS), 9, np.uint8), "mean", where="x.npz")
    np.testing.assert_allclose(found.sum(axis=1), 1)


@pytest.mark.parametrize("shape", [(2, N_FRAMES, 8), (2, 0, N_BINS)])
def test_other_frames_are_refused(bundle, shape):
    with pytest.raises(DataError, match=r"x.npz: 2 tracks of \d+ bins x \d+ frames; expected 16 bins"):
        track_probabilities(bundle, np.zeros(shape, np.uint8), "mean", where="x.npz")


def test_damaged_values_are_refused(bundle):
    frames = np.full((2, N_FRAMES, N_BINS), np.nan, np.float32)
    with pytest.raises(DataError, match=r"x.npz, track 1: mel has values that are NaN"):
        track_probabilities(bundle, frames, "mean", where="x.npz")


def test_another_unit_is_mentioned(bundle, caplog):
    frames = {**bundle.info["frames"], "unit": "dB"}
    in_decibels = Bundle({**bundle.info, "frames": frames}, bundle.model)
    track_probabilities(in_decibels, np.zeros((1, N_FRAMES, N_BINS)), "mean", where="x.npz")
    assert "x.npz must be in the same unit as the model's frames: dB" in caplog.text


@pytest.mark.parametrize("problem", ["no id", "no folder", "no model"])
def test_the_command_reports_one_line_and_writes_nothing(bundle, tmp_path, problem):
    save_bundle(tmp_path / "m.zip", bundle)
    write_tracks(tmp_path / "x.npz", "x", 4)
    if problem == "no id":
        np.savez(tmp_path / "x.npz", mel=np.zeros((1, N_BINS, N_FRAMES)))
    if problem == "no model":
        (tmp_path / "m.zip").write_text("not a bundle")
    (tmp_path / "dir").write_text("a file")
    out = tmp_path / ("dir/p.csv" if problem == "no folder" else "p.csv")
    arguments = [str(tmp_path / "x.npz"), "--model", str(tmp_path / "m.zip"), "--out", str(out)]
    done = CliRunner().invoke(app, ["predict-frames", *arguments])
    assert (done.exit_code, done.stderr.count("genredag: error: ")) == (2, 1)
    assert "Traceback" not in done.output and not (tmp_path / "p.csv").exists()
