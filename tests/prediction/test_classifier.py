import dataclasses
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

import genredag
from genredag.bundles.bundle import save_bundle
from genredag.bundles.export import export_onnx
from genredag.bundles.loading import load_bundle
from genredag.errors import DataError, ModelError
from genredag.evaluation.predictions import probabilities_of, track_predictions
from genredag.prediction.classifier import Classifier, load
from genredag.prediction.held_out import predict_split
from genredag.prediction.rendering import render_song
from genredag.prediction.song import SongPrediction, Timeline, UnreadableSong

DECISIONS = ("mean", "vote", "log_sum")
KINDS = [("svm_rbf", "mel", "float16"), ("lstm", "mel", "float16"), ("lstm_windows", "mel", "float16")]
KINDS += [("svm_rbf", "mel", "uint8"), ("svm_rbf", "stft", "float16"), ("svm_rbf", "cqt", "float16")]
KINDS += [("svm_rbf", "handcrafted", "float16")]
STACKS = [("cnn_370k", "stack", "float16"), ("lstm_windows", "stack", "float16")]


@pytest.fixture
def same(svm):
    """Return a function that compares two predictions bit by bit."""

    def check(a: SongPrediction, b: SongPrediction) -> bool:
        same_times = (a.timeline.start == b.timeline.start).all() and (a.timeline.end == b.timeline.end).all()
        same_slices = np.array_equal(a.timeline.probabilities, b.timeline.probabilities)
        return same_times and same_slices and np.array_equal(a.probabilities, b.probabilities)

    return check


@pytest.mark.parametrize("kind", KINDS + STACKS, ids="-".join)
def test_predicts_what_the_evaluate_stage_predicts(make_trained, kind):
    trained = make_trained(*kind)
    slices = predict_split(trained.bundle, trained.data)
    for decision in DECISIONS if kind[0] == "svm_rbf" else ["mean"]:
        # The bundle's card says how its tracks were evaluated.
        classifier = Classifier([load_bundle(trained.path)], cards=[SimpleNamespace(track_decision=decision)])
        tracks = track_predictions(slices, decision)
        assert len(tracks) == 8
        for row, expected in zip(tracks.itertuples(), probabilities_of(tracks), strict=True):
            found = classifier.predict(trained.files[row.track_id])
            np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
            assert found.class_names == ("blues", "rock")
            assert found.genre == row.predicted
            own = slices[slices["track_id"] == row.track_id]
            np.testing.assert_allclose(found.timeline.probabilities, probabilities_of(own), atol=1e-6)
            starts = trained.data.slices.loc[own.index, "start"] if len(own) > 1 else [0.0]
            assert len(found.timeline.start) == len(starts)


def test_the_decision_of_the_card_can_be_overruled(svm):
    card = SimpleNamespace(track_decision="vote")
    bundles = [load_bundle(svm.path)] * 2
    assert Classifier(bundles, cards=[card, None]).decisions == ["vote", "mean"]
    assert Classifier(bundles, cards=[card, None], decision="log_sum").decisions == ["log_sum"] * 2
    assert Classifier(bundles).decisions == ["mean"] * 2


def test_of_equal_votes_the_larger_mean_wins():
    rows = np.array([[0.6, 0.4, 0.0], [0.1, 0.9, 0.0]], np.float32)
    timeline = Timeline(np.arange(2.0), np.arange(2.0) + 1, rows)
    song = SongPrediction("a.wav", ("blues", "jazz", "rock"), np.array([0.5, 0.5, 0.0]), timeline, 2.0, None)
    assert song.genre == "jazz"
    assert song.top() == [("jazz", 0.5), ("blues", 0.5), ("rock", 0.0)]


def test_a_song_has_the_same_numbers_alone_and_among_others(svm, same):
    classifier = load(svm.path)
    files = list(svm.files.values())[:6]
    for n_jobs in (1, 2):
        many = list(classifier.predict_many(files, n_jobs))
        assert [song.source for song in many] == [str(file) for file in files]
        assert all(same(song, classifier.predict(file)) for song, file in zip(many, files, strict=True))


