import dataclasses

import numpy as np
import pytest

from genredag.errors import ModelError
from genredag.frames.batches import statistics
from genredag.frames.features import slice_statistics
from genredag.models.families.classical import svm_rbf
from genredag.training.estimators import features_of, fit_estimator, search_options

OPTIONS = {"C": 1.0, "kernel": "rbf", "gamma": "scale", "min_variance": 0.0, "selection_trees": 0}


def search(training, folds=4, seed=0, **options):
    return search_options("svm_rbf", svm_rbf, {**OPTIONS, **options}, folds, training, seed)


@pytest.fixture
def training(toy_slices):
    return toy_slices.features("bin_statistics", "train")


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
    search(training, seed=1, C=[1.0, 2.0])
    assert seen[8:12] == seen[12:] != seen[:4]


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


def test_every_fit_draws_from_the_seed(training):
    seeds = []

    def build(*, C, seed):
        seeds.append(seed)
        return svm_rbf(**OPTIONS | {"C": C}, seed=seed)

    parts = {"training": training, "validation": training}
    fit_estimator("svm_rbf", build, {"C": [1.0, 2.0]}, 2, **parts, n_classes=3, seed=7)
    assert seeds == [7, 7, 7]  # two candidates, and the chosen one


def test_more_folds_than_tracks_are_refused(training):
    with pytest.raises(
        ModelError, match=r"svm_rbf\.folds: a genre has only 4 training tracks; expected at least 5"
    ):
        search(training, folds=5, C=[1.0, 2.0])


def test_the_temperature_is_fitted_on_validation_slices_alone(toy_slices, training):
    """Another temperature would follow from training slices, which the machine knows, or from both."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator

    validation = toy_slices.features("bin_statistics", "validation")
    # Two of three genres are wrong: the right temperature is one that makes the machine unsure.
    validation = dataclasses.replace(validation, labels=np.array([1, 0, 2])[validation.labels])
    machine = svm_rbf(**OPTIONS, seed=0).fit(features_of(training), training.labels)

    def calibrated(*parts):
        x = np.concatenate([features_of(part) for part in parts])
        y = np.concatenate([part.labels for part in parts])
        rows = np.arange(len(y))
        model = CalibratedClassifierCV(FrozenEstimator(machine), method="temperature", cv=[(rows, rows)])
        return model.fit(x, y).predict_proba(features_of(validation))

    model, history, _ = fit_estimator(
        "svm_rbf", svm_rbf, OPTIONS, 4, training=training, validation=validation, n_classes=3, seed=0
    )
    found = model.predict_proba(features_of(validation))
    np.testing.assert_allclose(found, calibrated(validation), atol=1e-6)
    for others in ([training], [training, validation]):
        assert np.abs(calibrated(*others) - found).max() > 0.1
    assert history["epoch"].tolist() == [1]
    assert history["val_loss"][0] > history["loss"][0]
    assert (history["accuracy"][0], history["val_accuracy"][0]) == (1.0, pytest.approx(1 / 3))
