import dataclasses

import numpy as np
import pytest

from genredag.errors import ParameterError
from genredag.prediction.classifier import load
from genredag.prediction.explain import N_BANDS, explain, kind_of
from genredag.prediction.plots import explanation_figure, song_figure


class Ear:
    """Hears only bins 8 and 9."""

    over_windows = False

    def __init__(self, bundle):
        self.info, self.class_names = bundle.info, bundle.class_names

    def predict(self, slices, n_valid):
        level = slices[:, :, 8:10].mean(axis=(1, 2))
        rock = 1 / (1 + np.exp(-(level + 30) / 10))
        return np.stack([1 - rock, rock], axis=1).astype(np.float32)


def song(seconds=4.0, sr=13_000, hz=1_500.0):
    """Noise, with a tone in its second half."""
    time = np.arange(int(seconds * sr)) / sr
    tone = 0.2 * np.sin(2 * np.pi * hz * time) * (time > seconds / 2)
    return (tone + 0.1 * np.random.default_rng(1).standard_normal(len(time))).astype(np.float32), sr


def test_the_times_and_the_band_that_a_model_hears_are_found(svm):
    classifier = dataclasses.replace(load(svm.path), bundles=[Ear(svm.bundle)])
    hz = classifier.renderings[0][0].bins[8]
    found = explain(classifier, song(hz=hz), "rock")
    assert found.effect.shape == (16, 8)
    assert found.edges[0] == 0 and found.edges[-1] == pytest.approx(4.0, abs=0.01)
    assert found.bands.tolist() == list(range(0, 17, 2))
    assert (np.delete(found.effect, 4, axis=1) == 0).all()
    assert (found.effect[9:, 4] > 0.01).all() and (found.effect[:7, 4] < -0.01).all()


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        (("lstm_windows", "mel"), "Hz"),
        (("svm_rbf", "handcrafted"), ""),
        (("svm_rbf", "cqt"), "Hz"),
        (("lstm", "mfcc"), ""),
        (("svm_rbf", "chroma_stft"), "pitch class"),
        (("cnn_370k", "stack"), ""),
    ],
)
def test_works_for_every_model(make_trained, kind, label):
    classifier, source = load(make_trained(*kind).path), song(1.5)
    found = explain(classifier, source)
    assert found.genre == classifier.predict(source).genre
    assert found.effect.shape == (len(found.edges) - 1, len(found.bands) - 1)
    assert np.isfinite(found.effect).all()
    if kind[1] == "handcrafted":
        names = classifier.renderings[0][0].bins
        kinds = [kind_of(names[first]) for first in found.bands[:-1]]
        assert kinds[:3] == ["mfcc", "chroma", "centroid"] and "contrast" in kinds
    figure = explanation_figure(found)
    figure.canvas.draw()
    assert figure.axes[0].get_ylabel() == label
    ticks = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    if kind[1] == "mfcc":
        assert (ticks[0], ticks[-1], len(found.bands)) == ("mfcc_1", "mfcc_13", N_BANDS + 1)
    if kind[1] == "stack":
        assert (ticks, found.bands.tolist()) == (["mel", "mfcc", "chroma_stft"], [0, 16, 32, 48])
    if kind[1] == "chroma_stft":
        assert (ticks[:2], len(ticks)) == (["C", "C#"], 12)


def test_an_unknown_genre_is_refused(svm):
    with pytest.raises(ParameterError, match="'polka'; expected blues, rock"):
        explain(load(svm.path), song(), "polka")


@pytest.mark.parametrize("kept", [True, False])
def test_a_figure_shows_every_genre(svm, kept):
    classifier = load(svm.path)
    found = classifier.predict(song()) if kept else next(classifier.predict_many([song()]))
    figure = song_figure(found)
    figure.canvas.draw()
    axes = figure.get_axes()
    assert len(axes) == 2 + kept
    assert [label.get_text() for label in axes[0].get_yticklabels()] == [name for name, _ in found.top()]
    assert (found.set is None) and found.genre in ("blues", "rock")
