"""Jobs with real models."""

from __future__ import annotations

import anyio
import numpy as np
import pytest
import soundfile

from genredag.prediction.app import work
from genredag.prediction.app.jobs import Jobs
from genredag.prediction.app.limits import Limits
from genredag.prediction.classifier import load


def test_a_worker_process_predicts_and_explains_what_the_library_does(svm, tmp_path):
    song = svm.files["rock.1"]
    found, reasons = anyio.run(_ask, svm.path, song)
    expected = load(svm.path).predict(song)
    assert found.genres == ["blues", "rock"]
    np.testing.assert_allclose(found.probabilities, expected.probabilities, atol=1e-6)
    np.testing.assert_allclose(found.timeline, expected.timeline.probabilities, atol=1e-4)
    assert found.led == list(expected.led().values())
    assert found.trust is None
    assert reasons.genre == expected.genre
    assert len(reasons.hz) == len(reasons.names) + 1 == len(reasons.effect[0]) + 1
    assert reasons.hz == sorted(reasons.hz)
    assert np.shape(reasons.effect)[0] == len(reasons.edges) - 1
    assert reasons.edges[-1] == pytest.approx(expected.duration, abs=0.01)


async def _ask(model, song):
    jobs = Jobs(Limits())
    await jobs.run(work.warm_up, model)
    return await jobs.run(work.predict_song, model, song), await jobs.run(work.explain_song, model, song)


def test_features_have_names_instead_of_frequencies(make_trained):
    trained = make_trained("svm_rbf", "handcrafted")
    reasons = work.explain_song(trained.path, trained.files["blues.1"])
    assert reasons.hz is None
    assert reasons.names[:2] == ["mfcc", "chroma"]
    assert len(reasons.names) == len(reasons.effect[0])


def test_a_copy_for_playing_sounds_like_the_song(tmp_path):
    tone = 0.3 * np.sin(2 * np.pi * 1000 * np.arange(3 * 8000) / 8000)
    soundfile.write(tmp_path / "tone.au", tone, 8000)
    work.copy_for_playing(tmp_path / "tone.au", tmp_path / "copy.mp3")
    copy, sr = soundfile.read(tmp_path / "copy.mp3")
    assert sr == 44100
    assert len(copy) / sr == pytest.approx(3, abs=0.1)
    spectrum = np.abs(np.fft.rfft(copy))
    assert spectrum.argmax() * sr / len(copy) == pytest.approx(1000, abs=1)
    assert {path.name for path in tmp_path.iterdir()} == {"tone.au", "copy.mp3"}
