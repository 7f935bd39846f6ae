"""Classical learners on handcrafted features, as compared in gtzan.keras (2020).

Pipeline: scaling (not for trees), variance threshold, feature selection by a forest, classifier. The steps
are named ``scale``, ``variance``, ``select`` and ``classify``, so that a grid search can address, for
example, ``classify__C``. That project selects features with LightGBM; we use extremely randomised trees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from genredag.models.options import (
    Count,
    CountOrZero,
    Criterion,
    Gamma,
    Kernel,
    NotNegative,
    Positive,
    Ratio,
)
from genredag.models.registry import estimator

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin
    from sklearn.pipeline import Pipeline

PAPER = "Hguimaraes/gtzan.keras, 2020"
PROTOCOL = "on tracks, one 75/25 hold-out"


@estimator("decision_tree", paper=PAPER, published=f".516 {PROTOCOL}")
def decision_tree(
    *,
    criterion: Criterion,
    splitter: Literal["best", "random"],
    min_variance: NotNegative,
    selection_trees: CountOrZero,
    seed: int,
) -> Pipeline:
    """Return one tree, which overfits: the baseline of the family."""
    from sklearn.tree import DecisionTreeClassifier

    tree = DecisionTreeClassifier(criterion=criterion, splitter=splitter, random_state=seed)
    return _selecting_pipeline(tree, False, min_variance, selection_trees, seed)


@estimator("logistic_regression", paper=PAPER, published=f".764 {PROTOCOL}")
def logistic_regression(
    *,
    C: Positive,
    l1_ratio: Ratio,
    max_iter: Count,
    min_variance: NotNegative,
    selection_trees: CountOrZero,
    seed: int,
) -> Pipeline:
    """Return multinomial logistic regression; `l1_ratio` 0 is the L2 penalty, 1 is L1."""
    from sklearn.linear_model import LogisticRegression

    solver = "saga" if l1_ratio else "lbfgs"
    model = LogisticRegression(C=C, l1_ratio=l1_ratio, solver=solver, max_iter=max_iter, random_state=seed)
    return _selecting_pipeline(model, True, min_variance, selection_trees, seed)


@estimator("elastic_net", paper=PAPER, published=f".688 {PROTOCOL}")
def elastic_net(
    *,
    alpha: Positive,
    l1_ratio: Ratio,
    max_iter: Count,
    min_variance: NotNegative,
    selection_trees: CountOrZero,
    seed: int,
) -> Pipeline:
    """Return one-vs-rest logistic regressions with a mixed penalty, fitted by stochastic gradient descent."""
    from sklearn.linear_model import SGDClassifier

    model = SGDClassifier(
        loss="log_loss",
        penalty="elasticnet",
        alpha=alpha,
        l1_ratio=l1_ratio,
        max_iter=max_iter,
        random_state=seed,
    )
    return _selecting_pipeline(model, True, min_variance, selection_trees, seed)


@estimator("random_forest", paper=PAPER, published=f".676 {PROTOCOL}")
def random_forest(
    *,
    n_estimators: Count,
    criterion: Criterion,
    max_depth: Count | None,
    min_variance: NotNegative,
    selection_trees: CountOrZero,
    seed: int,
) -> Pipeline:
    """Return a random forest; `max_depth` None grows full trees."""
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(n_estimators, criterion=criterion, max_depth=max_depth, random_state=seed)
    return _selecting_pipeline(forest, False, min_variance, selection_trees, seed)


@estimator(
    "svm_rbf",
    paper="H. Guimaraes, gtzan.keras (2020): support vector machine on statistics of frame features",
    published=".788 on tracks, one 75/25 hold-out",
)
def svm_rbf(
    *,
    C: Positive,
    kernel: Kernel,
    gamma: Gamma,
    min_variance: NotNegative,
    selection_trees: CountOrZero,
    seed: int,
) -> Pipeline:
    """Return a support vector machine, by default with a radial kernel, on standardised features.

    `gamma` does not affect a linear kernel. The machine has no probabilities of its own:
    `genredag.training.train` calibrates it on the validation slices.
    """
    from sklearn.svm import SVC

    machine = SVC(C=C, kernel=kernel, gamma=gamma, random_state=seed)
    return _selecting_pipeline(machine, True, min_variance, selection_trees, seed)


def _selecting_pipeline(
    classifier: ClassifierMixin, scaled: bool, min_variance: float, selection_trees: int, seed: int
) -> Pipeline:
    """Return `classifier` after its preprocessing steps.

    After a scaler, the variance threshold drops only constant features; without a scaler, it also drops
    features with a small range. With 0 trees, features are not selected.
    """
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.feature_selection import SelectFromModel, VarianceThreshold
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    scale = StandardScaler() if scaled else "passthrough"
    select = "passthrough"
    if selection_trees:
        select = SelectFromModel(ExtraTreesClassifier(selection_trees, random_state=seed))
    variance = VarianceThreshold(min_variance)
    return Pipeline([("scale", scale), ("variance", variance), ("select", select), ("classify", classifier)])
