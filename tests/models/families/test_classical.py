import numpy as np
import pytest
import skops.io
from numpy.testing import assert_array_equal

from genredag.models.registry import learner

SELECTION = {"min_variance": 0.0, "selection_trees": 20}
OPTIONS = {
    "decision_tree": {"criterion": "gini", "splitter": "best"},
    "logistic_regression": {"C": 1.0, "l1_ratio": 0.0, "max_iter": 200},
    "elastic_net": {"alpha": 1e-3, "l1_ratio": 0.5, "max_iter": 200},
    "random_forest": {"n_estimators": 20, "criterion": "gini", "max_depth": None},
}
NAMES = list(OPTIONS)


def make(name, seed=0, **changes):
    return learner(name).build(**{**OPTIONS[name], **SELECTION, **changes}, seed=seed)


@pytest.fixture(scope="module")
def examples():
    """Give 10 features that tell three classes apart, 20 of noise and one that is constant."""
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 3
    telling = rng.normal(size=(3, 10))[labels] * 2 + rng.normal(size=(300, 10))
    return np.hstack([telling, rng.normal(size=(300, 20)), np.full((300, 1), 7.0)]), labels


@pytest.mark.parametrize("name", NAMES)
def test_learns_and_selects(examples, name):
    x, y = examples
    model = make(name).fit(x[:200], y[:200])
    assert model.score(x[200:], y[200:]) > 0.8
    np.testing.assert_allclose(model.predict_proba(x).sum(axis=1), 1.0)
    assert model["variance"].get_support().sum() == 30
    assert model["select"].get_support()[:10].sum() > model["select"].get_support()[10:].sum()


@pytest.mark.parametrize("kernel", ["rbf", "linear", "sigmoid"])
def test_kernels_of_the_support_vector_machine(examples, kernel):
    x, y = examples
    model = learner("svm_rbf").build(C=1.0, kernel=kernel, gamma="scale", **SELECTION, seed=0)
    assert model.fit(x[:200], y[:200]).score(x[200:], y[200:]) > 0.8
    assert model["classify"].kernel == kernel


@pytest.mark.parametrize("name", NAMES)
def test_seed_fixes_everything(examples, name):
    x, y = examples
    first, second = (make(name, seed=5).fit(x, y).predict_proba(x) for _ in range(2))
    assert_array_equal(first, second)


@pytest.mark.parametrize("name", NAMES)
def test_survives_skops(examples, name):
    x, y = examples
    model = make(name).fit(x, y)
    restored = skops.io.loads(skops.io.dumps(model), trusted=["sklearn.tree._tree.Tree"])
    assert_array_equal(restored.predict_proba(x), model.predict_proba(x))


def test_scaling_makes_units_irrelevant(examples):
    x, y = examples
    units = np.logspace(-3, 3, x.shape[1])
    plain, scaled = (make("logistic_regression").fit(data, y).predict(data) for data in (x, x * units))
    assert (plain == scaled).mean() > 0.99


def test_variance_threshold_sees_unscaled_features_of_trees(examples):
    x, y = examples
    small = np.hstack([x, x[:, :1] * 1e-3])
    assert not make("random_forest", min_variance=0.16).fit(small, y)["variance"].get_support()[-1]
    assert make("logistic_regression", min_variance=0.16).fit(small, y)["variance"].get_support()[-1]


def test_l1_penalty_empties_coefficients(examples):
    x, y = examples
    model = make("logistic_regression", C=0.05, l1_ratio=1.0, selection_trees=0).fit(x, y)
    assert (model["classify"].coef_ == 0).mean() > 0.3
    assert model["select"] == "passthrough"