def test_onnx_models_predict_in_other_processes(svm, same, tmp_path, monkeypatch):
    bad = tmp_path / "bad.mp3"
    bad.write_bytes(b"no audio")
    export_onnx(svm.path, tmp_path / "model.onnx")
    classifier = load(tmp_path / "model.onnx", onnx_cache=tmp_path)
    files = [svm.files[name] for name in ("blues.0", "rock.0")]
    expected = [classifier.predict(file) for file in files]
    monkeypatch.setattr(Classifier, "predict_rendered", None)  # in this process
    *found, last = classifier.predict_many([*files, bad], n_jobs=2)
    assert all(same(*pair) for pair in zip(found, expected, strict=True))
    assert isinstance(last, UnreadableSong) and last.source == str(bad)


def test_unreadable_songs_are_reported_in_their_place(svm, tmp_path):
    bad = tmp_path / "bad.mp3"
    bad.write_bytes(b"no audio")
    good = svm.files["blues.0"]
    first, second, third = load(svm.path).predict_many([good, bad, tmp_path / "absent.wav"])
    assert first.genre == "blues"
    assert isinstance(second, UnreadableSong) and second.source == str(bad) and second.reason
    assert third == UnreadableSong(str(tmp_path / "absent.wav"), "no such file")


def test_samples_are_predicted_like_their_file(svm, same):
    classifier, path = load(svm.path), svm.files["rock.3"]
    y, sr = soundfile.read(path, dtype="float32")
    expected = classifier.predict(path)
    assert same(classifier.predict((y, sr)), expected)
    assert same(classifier.predict((y.T, sr)), expected)
    integers = soundfile.read(path, dtype="int16")[0]
    found = classifier.predict((integers, sr))
    np.testing.assert_allclose(found.probabilities, expected.probabilities, atol=1e-3)
    assert found.source == "samples"


@pytest.mark.parametrize(
    ("samples", "sr", "message"),
    [
        (np.zeros(0, np.float32), 8000, r"samples of shape \(0,\) at 8000 Hz"),
        (np.ones((2, 3, 4), np.float32), 8000, "expected .* two axes"),
        (np.ones(9, np.float32), 0, "at 0 Hz"),
        (np.full(9, np.nan), 8000, "NaN or infinite"),
        (np.zeros(8000), 8000, "silent"),
    ],
)
def test_refuses_samples_that_cannot_be_a_song(svm, samples, sr, message):
    with pytest.raises(DataError, match=message):
        load(svm.path).predict((samples, sr))


@pytest.mark.parametrize("kind", KINDS[3:], ids="-".join)
@pytest.mark.parametrize("seconds", [0.01, 0.2, 1.0])
def test_a_short_song_is_padded(make_trained, kind, seconds):
    y = np.random.default_rng(0).normal(0, 0.1, int(seconds * 44_100)).astype(np.float32)
    found = load(make_trained(*kind).path).predict((y, 44_100))
    assert found.probabilities.sum() == pytest.approx(1)
    assert found.duration == pytest.approx(seconds)
    assert found.timeline.end[-1] <= seconds + 1e-9
    assert len(found.timeline.start) == (3 if seconds == 1.0 else 1)


def test_several_bundles_predict_with_their_mean(make_trained):
    paths = [make_trained(*kind).path for kind in (KINDS[0], KINDS[1], KINDS[4])]
    song = make_trained().files["rock.0"]
    both = load(*paths).predict(song)
    alone = [load(path).predict(song) for path in paths]
    np.testing.assert_allclose(both.probabilities, np.mean([p.probabilities for p in alone], axis=0))
    expected = np.mean([p.timeline.probabilities for p in alone], axis=0)
    np.testing.assert_allclose(both.timeline.probabilities, expected, rtol=1e-6)
    assert load(*paths).name == "svm_rbf on mel, lstm on mel, svm_rbf on stft"


def test_bundles_with_other_genres_are_refused(svm, toy_slices, tmp_path):
    other = dataclasses.replace(svm.bundle, info=svm.bundle.info | {"class_names": ["jazz", "rock"]})
    save_bundle(tmp_path / "other.zip", other)
    with pytest.raises(ModelError, match=r"other\.zip: predicts jazz, rock; expected .* blues, rock"):
        load(svm.path, tmp_path / "other.zip")
    with pytest.raises(ModelError, match="no bundle given"):
        load()


