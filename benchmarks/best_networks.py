r"""A network beside `best`: out-of-fold predictions of one shuffle, and their product with those of `best`.

`windows` is a one-dimensional convolutional network on windows of 10 s, with mixup, masks, random pitch,
tempo and equalisation. `modulations` is one with attention on the filters' magnitudes that `best` averages,
six frames at a time. Both have a cosine schedule and a fixed number of epochs; nothing is chosen on test
folds but the weight of the product, of which all are shown. Features as cached by `best_experiments.py`.

    python benchmarks/best_networks.py --frames mel_train.npz mel_valid.npz --tracks tracks.csv \
        --network modulations --output networks.json
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from best_experiments import N_BINS, RATE, Folds, pitched, shown
from learning_curves import SAMPLING, read
from scipy.fft import fft2, ifft2

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
    """Return a network of about 133,000 parameters on (n_frames, n_bins)."""
    from keras import Model, layers

    x = start = layers.Input(shape)
    for width, pooled, drop in ((64, 2, 0.1), (96, 2, 0.1), (128, 2, 0), (128, 1, 0)):
        x = layers.Conv1D(width, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.95)(x))
        x = layers.SpatialDropout1D(drop)(layers.MaxPooling1D(pooled)(x))
    x = layers.Concatenate()([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)])
    return Model(start, layers.Dense(N_CLASSES, activation="softmax")(layers.Dropout(0.4)(x)))


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
    """Return a random window with another tempo, pitch, equalisation and two masks on each axis."""
    rate = np.exp(rng.uniform(-0.1, 0.1))
    place = rng.integers(0, max(1, len(track) - int(length * rate))) + np.arange(length) * rate
    place = np.minimum(place, len(track) - 1)
    low, share = place.astype(int), (place % 1)[:, np.newaxis]
    found = track[low] * (1 - share) + track[np.minimum(low + 1, len(track) - 1)] * share
    found = pitched(found, rng.integers(-3, 4))
    found = found + np.interp(np.arange(N_BINS), np.linspace(0, N_BINS - 1, 5), rng.normal(0, 3, 5))
    for _ in range(2):
        bins, frames = rng.integers(0, 16, 2)
        low_bin, first = rng.integers(0, N_BINS - bins), rng.integers(0, length - frames)
        found[:, low_bin : low_bin + bins] = found.mean()
        found[first : first + frames] = found.mean()
    return found


def noisy_window(track: np.ndarray, length: int, rng: Rng) -> np.ndarray:
    """Return a random window with a random offset of every channel."""
    first = rng.integers(0, len(track) - length + 1)
    return track[first : first + length] + rng.normal(0, 0.2, track.shape[1])


def magnitudes(frames: np.ndarray) -> np.ndarray:
    """Return roots of the filters' magnitudes in six bands, (n_tracks, n_frames / 6, 492)."""
    found = []
    for chunk in (frames[i : i + textures.CHUNK] for i in range(0, len(frames), textures.CHUNK)):
        n, n_frames, n_bins = chunk.shape
        bands = np.linspace(0, n_bins, textures.N_BANDS, endpoint=False).astype(int)
        sizes = np.diff([*bands, n_bins]).astype(np.float32)
        shape = textures._padded(n_frames, n_bins)
        level = chunk.mean(axis=(1, 2), keepdims=True)
        spectrum = fft2((chunk - level).astype(np.complex64), s=shape, axes=(1, 2))
        of_filters = []
        for response in textures.filters(*shape):
            magnitude = np.abs(ifft2(spectrum * response, axes=(1, 2))[:, :n_frames, :n_bins])
            band = np.add.reduceat(magnitude, bands, axis=2) / sizes
            of_filters.append(np.sqrt(band.reshape(n, n_frames // RUN, RUN, -1).mean(axis=2)))
        found.append(np.concatenate(of_filters, axis=2))
    return np.concatenate(found)


# Network, window, frames of a window, epochs, batch size, alpha of mixup, weight decay.
NETWORKS: dict[str, tuple[Callable, Callable, int, int, int, float, float]] = {
    "windows": (windows_network, changed_window, 112, 300, 16, 0.2, 0.0),
    "modulations": (modulations_network, noisy_window, 36, 60, 32, 0.4, 0.02),
}


def predicted(name: str, values: np.ndarray, labels: np.ndarray, train: np.ndarray, test: np.ndarray):
    """Train on a fold; return mean log-probabilities of windows of its test tracks."""
    import keras

    build, window, length, epochs, size, alpha, decay = NETWORKS[name]
    keras.utils.set_random_seed(0)
    rng, axes = np.random.default_rng(0), (0, 1)
    values = (values - values[train].mean(axes)) / values[train].std(axes)
    steps = epochs * (len(train) // size)
    rate = keras.optimizers.schedules.CosineDecay(
        1e-5, steps - steps // 20, warmup_target=2e-3, warmup_steps=steps // 20
    )
    model = build((length, values.shape[2]))
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=SMOOTHING)
    model.compile(keras.optimizers.AdamW(rate, weight_decay=decay), loss)
    for _ in range(epochs):
        order = rng.permutation(train)[: len(train) // size * size]
        for rows in order.reshape(-1, size):
            x = np.stack([window(values[row], length, rng) for row in rows]).astype(np.float32)
            targets, partner, share = (
                np.eye(N_CLASSES)[labels[rows]],
                rng.permutation(size),
                rng.beta(alpha, alpha),
            )
            blend = [share * part + (1 - share) * part[partner] for part in (x, targets)]
            model.train_on_batch(*blend)
    starts = np.linspace(0, values.shape[1] - length, 7).astype(int)
    cut = [model.predict(values[test, i : i + length], verbose=0) for i in starts]
    return np.log(np.array(cut) + 1e-7).mean(axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=Path, nargs="+", required=True)
    parser.add_argument("--tracks", type=Path, required=True)
    parser.add_argument("--network", choices=NETWORKS, default="modulations")
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    configure_backend(1)
    tracks, frames = read(args.frames, args.tracks)
    frames = frames.astype(np.float32)
    folds = Folds(tracks)
    base = folds.scores(folds.grams(textures.textures(frames, RATE)))[0]
    values = magnitudes(frames) if args.network == "modulations" else frames
    own = np.zeros_like(base)
    for shuffle, train, test in folds.splits:
        if shuffle == 0:
            own[test] = predicted(args.network, values, folds.labels, train, test)
            print(f"{(own[test].argmax(axis=1) == folds.labels[test]).mean():.3f}", flush=True)
    clusters, rows = cluster_names(tracks), []
    reference = base.argmax(axis=1) == folds.labels
    for weight in (0, 0.15, 0.3, 0.6, None):
        scores = own if weight is None else base / base.std() + weight * own / own.std()
        correct = scores.argmax(axis=1) == folds.labels
        accuracy = accuracy_interval(correct, clusters, **SAMPLING)
        difference = difference_interval(correct, reference, clusters, **SAMPLING)
        rows.append(shown({"weight": weight, "accuracy, %": accuracy, "difference, points": difference}))
        print(rows[-1])
    write_json(args.output, rows)


if __name__ == "__main__":
    main()
