"""Several representations as the channels of one picture, side by side in the columns of a frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from genredag.errors import ParameterError
from genredag.params.groups.spectrograms import Stack
from genredag.spectrograms import chroma_cens, chroma_cqt, chroma_stft, cqt, mel, mfcc, stft
from genredag.spectrograms.column_names import row_names
from genredag.spectrograms.spectrum import Description

PLACE = "representations.stack"


class Functions(NamedTuple):
    """The functions of a channel; see `genredag.spectrograms.registry.Representation`."""

    transform: Callable[[np.ndarray, int, Any], np.ndarray]
    describe: Callable[[Any, int], Description]
    columns: Callable[[Any], range | list[str]]


# Not taken from the registry, which imports this module: code that a job does not use does not rerun it.
CHANNELS = {
    "stft": Functions(stft.stft, stft.describe, stft.columns),
    "mel": Functions(mel.mel, mel.describe, mel.columns),
    "cqt": Functions(cqt.cqt, cqt.describe, cqt.columns),
    "mfcc": Functions(mfcc.mfcc, mfcc.describe, mfcc.columns),
    "chroma_stft": Functions(chroma_stft.chroma_stft, chroma_stft.describe, chroma_stft.columns),
    "chroma_cqt": Functions(chroma_cqt.chroma_cqt, chroma_cqt.describe, chroma_cqt.columns),
    "chroma_cens": Functions(chroma_cens.chroma_cens, chroma_cens.describe, chroma_cens.columns),
}


def stack(y: np.ndarray, sr: int, params: Stack) -> np.ndarray:
    """Return the channels of mono samples `y`, each as in its own representation but `n_bins` high.

    `sr` is in Hz. Float32, shape (1 + n_samples // hop_length, n_channels * n_bins): all bins of the first
    channel, then all of the second.
    """
    given = params.channels.given.items()
    return side_by_side([CHANNELS[name].transform(y, sr, group) for name, group in given], params)


def side_by_side(channels: Sequence[np.ndarray], params: Stack) -> np.ndarray:
    """Resize channels (n_frames, their own n_bins) to ``params.n_bins``, and put them next to each other.

    Between frequencies, values are interpolated linearly, from the lowest frequency to the highest. Columns
    with a name (pitch classes, coefficients) are repeated, as in a picture of them: there is nothing between
    two of them.
    """
    parts = []
    for (name, group), values in zip(params.channels.given.items(), channels, strict=True):
        has_names = not isinstance(CHANNELS[name].columns(group), range)
        parts.append((_repeated if has_names else _interpolated)(values, params.n_bins))
    return np.concatenate(parts, axis=1, dtype=np.float32)


def _repeated(values: np.ndarray, n_bins: int) -> np.ndarray:
    return values[:, np.arange(n_bins) * values.shape[1] // n_bins]


def _interpolated(values: np.ndarray, n_bins: int) -> np.ndarray:
    n_own = values.shape[1]
    if n_own == n_bins:
        return values
    place = np.linspace(0, n_own - 1, n_bins)
    low = np.minimum(place.astype(int), n_own - 2)
    share = (place - low).astype(np.float32)
    return values[:, low] * (1 - share) + values[:, low + 1] * share


def columns(params: Stack) -> list[str]:
    """Return the names of the columns of `stack`.

    Raises
    ------
    ParameterError
        The channels do not fit into one picture.
    """
    _check_channels(params)
    return [row for name in params.channels.given for row in row_names(name, params.n_bins)]


def describe(params: Stack, sr: int) -> Description:
    """Return the names of the columns of `stack`, its unit, and the floor of each column.

    Raises
    ------
    ParameterError
        The channels do not fit into one picture, or one can't be computed at this sample rate.
    """
    names, floors = columns(params), []
    for name, group in params.channels.given.items():
        own = CHANNELS[name]
        try:
            floor = own.describe(group, sr)["floor"]
        except ParameterError as error:
            where = error.where.replace("representations", f"{PLACE}.channels", 1)
            raise ParameterError(error.what, where=where, expected=error.expected, hint=error.hint) from None
        floors.append(np.broadcast_to(np.asarray(floor, np.float32), (1, len(own.columns(group)))))
    return {"bins": names, "unit": "feature", "floor": side_by_side(floors, params)[0].tolist()}


def _check_channels(params: Stack) -> None:
    first, *_ = params.channels.given
    for name, group in params.channels.given.items():
        n_own, where = len(CHANNELS[name].columns(group)), f"{PLACE}.channels.{name}"
        if group.hop_length != params.hop_length:
            raise ParameterError(
                str(group.hop_length),
                where=f"{where}.hop_length",
                expected=f"{params.hop_length}, as in {first}: channels have the same frames",
            )
        if n_own > params.n_bins:
            raise ParameterError(
                f"{params.n_bins} is less than the {n_own} bins of {name}",
                where=f"{PLACE}.n_bins",
                expected=f"at least {n_own}, or fewer bins in {where}",
            )
