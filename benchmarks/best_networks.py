r"""A network beside `lda_textures`: out-of-fold predictions of one shuffle, and products of both.

`windows` is a two-dimensional convolutional network on windows of 10 s, with mixup, masks and random
equalisation. `modulations` has attention on the magnitudes of filters that `lda_textures` averages, six
frames at a time. Both have a cosine schedule and a fixed number of steps; nothing is chosen on test folds but
the weight of the product, of which all are shown. The last rows multiply with the k-means features of
`best_experiments.py`, too. Scores of a fold are kept in `--cache`, so that a stopped run continues.

    python benchmarks/best_networks.py --frames mel_train.npz mel_valid.npz --tracks tracks.csv \
        --network windows --cache scores --output networks.json

With `--held-out`, the first file of frames is trained on and the second is tested, instead of folds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from best_experiments import (
    N_BINS,
    RATE,
    SCALES,
    Folds,
    dictionary_features,
    magnitudes_in_bands,
    patches,
    product,
    shown,
    summed,
)
from learning_curves import SAMPLING, read
from scipy.optimize import minimize
from scipy.special import log_softmax

from genredag.evaluation.intervals import accuracy_interval, cluster_names, difference_interval
from genredag.frames import textures
from genredag.runtime.backend import configure_backend
from genredag.runtime.files import write_json

if TYPE_CHECKING:
    import keras

Rng = np.random.Generator
RUN = 6  # frames that are averaged into one of `modulations`
N_CLASSES, SMOOTHING = 10, 0.1


def windows_network(shape: tuple[int, int]) -> keras.Model:
    """Return a network of about 103,000 parameters on (n_frames, n_bins), which keeps two halves of the bins.

    It computes in bfloat16, which took a sixth less time than float32 on the processor of docs/best.md.
    """
    from keras import Model, layers

    start = layers.Input(shape)
    x = layers.Reshape((*shape, 1))(start)
    for width, kernel, stride, pooled in (
        (16, 5, 2, (1, 2)),
        (32, 3, 1, (2, 2)),
        (64, 3, 1, (2, 2)),
        (128, 3, 1, (1, 4)),
    ):
        x = layers.Conv2D(width, kernel, stride, padding="same", use_bias=False, dtype="mixed_bfloat16")(x)
        x = layers.BatchNormalization(momentum=0.95, dtype="mixed_bfloat16")(x)
        x = layers.MaxPooling2D(pooled, dtype="mixed_bfloat16")(layers.ReLU(dtype="mixed_bfloat16")(x))
    x = layers.Reshape((x.shape[1], -1))(x)
    x = layers.Concatenate()([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)])
    return Model(start, layers.Dense(N_CLASSES, activation="softmax")(layers.Dropout(0.3)(x)))


def modulations_network(shape: tuple[int, int]) -> keras.Model:
    """Return a network with attention on (n_frames, n_channels)."""
    from keras import Model, layers

    start = layers.Input(shape)
    x = layers.SpatialDropout1D(0.3)(start)
    for kernel, drop in ((1, 0.2), (3, 0.0)):
        x = layers.Conv1D(128, kernel, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.95)(x))
        x = layers.SpatialDropout1D(drop)(x)
    weights = layers.Softmax(axis=1)(layers.Conv1D(128, 1)(x))
    attended = layers.Rescaling(shape[0])(layers.GlobalAveragePooling1D()(layers.Multiply()([weights, x])))
    pooled = [layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x), attended]
    x = layers.Dropout(0.5)(layers.Concatenate()(pooled))
    return Model(start, layers.Dense(N_CLASSES, activation="softmax")(x))


def changed_window(track: np.ndarray, length: int, rng: Rng) -> np.ndarray:
    """Return a random window with another gain and tilt, and two masks on each axis."""
    first = rng.integers(0, len(track) - length + 1)
    found = track[first : first + length] + rng.normal(0, 0.2)
    found += rng.normal(0, 0.2) * np.linspace(-1, 1, N_BINS, dtype=np.float32)
    for _ in range(2):
        bins, frames = rng.integers(0, 17, 2)
        low_bin, first = rng.integers(0, N_BINS - bins + 1), rng.integers(0, length - frames + 1)
        found[:, low_bin : low_bin + bins] = 0
        found[first : first + frames] = 0
    return found


def moved_window(track: np.ndarray, length: int, rng: Rng) -> np.ndarray:
    """Return a `changed_window` that is up to a sixth faster or slower and three bins higher or lower."""
    step = np.exp(rng.uniform(-1, 1) / 6)
    first = rng.uniform(0, len(track) - 1 - step * (length - 1))
    at = first + step * np.arange(length)
    low = at.astype(int)
    share = (at - low).astype(np.float32)[:, None]
    high = np.minimum(low + 1, len(track) - 1)
    bins = np.clip(np.arange(N_BINS) + rng.integers(-3, 4), 0, N_BINS - 1)
    moved = (1 - share) * track[low] + share * track[high]
    return changed_window(moved[:, bins], length, rng)


def noisy_window(track: np.ndarray, length: int, rng: Rng) -> np.ndarray:
    """Return a random window with a random offset of every channel."""
    first = rng.integers(0, len(track) - length + 1)
    return track[first : first + length] + rng.normal(0, 0.2, track.shape[1])


def magnitudes(frames: np.ndarray) -> np.ndarray:
    """Return roots of the filters' magnitudes in six bands, (n_tracks, n_frames / 6, 492)."""
    found = []
    for bands in magnitudes_in_bands(frames):
        n, n_frames = bands[0].shape[:2]
        runs = [band.reshape(n, n_frames // RUN, RUN, -1).mean(axis=2) for band in bands]
        found.append(np.sqrt(np.concatenate(runs, axis=2)))
    return np.concatenate(found)


@dataclass(frozen=True)
class Training:
    """How to train a network: epochs of one window a track, in batches of `size`, with mixup of `alpha`."""

    build: Callable[[tuple[int, int]], keras.Model]
    window: Callable[[np.ndarray, int, Rng], np.ndarray]
    n_frames: int
    epochs: int
    size: int
    alpha: float
    rate: float
    decay: float
    n_windows: int


NETWORKS = {
    "windows": Training(windows_network, changed_window, 112, 270, 32, 0.3, 3e-3, 1e-4, 5),
    "moved": Training(windows_network, moved_window, 112, 270, 32, 0.3, 3e-3, 1e-4, 5),
    "moved-longer": Training(windows_network, moved_window, 112, 810, 32, 0.3, 3e-3, 1e-4, 5),
    "modulations": Training(modulations_network, noisy_window, 36, 60, 32, 0.4, 2e-3, 0.02, 7),
}


def predicted(
    how: Training, values: np.ndarray, labels: np.ndarray, train: np.ndarray, test: np.ndarray
) -> np.ndarray:
    """Train on the rows `train`; return mean log-probabilities of windows of the tracks `test`."""
    import keras

    keras.utils.set_random_seed(0)
    started, rng, axes = time.process_time(), np.random.default_rng(0), (0, 1)
    values = (values - values[train].mean(axes)) / values[train].std(axes)
    steps = how.epochs * (len(train) // how.size)
    rate = keras.optimizers.schedules.CosineDecay(
        1e-5, steps - steps // 20, warmup_target=how.rate, warmup_steps=steps // 20
    )
    model = how.build((how.n_frames, values.shape[2]))
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=SMOOTHING)
    model.compile(keras.optimizers.AdamW(rate, weight_decay=how.decay), loss)
    losses = []
    for epoch in range(how.epochs):
        model.reset_metrics()
        for inputs, targets in batches(how, values, labels, train, rng):
            last = model.train_on_batch(inputs, targets)
        losses.append(float(last))
        if (epoch + 1) % (how.epochs // 10) == 0:
            print(epoch + 1, f"loss {np.mean(losses[-how.epochs // 10 :]):.3f}", flush=True)
    print(f"{model.count_params()} parameters, {steps} steps, {time.process_time() - started:.0f} s of CPU")
    starts = np.linspace(0, values.shape[1] - how.n_frames, how.n_windows).astype(int)

    def scores(rows: np.ndarray) -> np.ndarray:
        cut = [model.predict(values[rows, i : i + how.n_frames], verbose=0) for i in starts]
        return np.log(np.array(cut) + 1e-7).mean(axis=0)

    found = scores(test)
    for name, rows, own in (("training", train, scores(train)), ("test", test, found)):
        print(name, f"tracks right: {(own.argmax(axis=1) == labels[rows]).mean():.3f}", flush=True)
    return found


def batches(
    how: Training, values: np.ndarray, labels: np.ndarray, train: np.ndarray, rng: Rng
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield mixed windows and targets, one window of each track in a random order."""
    order = rng.permutation(train)[: len(train) // how.size * how.size]
    for rows in order.reshape(-1, how.size):
        x = np.stack([how.window(values[row], how.n_frames, rng) for row in rows]).astype(np.float32)
        targets = np.eye(N_CLASSES, dtype=np.float32)[labels[rows]]
        partner, share = rng.permutation(how.size), np.float32(rng.beta(how.alpha, how.alpha))
        inputs, targets = (share * part + (1 - share) * part[partner] for part in (x, targets))
        yield inputs, targets


class HeldOut(Folds):
    """One split instead of folds: the last rows are tested, and the scores of the others are 0."""

    def __init__(self, tracks: pd.DataFrame, n_train: int) -> None:
        super().__init__(tracks)
        rows = np.arange(len(tracks))
        self.splits = [(0, rows[:n_train], rows[n_train:])]


class FirstShuffle(Folds):
    """The folds of the first shuffle."""

    def __init__(self, tracks: pd.DataFrame) -> None:
        super().__init__(tracks)
        self.splits = [split for split in self.splits if split[0] == 0]


def classical(folds: Folds, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return scores of the recipe and of k-means features (n_tracks, n_classes)."""
    base = folds.scores(folds.grams(textures.textures(frames, RATE)))[0]
    scales = []
    for width, size, n_centroids in SCALES:
        cut = patches(frames, width)
        own = folds.grams(lambda train: dictionary_features(cut, train, size, n_centroids))  # noqa: B023
        scales.append((1 / len(SCALES), own))
    return base, folds.scores(summed(*scales), 0.6)[0]


def ensembles(base: np.ndarray, learnt: np.ndarray, own: np.ndarray) -> dict[str, np.ndarray]:
    """Return scores of the recipe, the network and their products by name; the first is the reference."""
    found = {"the recipe": base, "network alone": own}
    for weight in (0.15, 0.3, 0.6, 1.0):
        found[f"product, weight of the network {weight:g}"] = product((1, base), (weight, own))
    both = found["product with k-means"] = product((1, base), (0.3, learnt))
    for weight in (0.3, 1.0):
        found[f"product with k-means and network, weight {weight:g}"] = product((1, both), (weight, own))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=Path, nargs="+", required=True)
    parser.add_argument("--tracks", type=Path, required=True)
    parser.add_argument("--network", choices=NETWORKS, default="windows")
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    configure_backend(1)
    args.cache.mkdir(parents=True, exist_ok=True)
    tracks, frames = read(args.frames, args.tracks)
    frames = frames.astype(np.float32)
    n_train = len(read(args.frames[:1], args.tracks)[0])
    folds = HeldOut(tracks, n_train) if args.held_out else FirstShuffle(tracks)
    values = magnitudes(frames) if args.network == "modulations" else frames
    own = np.zeros((len(tracks), N_CLASSES))
    for fold, (_, train, test) in enumerate(folds.splits):
        file = args.cache / f"{args.network}-{'held-out' if args.held_out else fold}.npy"
        if not file.is_file():
            np.save(file, predicted(NETWORKS[args.network], values, folds.labels, train, test))
        own[test] = np.load(file)
    tested = np.sort(np.concatenate([test for _, _, test in folds.splits]))
    base, learnt = classical(folds, frames)
    found = ensembles(base[tested], learnt[tested], own[tested])
    if not args.held_out:
        found["product, temperatures fitted"] = sum(fitted([part], folds) for part in (base, own))
        found["product, weights fitted"] = fitted([base, own], folds)
        found["product with k-means, weights fitted"] = fitted([base, learnt], folds)
        found["product with k-means and network, weights fitted"] = fitted([base, learnt, own], folds)
    write_json(args.output, compared(found, folds, tested))


def fitted(parts: list[np.ndarray], folds: Folds) -> np.ndarray:
    """Return the sum of scores with weights that maximise the likelihood of the other folds' tracks."""
    stacked, found = np.stack(parts), np.zeros_like(parts[0])
    for _, rows, test in folds.splits:

        def cost(logs: np.ndarray, rows: np.ndarray = rows) -> float:
            scores = np.tensordot(np.exp(logs), stacked[:, rows], 1)
            return -log_softmax(scores, axis=1)[np.arange(len(rows)), folds.labels[rows]].mean()

        weights = np.exp(minimize(cost, np.zeros(len(parts)), method="Nelder-Mead").x)
        print("weights", weights.round(3), flush=True)
        found[test] = log_softmax(np.tensordot(weights, stacked[:, test], 1), axis=1)
    return found


def compared(scores: dict[str, np.ndarray], folds: Folds, rows: np.ndarray) -> list[dict[str, object]]:
    """Return and print the accuracy of each experiment and its difference from the first."""
    clusters, found, reference = cluster_names(folds.tracks)[rows], [], None
    for name, values in scores.items():
        correct = values.argmax(axis=1) == folds.labels[rows]
        reference = correct if reference is None else reference
        accuracy = accuracy_interval(correct, clusters, **SAMPLING)
        difference = difference_interval(correct, reference, clusters, **SAMPLING)
        row = {"experiment": name, "accuracy, %": accuracy, "difference, points": difference}
        found.append(shown(row))
        print(found[-1], flush=True)
    return found


if __name__ == "__main__":
    main()
