"""Features of a slice for estimators and networks on handcrafted features: statistics over its frames.

`bin_means` and `bin_statistics` take any columns. `textures` and `patches`, which have modules of their own,
take any spectrogram.

The others are those of erwanrh/ML_Python-Music_Classification (2021; 30 to 89 features) and of
Hguimaraes/gtzan.keras (2020; 133). For features per clip, make slices as long as a clip. Frequencies are in
Hz, as in both sources, because a variance threshold on unscaled features depends on the unit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from genredag.errors import ModelError
from genredag.frames.patches import patches
from genredag.frames.textures import RATE as COARSE_RATE
from genredag.frames.textures import textures

BIN_MEANS, BIN_STATISTICS = "bin_means", "bin_statistics"
# Features of a spectrogram, whatever its bins mean.
OF_SPECTROGRAMS = {"textures": textures, "patches": patches}
KHZ, HZ_PER_KHZ = "_khz", 1000
# Each series is one column of the representation `handcrafted`, or several pooled into one.
Series = tuple[str, ...]


def _series(pattern: str, numbers: Sequence[object]) -> tuple[Series, ...]:
    return tuple((pattern.format(number),) for number in numbers)


MFCC = _series("mfcc_{}", range(1, 31))
CHROMA = _series("chroma_{}", ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"])
RATE, ROLLOFF, CENTROID, TEMPO = _series(
    "{}", ("zero_crossing_rate", "rolloff_khz", "centroid_khz", "tempo_bpm")
)
CONTRAST = tuple(f"contrast_{i}" for i in range(1, 8))
FRAMES_22 = (
    *(CENTROID, ROLLOFF, RATE, CONTRAST),
    *_series("{}", ("onset_strength", "rms", "bandwidth_khz", "flatness", "silence")),
    *MFCC[:13],
)
MEAN, MEAN_STD = ("mean",), ("mean", "std")
SIX = ("max", "min", "mean", "std", "kurtosis", "skew")
FEATURE_SETS: dict[str, tuple[tuple[tuple[Series, ...], tuple[str, ...]], ...]] = {
    "features_30": ((MFCC, MEAN),),
    "features_42": ((MFCC + CHROMA, MEAN),),
    "features_60": ((MFCC, MEAN_STD),),
    "features_85": ((MFCC + CHROMA, MEAN_STD), ((TEMPO,), MEAN)),
    "features_87": ((MFCC + CHROMA + (RATE,), MEAN_STD), ((TEMPO,), MEAN)),
    "features_89": ((MFCC + CHROMA + (RATE, ROLLOFF), MEAN_STD), ((TEMPO,), MEAN)),
    "features_89_centroid": ((MFCC + CHROMA + (RATE, CENTROID), MEAN_STD), ((TEMPO,), MEAN)),
    "features_133": ((FRAMES_22, SIX), ((TEMPO,), MEAN)),
}

NAMES = (BIN_MEANS, BIN_STATISTICS, *OF_SPECTROGRAMS, *FEATURE_SETS)


def features(
    slices: np.ndarray,
    bins: Sequence[float | str],
    name: str,
    n_valid: np.ndarray | None = None,
    frames_per_second: float = COARSE_RATE,
) -> np.ndarray:
    """Return the features of slices (n_slices, n_frames, n_bins), float32 (n_slices, n_features).

    Parameters
    ----------
    bins
        Labels of the columns, as in a frame store.
    name
        A key of `FEATURE_SETS` or of `OF_SPECTROGRAMS`, ``bin_means`` for the mean of each column over time,
        or ``bin_statistics`` for `slice_statistics`.
    n_valid
        Number of frames of each slice before its padding, which is ignored; None for all frames.
    frames_per_second
        Of the slices; only features of spectrograms depend on it.

    Raises
    ------
    ModelError
        The frames lack a column, or the slices have only one frame.
    """
    if n_valid is None:
        n_valid = np.full(len(slices), slices.shape[1])
    summary = _summary(bins, name, frames_per_second)
    found = np.empty((len(slices), summary(slices[:0]).shape[1]), np.float32)
    for n in np.unique(n_valid):
        rows = n_valid == n
        valid = slices[rows, :n]
        # A single frame is repeated: nothing changes over time.
        found[rows] = summary(np.repeat(valid, 2, axis=1) if n == 1 else valid)
    return found


def _summary(
    bins: Sequence[float | str], name: str, frames_per_second: float
) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function that computes the features `name` of slices without padding."""
    if name == BIN_MEANS:
        return lambda slices: slices.mean(axis=1, dtype=np.float32)
    if name == BIN_STATISTICS:
        return slice_statistics
    if name in OF_SPECTROGRAMS:
        return partial(OF_SPECTROGRAMS[name], frames_per_second=frames_per_second)
    return _feature_set(bins, name)


