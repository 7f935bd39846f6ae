import numpy as np
import pytest

from genredag.errors import ModelError
from genredag.frames.batches import slice_set, statistics, summarise
from genredag.frames.features import slice_statistics
from genredag.models.families.classical import svm_rbf
from genredag.training.estimators import features_of, fit_estimator, search_options

OPTIONS = {"C": 1.0, "gamma": "scale", "min_variance": 0.0, "selection_trees": 0}


def search(training, folds=4, **options):
    return search_options("svm_rbf", svm_rbf, {**OPTIONS, **options}, folds, training, seed=0)


@pytest.fixture
def training(toy_slices):
    rows = (toy_slices.split["part"] == "train").to_numpy()
    genres = toy_slices.split.loc[rows, "genre"]
    slices = slice_set(toy_slices.frames, toy_slices.slices[rows], 10, genres, ["blues", "jazz", "rock"])
    return summarise(slices, "bin_statistics")


def test_features_are_slices_of_one_frame(toy_slices, training):
    raw = toy_slices.frames.gather(np.array([0]), 10, np.array([10]))
    assert (training.n_frames, training.frames.spec.n_bins, len(training)) == (1, 48, 36)
    np.testing.assert_array_equal(features_of(training)[:1], slice_statistics(raw))


def test_each_feature_has_its_own_statistics(training):
    values = features_of(training).astype(np.float64)
    mean, variance = statistics(training, "bin")
    np.testing.assert_allclose(mean, values.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(variance, values.var(axis=0), rtol=1e-4)


def test_without_lists_nothing_is_searched(training, monkeypatch):
    monkeypatch.setattr("sklearn.model_selection.cross_val_score", None)
    assert search(training) == OPTIONS


def test_the_best_option_is_chosen(training):
    # With a kernel as narrow as that, every slice is only like itself.
    found = search(training, gamma=[1000.0, 0.01], C=[1.0, 2.0])
    assert found == {**OPTIONS, "gamma": 0.01}


def test_no_track_is_in_two_folds(training, monkeypatch):
    seen = []

    def watch(model, inputs, labels, *, groups, cv, error_score):
        for fit, judge in cv.split(inputs, labels, groups):
            assert not set(groups[fit]) & set(groups[judge])
            assert set(labels[fit]) == {0, 1, 2}
            seen.append(set(groups[judge]))
        return np.zeros(1)

    monkeypatch.setattr("sklearn.model_selection.cross_val_score", watch)
    search(training, C=[1.0, 2.0])
    assert seen[:4] == seen[4:]
    assert set.union(*seen[:4]) == set(training.track_ids)


@pytest.mark.parametrize("min_variance", [[0.0, 2.0], [2.0, 3.0]])
def test_options_that_fail_to_fit_are_logged_and_not_selected(training, min_variance):
    # Scaled features have a variance of 1 at most.
    message = (
        r"^models\.svm_rbf: can't be fitted with the options .*'min_variance': 2\.0.* variance threshold"
    )
    with pytest.raises(ModelError, match=message) as caught:
        search(training, min_variance=min_variance)
    assert "\n" not in str(caught.value)


def test_a_single_option_that_fails_to_fit_is_reported(training):
    parts = {"training": training, "validation": training}
    options = OPTIONS | {"min_variance": 2.0}
    with pytest.raises(ModelError, match=r"^models\.svm_rbf: can't be fitted with the options"):
        fit_estimator("svm_rbf", svm_rbf, options, 4, **parts, n_classes=3, seed=0)


def test_more_folds_than_tracks_are_refused(training):
    with pytest.raises(
        ModelError, match=r"svm_rbf\.folds: a genre has 4 training tracks; expected at least 5"
    ):
        search(training, folds=5, C=[1.0, 2.0])
