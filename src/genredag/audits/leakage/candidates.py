"""Candidates: a cheap model is trained once per scaling, and each selection chooses among its candidates."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from genredag.frames.batches import CHUNK, SliceSet, shuffled_batches, statistics, summarise
from genredag.frames.features import BIN_STATISTICS
from genredag.params.groups.splits import PARTS
from genredag.runtime.backend import fed

if TYPE_CHECKING:
    import keras

    from genredag.params.groups.audits import AuditCnn, AuditSvm

Scaling = Literal["train", "everything"]


@dataclass(frozen=True)
class Candidates:
    """The candidates that a selection chooses from.

    Attributes
    ----------
    names
        For example ``C=10`` or ``epoch 3``.
    scores
        For each of the parts validation and test: (n_candidates, n_slices, n_classes).
    """

    names: list[str]
    scores: dict[str, np.ndarray]


def svm_candidates(parts: Mapping[str, SliceSet], scaling: Scaling, group: AuditSvm) -> Candidates:
    """Fit a support vector machine on bin statistics for each C.

    Parameters
    ----------
    parts
        Slices of the parts train, validation and test.
    """
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    features = {part: summarise(slices, BIN_STATISTICS) for part, slices in parts.items()}
    scaler = StandardScaler().fit(np.concatenate([features[part] for part in scaled_on(scaling)]))
    inputs = {part: scaler.transform(values) for part, values in features.items()}
    scores: dict[str, list[np.ndarray]] = {"validation": [], "test": []}
    for C in group.C:
        svm = SVC(C=C).fit(inputs["train"], parts["train"].labels)
        for part, by_candidate in scores.items():
            margins = svm.decision_function(inputs[part])
            by_candidate.append(margins if margins.ndim == 2 else np.stack([-margins, margins], axis=1))
    return Candidates(
        [f"C={C:g}" for C in group.C],
        {part: np.stack(by_candidate) for part, by_candidate in scores.items()},
    )


def cnn_candidates(
    parts: Mapping[str, SliceSet], scaling: Scaling, group: AuditCnn, n_classes: int, seed: int
) -> Candidates:
    """Train a small CNN; its state after each epoch is a candidate."""
    import keras

    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(seed)
    train = parts["train"]
    mean_variance = statistics(joined([parts[part] for part in scaled_on(scaling)]), "bin")
    spec = train.frames.spec
    sizes = (train.n_frames, spec.n_bins, n_classes, group.filters)
    model = small_cnn(*sizes, mean_variance, n_channels=spec.n_channels)
    batches = shuffled_batches(train, group.batch_size, seed)
    rate = keras.optimizers.schedules.CosineDecay(group.learning_rate, group.epochs * len(batches))
    model.compile(keras.optimizers.Adam(rate), loss="sparse_categorical_crossentropy")
    scores: dict[str, list[np.ndarray]] = {"validation": [], "test": []}
    judged = [shuffled_batches(parts[part], CHUNK, None) for part in scores]
    with fed(batches, *judged) as (learnt, *asked):
        for epoch in range(group.epochs):
            batches.start_epoch(epoch)
            model.fit(learnt, shuffle=False, verbose=0)
            for by_candidate, part in zip(scores.values(), asked, strict=True):
                by_candidate.append(model.predict(part, verbose=0))
    names = [f"epoch {epoch + 1}" for epoch in range(group.epochs)]
    return Candidates(names, {part: np.stack(by_candidate) for part, by_candidate in scores.items()})


def small_cnn(
    n_frames: int,
    n_bins: int,
    n_classes: int,
    filters: list[int],
    mean_variance: tuple[np.ndarray, np.ndarray] | None,
    n_channels: int = 1,
) -> keras.Model:
    """Return a CNN: blocks of convolution, batch normalisation and max-pooling, then global average pooling.

    Parameters
    ----------
    n_bins
        Bins of all channels.
    mean_variance
        Mean and variance of the inputs, for normalisation; None: the inputs are not normalised.
    """
    import keras

    layers = keras.layers
    inputs = x = keras.Input((n_frames, n_bins))
    if mean_variance is not None:
        x = layers.Normalization(mean=mean_variance[0].tolist(), variance=mean_variance[1].tolist())(x)
    x = layers.Permute((1, 3, 2))(layers.Reshape((n_frames, n_channels, n_bins // n_channels))(x))
    for block, n_filters in enumerate(filters):
        # The first block has a stride of 2 because half of the network's cost is there.
        x = layers.Conv2D(n_filters, 3, strides=1 if block else 2, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        x = layers.MaxPooling2D(2, padding="same")(x)
    outputs = layers.Dense(n_classes, activation="softmax")(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, outputs)


def scaled_on(scaling: Scaling) -> tuple[str, ...]:
    """Return the parts that a scaling is fitted on."""
    return ("train",) if scaling == "train" else PARTS


def joined(sets: list[SliceSet]) -> SliceSet:
    """Concatenate slice sets of one frame store."""
    return dataclasses.replace(
        sets[0],
        first_frame=np.concatenate([slices.first_frame for slices in sets]),
        n_valid=np.concatenate([slices.n_valid for slices in sets]),
        labels=np.concatenate([slices.labels for slices in sets]),
        track_ids=np.concatenate([slices.track_ids for slices in sets]),
    )