def _feature_set(bins: Sequence[float | str], name: str) -> Callable[[np.ndarray], np.ndarray]:
    """Return `_summary` of a set of handcrafted features."""
    check_columns(bins, name)
    place = {label: i for i, label in enumerate(bins)}

    def summary(slices: np.ndarray) -> np.ndarray:
        parts = []
        for series, statistics in FEATURE_SETS[name]:
            for columns in series:
                values = slices[:, :, [place[column] for column in columns]]
                values = values.reshape(len(slices), slices.shape[1] * len(columns))
                if columns[0].endswith(KHZ):
                    values = HZ_PER_KHZ * values
                parts += [STATISTICS[statistic](values) for statistic in statistics]
        return np.stack(parts, axis=1).astype(np.float32)

    return summary


def choose(names: str | Sequence[str], bins: Sequence[float | str]) -> str:
    """Return the first of these feature sets that can be computed from columns labelled `bins`.

    Raises
    ------
    ModelError
        None can be computed; the message names what the first one lacks.
    """
    names = [names] if isinstance(names, str) else names
    chosen = next((name for name in names if not _missing(bins, name)), names[0])
    check_columns(bins, chosen)
    return chosen


def check_columns(bins: Sequence[float | str], name: str) -> None:
    """Reject frames that lack a column of a feature set.

    Raises
    ------
    ModelError
        The frames lack a column.
    """
    missing = _missing(bins, name)
    if missing:
        raise ModelError(
            f"the frames have no {missing[0]}",
            where=name,
            expected="the representation handcrafted",
            hint="choose that one, with representations.handcrafted.n_mfcc large enough",
        )


def _missing(bins: Sequence[float | str], name: str) -> list[str]:
    columns = [column for series, _ in FEATURE_SETS.get(name, ()) for one in series for column in one]
    return [column for column in columns if column not in bins]


def slice_statistics(slices: np.ndarray) -> np.ndarray:
    """Return mean and standard deviation over time of each bin and of its first difference.

    Parameters
    ----------
    slices
        Shape (n_slices, n_frames, n_bins); n_frames >= 2.

    Returns
    -------
    np.ndarray
        Float32, shape (n_slices, 4 * n_bins): means, deviations, then those of the differences.

    Raises
    ------
    ModelError
        The slices have fewer than two frames.
    """
    if slices.shape[1] < 2:
        hint = "lengthen slices.seconds"
        raise ModelError(f"slices of {slices.shape[1]} frame", expected="at least 2", hint=hint)
    change = np.diff(slices, axis=1)
    parts = [slices.mean(axis=1), slices.std(axis=1), change.mean(axis=1), change.std(axis=1)]
    return np.concatenate(parts, axis=1, dtype=np.float32)


def _moment(values: np.ndarray, order: int) -> np.ndarray:
    """Return each row's standardised central moment minus that of a normal distribution; 0 if constant."""
    values = values.astype(np.float64)
    distance = values - values.mean(axis=1, keepdims=True)
    deviation = distance.std(axis=1)
    moment = (distance**order).mean(axis=1)
    flat = deviation <= 1e-6 * np.abs(values).max(axis=1, initial=0)
    normal = {3: 0, 4: 3}[order]
    return np.where(flat, 0, moment / np.where(flat, 1, deviation) ** order - normal)


STATISTICS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "max": lambda values: values.max(axis=1),
    "min": lambda values: values.min(axis=1),
    "mean": lambda values: values.mean(axis=1),
    "std": lambda values: values.std(axis=1),
    "kurtosis": lambda values: _moment(values, 4),
    "skew": lambda values: _moment(values, 3),
}
