"""Embeddings of musicnn, a tagger of music trained on the Million Song Dataset (Pons & Serra 2019).

J. Pons & X. Serra, "musicnn: Pre-trained convolutional neural networks for music audio tagging", ISMIR 2019.
The network is computed with NumPy, so that rendering and prediction need no deep-learning framework.
`genredag.models.musicnn` has the same network in Keras.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from genredag.params.groups.spectrograms import PUBLISHED, Musicnn
from genredag.runtime.cache import default_cache_dir
from genredag.spectrograms.mel import mel_filters
from genredag.spectrograms.musicnn_weights import EPSILON, obtain_checkpoint, read_variables
from genredag.spectrograms.spectrum import Description, power_spectrogram
from genredag.spectrograms.windows import describe_embedding, embedded_track, embedding_names

SR, N_FFT, HOP_LENGTH, N_MELS = 16_000, 512, 256, 96
N_FRAMES = 187  # of a patch: 3 s
N_SAMPLES = (N_FRAMES - 1) * HOP_LENGTH + N_FFT
# Convolutions of the front-end, each followed by the batch normalisation of the next number.
TIMBRAL, TEMPORAL, MIDDLE = ("conv2d", "conv2d_1"), ("conv2d_2", "conv2d_3", "conv2d_4"), (5, 6, 7)
N_COLUMNS = {"penultimate": 200, "pooled": 2 * 753}
TAGS = (
    *("rock", "pop", "alternative", "indie", "electronic", "female vocalists", "dance", "00s"),
    *("alternative rock", "jazz", "beautiful", "metal", "chillout", "male vocalists", "classic rock", "soul"),
    *("indie rock", "Mellow", "electronica", "80s", "folk", "90s", "chill", "instrumental", "punk"),
    *("oldies", "blues", "hard rock", "ambient", "acoustic", "experimental", "female vocalist", "guitar"),
    *("Hip-Hop", "70s", "party", "country", "easy listening", "sexy", "catchy", "funk", "electro"),
    *("heavy metal", "Progressive rock", "60s", "rnb", "indie pop", "sad", "House", "happy"),
)
Variables = Mapping[str, np.ndarray]


def musicnn(y: np.ndarray, sr: int, params: Musicnn) -> np.ndarray:
    """Return the embeddings of windows of 3 s of mono samples `y`; `sr` is in Hz.

    Float32, shape (1 + n_samples // hop, n_columns). The window of a frame is centred on it, except at the
    ends of the track.
    """
    return embedded_track(y, sr, params.hop_samples(sr), encoder(params))


def describe(params: Musicnn, sr: int) -> Description:
    """Name the columns of `musicnn`."""
    return describe_embedding(columns(params))


def columns(params: Musicnn) -> list[str]:
    """Return the names of the columns of `musicnn`."""
    return embedding_names(N_COLUMNS[params.layer])


def recorded(params: Musicnn) -> Musicnn:
    """Return the parameters for a frame store: all copies of the weights have the same hash."""
    return params.model_copy(update={"weights": PUBLISHED})


def obtain(params: Musicnn, cache_dir: Path) -> None:
    """Put the weights into `cache_dir`; see `obtain_checkpoint`."""
    obtain_checkpoint(params.weights, cache_dir)


class MusicnnEncoder:
    """One layer of the network, for windows of samples; see `genredag.spectrograms.windows`."""

    sr, n_samples = SR, N_SAMPLES

    def __init__(self, variables: Variables, layer: str) -> None:
        self.n_columns = N_COLUMNS[layer]
        self._variables, self._layer = variables, layer

    def embed(self, window: np.ndarray) -> np.ndarray:
        """See `WindowEncoder.embed`."""
        return layers(log_mel(window), self._variables)[self._layer]


def encoder(params: Musicnn) -> MusicnnEncoder:
    """Return the encoder of these parameters, with weights from the user's cache or their source.

    Raises
    ------
    ModelError
        The weights can't be obtained.
    """
    return MusicnnEncoder(_variables(params.weights), params.layer)


@functools.lru_cache(maxsize=1)
def _variables(weights: str) -> Variables:
    return read_variables(obtain_checkpoint(weights, default_cache_dir()))


def log_mel(window: np.ndarray) -> np.ndarray:
    """Return the patch that the network takes: log10(1 + 10000 power) of mel bands, (N_FRAMES, N_MELS).

    Parameters
    ----------
    window
        Samples in [-1, 1] at 16 kHz, (N_SAMPLES,).
    """
    power = power_spectrogram(window, N_FFT, HOP_LENGTH, "hann", center=False)
    bands = power @ mel_filters(SR, N_FFT, N_MELS, 0.0, SR / 2).T
    return np.log10(1 + 10_000 * bands)


def layers(patch: np.ndarray, variables: Variables) -> dict[str, np.ndarray]:
    """Return the output of every layer of the network, without dropout, for one patch (N_FRAMES, N_MELS).

    The names are those of musicnn's extractor, where ``pooled`` is the maximum and the mean over time of each
    of 753 features, in turns; ``tags`` are probabilities in the order of `TAGS`.
    """
    x = _normalised(patch, variables, 0)
    front = [_pooled(np.pad(x, ((3, 3), (0, 0))), variables, name) for name in TIMBRAL]
    for name in TEMPORAL:
        padding = len(variables[f"{name}/kernel"]) - 1
        sides = (padding // 2, padding - padding // 2)  # TensorFlow's "same"
        front.append(_pooled(np.pad(x, (sides, (0, 0))), variables, name))
    features = [np.concatenate(front, axis=1)]
    for number in MIDDLE:
        own = _pooled(np.pad(features[-1], ((3, 3), (0, 0))), variables, f"conv2d_{number}")
        features.append(own + features[-1] if number > MIDDLE[0] else own)
    joined = np.concatenate(features, axis=1)
    pooled = np.stack([joined.max(axis=0), joined.mean(axis=0)], axis=1).ravel()
    dense = _normalised(pooled, variables, 9) @ variables["dense/kernel"] + variables["dense/bias"]
    penultimate = _normalised(np.maximum(dense, 0), variables, 10)
    logits = penultimate @ variables["dense_1/kernel"] + variables["dense_1/bias"]
    return {
        "timbral": np.concatenate(front[:2], axis=1),
        "temporal": np.concatenate(front[2:], axis=1),
        **{f"cnn{i}": features[i] for i in (1, 2, 3)},
        "pooled": pooled,
        "penultimate": penultimate,
        "tags": 1 / (1 + np.exp(-logits)),
    }


def _pooled(x: np.ndarray, variables: Variables, name: str) -> np.ndarray:
    """Return a convolution of `x` (n_frames, n_bins), rectified, normalised, and its maximum over bins."""
    kernel = variables[f"{name}/kernel"]
    height, width, _, n_filters = kernel.shape
    blocks = sliding_window_view(x, (height, width))
    n_frames, n_bins = blocks.shape[:2]
    maps = blocks.reshape(n_frames * n_bins, height * width) @ kernel.reshape(-1, n_filters)
    maps = np.maximum(maps + variables[f"{name}/bias"], 0)
    number = int(name.removeprefix("conv2d").removeprefix("_") or 0) + 1
    return _normalised(maps, variables, number).reshape(n_frames, n_bins, n_filters).max(axis=1)


def _normalised(x: np.ndarray, variables: Variables, number: int) -> np.ndarray:
    """Return `x` after the batch normalisation of this number."""
    name = f"batch_normalization_{number}" if number else "batch_normalization"
    scale = variables[f"{name}/gamma"] / np.sqrt(variables[f"{name}/moving_variance"] + np.float32(EPSILON))
    return x * scale + (variables[f"{name}/beta"] - variables[f"{name}/moving_mean"] * scale)
