"""Small recipes, which train in a moment on small data."""

from genredag.params.groups.models import Estimator, Network, Train

TRAIN = Train(precision="float32", threads=1, normalisation="bin")
SVM = Estimator(
    kind="estimator",
    features="bin_statistics",
    backbone=None,
    folds=2,
    options={"C": 1.0, "kernel": "rbf", "gamma": "scale", "min_variance": 0.0, "selection_trees": 0},
)
LSTM = Network(
    kind="network",
    optimizer="adam",
    learning_rate=0.01,
    schedule="cosine",
    batch_size=8,
    epochs=2,
    patience=2,
    augment=[],
    size=None,
    backbone=None,
    options={"units": 8, "dropout": 0.1},
)