def test_a_model_of_precomputed_spectrograms_takes_no_audio(svm):
    info = svm.bundle.info | {"frames": svm.bundle.info["frames"] | {"sr": 0}}
    classifier = Classifier([dataclasses.replace(svm.bundle, info=info)])
    with pytest.raises(ModelError, match="precomputed spectrograms"):
        classifier.predict(svm.files["rock.0"])


def test_such_a_model_is_refused_before_it_is_converted(svm, tmp_path):
    info = svm.bundle.info | {"frames": svm.bundle.info["frames"] | {"sr": 0}}
    save_bundle(tmp_path / "frames.zip", dataclasses.replace(svm.bundle, info=info))
    with pytest.raises(ModelError, match=r"frames\.zip: was trained on precomputed .* predict-frames"):
        load(tmp_path / "frames.zip", onnx_cache=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("change", [{"new": 1}, {"n_fft": "?"}])
def test_parameters_of_another_version_are_refused_in_one_line(svm, change):
    frames = svm.bundle.info["frames"]
    info = svm.bundle.info | {"frames": frames | {"params": frames["params"] | change}}
    classifier = Classifier([dataclasses.replace(svm.bundle, info=info)])
    with pytest.raises(ModelError, match=r"^mel: this version of genredag can't compute it"):
        classifier.predict(svm.files["rock.0"])


def test_importing_it_is_quick(svm):
    code = f"""
import sys, genredag
genredag.load({str(svm.path)!r})
slow = {{"keras", "tensorflow", "librosa", "matplotlib", "pandas", "joblib"}} & set(sys.modules)
print(sorted(slow - {{"joblib", "pandas"}} if "sklearn" in sys.modules else slow))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_package_offers_it():
    assert genredag.load is load
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        genredag.nothing  # noqa: B018


@pytest.mark.parametrize("kind", STACKS, ids="-".join)
def test_channels_survive_the_export(make_trained, kind, tmp_path):
    trained = make_trained(*kind)
    assert trained.bundle.info["frames"]["n_channels"] == 3
    export_onnx(trained.path, tmp_path / "model.onnx")
    expected, found = (
        load(path).predict(trained.files["rock.1"]) for path in (trained.path, tmp_path / "model.onnx")
    )
    np.testing.assert_allclose(found.probabilities, expected.probabilities, atol=1e-4)


def test_a_bundle_of_an_earlier_version_has_one_channel(svm):
    info = {**svm.bundle.info, "frames": dict(svm.bundle.info["frames"])}
    assert info["frames"].pop("n_channels") == 1
    old = dataclasses.replace(svm.bundle, info=info)
    expected, found = (Classifier([bundle], [None]) for bundle in (svm.bundle, old))
    assert found.renderings == expected.renderings


@pytest.mark.parametrize("name", ["stft", "mel", "cqt", "handcrafted", "stack"])
def test_a_long_song_is_rendered_block_by_block(make_trained, name, monkeypatch):
    trained = make_trained("svm_rbf", name)
    song = trained.files["rock.0"]
    spec, slices = load(trained.path).renderings[0]
    expected = render_song(song, spec, slices)
    monkeypatch.setattr("genredag.prediction.rendering.LONG_SECONDS", 0.0)
    for source in (song, soundfile.read(song, dtype="float32")):
        found = render_song(source, spec, slices)
        assert found.duration == expected.duration
        np.testing.assert_allclose(found.frames, expected.frames, rtol=1e-3)
        assert name != "mel" or np.array_equal(found.frames, expected.frames)
        assert found.end[-1] == expected.end[-1]
    with pytest.raises(DataError, match="silent"):
        render_song((np.zeros(9000), 8000), spec, slices)
    monkeypatch.setattr("genredag.prediction.rendering.MAX_HOURS", 0.0001)
    with pytest.raises(DataError, match=r"rock\.0\.wav: longer than 0.0001 hours"):
        render_song(song, spec, slices)


def test_a_prediction_prints_its_genres_and_draws_itself(svm):
    song = load(svm.path).predict(svm.files["rock.0"])
    assert re.fullmatch(r"<SongPrediction '.*': rock \d+%, blues \d+%>", repr(song))
    assert [text.get_text() for text in song.plot().axes[0].get_yticklabels()][-1] in svm.bundle.class_names
