"""Every representation by its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from genredag.params.groups.base import Group
from genredag.params.groups.spectrograms import Cqt, Handcrafted, Mel, Stft
from genredag.spectrograms import cqt, handcrafted, mel, stft


@dataclass(frozen=True)
class Representation:
    """How a representation is made.

    Attributes
    ----------
    group
        Its parameters' class.
    transform
        ``(y, sr, params) -> (n_frames, n_bins)`` float32 of 1 + n_samples // hop_length centred frames.
    describe
        ``(params, sr) -> {"bins", "unit", "floor"}``; raises ParameterError where `transform` could not work.
    columns
        ``(params) -> columns of `transform```, told at once: a range of bins, or names of features.
    """

    group: type[Group]
    transform: Callable[[np.ndarray, int, Any], np.ndarray]
    describe: Callable[[Any, int], dict[str, Any]]
    columns: Callable[[Any], range | list[str]]


REPRESENTATIONS = {
    "stft": Representation(Stft, stft.stft, stft.describe, stft.columns),
    "mel": Representation(Mel, mel.mel, mel.describe, mel.columns),
    "cqt": Representation(Cqt, cqt.cqt, cqt.describe, cqt.columns),
    "handcrafted": Representation(
        Handcrafted, handcrafted.handcrafted, handcrafted.describe, handcrafted.columns
    ),
}


def describe(name: str, params: Any, sr: int) -> dict[str, Any]:
    """Return n_bins, frames_per_second, unit, floor and bins of a representation, before any work.

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
