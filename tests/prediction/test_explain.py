import numpy as np
import pytest

from genredag.errors import ParameterError
from genredag.prediction.classifier import load
from genredag.prediction.explain import explain, kind_of
from genredag.prediction.plots import explanation_figure, song_figure


def song(seconds=4.0, sr=13_000):
    """Noise, with a high tone in its second half."""
    time = np.arange(int(seconds * sr)) / sr
    tone = 0.2 * np.sin(2 * np.pi * 1_500 * time) * (time > seconds / 2)
    return (tone + 0.1 * np.random.default_rng(1).standard_normal(len(time))).astype(np.float32), sr


def test_the_tone_that_makes_it_rock_is_found(svm):
    classifier, source = load(svm.path), song()
    found = explain(classifier, source, "rock")
    assert found.effect.shape == (len(found.edges) - 1, len(found.bands) - 1)
    assert found.edges[0] == 0 and found.edges[-1] == pytest.approx(4.0)
    hz = np.asarray(classifier.renderings[0][0].bins)
    strongest = np.unravel_index(found.effect.argmax(), found.effect.shape)
    assert found.edges[strongest[0] + 1] > 2.0
    band = hz[found.bands[strongest[1]] : found.bands[strongest[1] + 1]]
    assert band.min() - 400 < 1_500 < band.max() + 400


@pytest.mark.parametrize("kind", [("lstm_windows", "mel"), ("svm_rbf", "handcrafted"), ("svm_rbf", "cqt")])
def test_works_for_every_model(make_trained, kind):
    classifier, source = load(make_trained(*kind).path), song(1.5)
    found = explain(classifier, source)
    assert found.genre == classifier.predict(source).genre
    assert np.isfinite(found.effect).all() and np.abs(found.effect).max() > 0
    if kind[1] == "handcrafted":
        names = classifier.renderings[0][0].bins
        kinds = [kind_of(names[first]) for first in found.bands[:-1]]
        assert kinds[:3] == ["mfcc", "chroma", "centroid"] and "contrast" in kinds
    explanation_figure(found).canvas.draw()


def test_an_unknown_genre_is_refused(svm):
    with pytest.raises(ParameterError, match="'polka'; expected blues, rock"):
        explain(load(svm.path), song(), "polka")


@pytest.mark.parametrize("kept", [True, False])
def test_a_figure_shows_every_genre(svm, kept):
    classifier = load(svm.path)
    found = classifier.predict(song()) if kept else next(classifier.predict_many([song()]))
    figure = found.plot() if kept else song_figure(found)
    figure.canvas.draw()
    axes = figure.get_axes()
    assert len(axes) == 2 + kept
    assert [label.get_text() for label in axes[0].get_yticklabels()] == [name for name, _ in found.top()]
    assert (found.set is None) and found.genre in ("blues", "rock")
