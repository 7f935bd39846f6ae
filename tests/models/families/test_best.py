import numpy as np
import pytest
import skops.io
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from genredag.bundles.bundle import TRUSTED_TYPES
from genredag.models.registry import learner


def examples(n_features, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(60) % 3
    return 3 * rng.normal(size=(3, n_features))[labels] + rng.normal(size=(60, n_features)), labels


def make(shrinkage=0.5, limit=1.5, seed=0):
    return learner("lda_textures").build(shrinkage=shrinkage, limit=limit, seed=seed)


@pytest.mark.parametrize("n_features", [2, 200])
def test_learns_with_fewer_and_with_more_features_than_slices(n_features):
    x, y = examples(n_features)
    assert make().fit(x, y).score(x, y) > 0.6
    assert_allclose(make().fit(x, y).predict_proba(x).sum(axis=1), 1)


def test_the_rotation_changes_nothing():
    x, y = examples(20)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    direct = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.3).fit(x, y)
    found = make(0.3, limit=None).fit(x, y).decision_function(x)
    assert_allclose(found, direct.decision_function(x), rtol=1e-6)


def test_features_are_standardised_and_then_squashed():
    x, y = examples(20)
    squashed = 1.5 * np.tanh((x - x.mean(axis=0)) / x.std(axis=0) / 1.5)
    direct = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.3).fit(squashed, y)
    assert_allclose(make(0.3).fit(x, y).predict_log_proba(x), direct.predict_log_proba(squashed), rtol=1e-6)


def test_the_seed_has_no_effect():
    x, y = examples(100)
    assert_array_equal(*(make(seed=seed).fit(x, y).predict_proba(x) for seed in (1, 2)))


def test_survives_skops():
    x, y = examples(100)
    model = make().fit(x, y)
    again = skops.io.loads(skops.io.dumps(model), trusted=TRUSTED_TYPES)
    assert_array_equal(again.predict_proba(x), model.predict_proba(x))


def test_is_calibrated_on_validation():
    assert learner("lda_textures").calibrated and not learner("random_forest").calibrated


def test_the_network_averages_frames_of_long_slices():
    import keras

    def layers(n_frames):
        x = keras.Input((64, n_frames, 1))
        network = keras.Model(x, learner("cnn_103k").build(x, 5, dropout=0.3))
        return [type(layer).__name__ for layer in network.layers], network.count_params()

    (short, n_short), (long, n_long) = layers(128), layers(430)
    assert "AveragePooling2D" not in short and "AveragePooling2D" in long
    assert n_short == n_long


def test_the_network_pools_the_mean_and_the_maximum_over_time():
    import keras

    x = keras.Input((128, 112, 1))
    network = keras.Model(x, learner("cnn_103k").build(x, 10, dropout=0.3))
    assert network.count_params() == 103_258
    pools = [layer.pool_size for layer in network.layers if isinstance(layer, keras.layers.MaxPooling2D)]
    assert pools == [(2, 1), (2, 2), (2, 2), (4, 1)]
    norms = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert {layer.momentum for layer in norms} == {0.95} and len(norms) == 4
    (dropout,) = (layer for layer in network.layers if isinstance(layer, keras.layers.Dropout))
    assert dropout.rate == 0.3
    assert dropout.input.shape == (None, 512)


def test_best_multiplies_what_it_names(project_dir):
    from genredag.params.loading import load_params

    models = load_params(project_dir / "params.yaml").models
    assert set(models["best"].members) == set(learner("best").build())
    for name, member in models["best"].members.items():
        assert member.recipe == models[name]
