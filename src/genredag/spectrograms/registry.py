"""The registry of representations, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from genredag.params.groups.base import Group
from genredag.params.groups.spectrograms import Cqt, Handcrafted, Mel, Stft
from genredag.spectrograms import cqt, handcrafted, mel, stft
from genredag.spectrograms.spectrum import Description

G = TypeVar("G", bound=Group)


class FullDescription(Description):
    """A `Description` with the number of columns and the frame rate in Hz."""

    n_bins: int
    frames_per_second: float


@dataclass(frozen=True)
class Representation(Generic[G]):
    """How a representation is computed.

    Attributes
    ----------
    group
        Class of its parameters.
    transform
        ``(y, sr, params) -> (n_frames, n_bins)``: float32 values of mono samples (n_samples,), in
        1 + n_samples // hop_length centred frames. The sample rate is in Hz.
    describe
        ``(params, sr) -> Description``; raises ParameterError if `transform` would fail.
    columns
        ``(params) -> columns of `transform```, without computing it: a range of bins, or names of features.
    """

    group: type[G]
    transform: Callable[[np.ndarray, int, G], np.ndarray]
    describe: Callable[[G, int], Description]
    columns: Callable[[G], range | list[str]]


REPRESENTATIONS: dict[str, Representation[Any]] = {
    "stft": Representation(Stft, stft.stft, stft.describe, stft.columns),
    "mel": Representation(Mel, mel.mel, mel.describe, mel.columns),
    "cqt": Representation(Cqt, cqt.cqt, cqt.describe, cqt.columns),
    "handcrafted": Representation(
        Handcrafted, handcrafted.handcrafted, handcrafted.describe, handcrafted.columns
    ),
}


def describe(name: str, params: Any, sr: int) -> FullDescription:
    """Return n_bins, frames_per_second, unit, floor and bins of a representation, without computing it.

    Raises
    ------
    ParameterError
        The parameters can't be used with this sample rate.
    """
    description = REPRESENTATIONS[name].describe(params, sr)
    return {
        "n_bins": len(description["bins"]),
        "frames_per_second": sr / params.hop_length,
        **description,
    }
