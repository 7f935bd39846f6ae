"""The registry of representations, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from genredag.params.groups import spectrograms as groups
from genredag.params.groups.base import Group
from genredag.spectrograms import (
    chroma_cens,
    chroma_cqt,
    chroma_stft,
    cqt,
    handcrafted,
    mel,
    mfcc,
    musicnn,
    onnx_encoder,
    stack,
    stft,
)
from genredag.spectrograms.spectrum import Description

G = TypeVar("G", bound=Group)


def _unchanged(params: G) -> G:
    return params


def _nothing(params: Group, cache_dir: Path) -> None:
    """Need no file."""


class FullDescription(Description):
    """A `Description` with the number of columns, that of channels, and the frame rate in Hz."""

    n_bins: int
    n_channels: int
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
        1 + n_samples // `hop_length` centred frames. The sample rate is in Hz.
    describe
        ``(params, sr) -> Description``; raises ParameterError if `transform` would fail.
    columns
        ``(params) -> columns of `transform```, without computing it: a range of bins, or names of features.
    picture
        Whether the columns have an order, so that networks can take slices as pictures.
    recorded
        ``(params) -> params`` of a frame store, which identify what it was made with on any machine.
    obtain
        ``(params, cache_dir)``: download or check the weights that it needs; raises ModelError or
        ParameterError.
    """

    group: type[G]
    transform: Callable[[np.ndarray, int, G], np.ndarray]
    describe: Callable[[G, int], Description]
    columns: Callable[[G], range | list[str]]
    picture: bool = True
    recorded: Callable[[G], G] = _unchanged
    obtain: Callable[[G, Path], None] = _nothing


REPRESENTATIONS: dict[str, Representation[Any]] = {
    "stft": Representation(groups.Stft, stft.stft, stft.describe, stft.columns),
    "mel": Representation(groups.Mel, mel.mel, mel.describe, mel.columns),
    "cqt": Representation(groups.Cqt, cqt.cqt, cqt.describe, cqt.columns),
    "handcrafted": Representation(
        groups.Handcrafted, handcrafted.handcrafted, handcrafted.describe, handcrafted.columns, picture=False
    ),
    "mfcc": Representation(groups.Mfcc, mfcc.mfcc, mfcc.describe, mfcc.columns),
    "chroma_stft": Representation(
        groups.ChromaStft, chroma_stft.chroma_stft, chroma_stft.describe, chroma_stft.columns
    ),
    "chroma_cqt": Representation(
        groups.ChromaCqt, chroma_cqt.chroma_cqt, chroma_cqt.describe, chroma_cqt.columns
    ),
    "chroma_cens": Representation(
        groups.ChromaCens, chroma_cens.chroma_cens, chroma_cens.describe, chroma_cens.columns
    ),
    "stack": Representation(groups.Stack, stack.stack, stack.describe, stack.columns),
    "musicnn": Representation(
        groups.Musicnn,
        musicnn.musicnn,
        musicnn.describe,
        musicnn.columns,
        picture=False,
        recorded=musicnn.recorded,
        obtain=musicnn.obtain,
    ),
}
# What every other key of `representations` is: an encoder of the user's own.
ONNX_ENCODER = Representation(
    groups.OnnxEncoder,
    onnx_encoder.onnx_embedding,
    onnx_encoder.describe,
    onnx_encoder.columns,
    picture=False,
    recorded=onnx_encoder.recorded,
    obtain=onnx_encoder.obtain,
)
# Parameters that were added later, with the value that bundles and frame stores without them were made with.
ADDED_LATER: dict[str, dict[str, object]] = {"mel": {"scale": "db"}}


def known(name: str) -> Representation[Any]:
    """Return the representation of this name; of any other name, that of the user's own encoders."""
    return REPRESENTATIONS.get(name, ONNX_ENCODER)


def read_group(name: str, params: dict[str, Any]) -> Any:
    """Return the parameters of a representation as a bundle or a frame store of any version has them."""
    values = ADDED_LATER.get(name, {}) | params
    if name == "stack":
        values["channels"] = {key: read_group(key, channel) for key, channel in params["channels"].items()}
    return known(name).group(**values)


def count_channels(params: Group) -> int:
    """Return the number of channels of a representation: 1 unless it is a stack."""
    return len(params.channels.given) if isinstance(params, groups.Stack) else 1


def hop_length(params: Any, sr: int) -> int:
    """Return the number of samples between frames, at `sr` Hz."""
    return params.hop_samples(sr) if isinstance(params, groups.Encoder) else params.hop_length


def describe(name: str, params: Any, sr: int) -> FullDescription:
    """Return n_bins, n_channels, frames_per_second, unit, floor and bins, without computing anything.

    Raises
    ------
    ParameterError
        The parameters can't be used with this sample rate.
    """
    description = known(name).describe(params, sr)
    return {
        "n_bins": len(description["bins"]),
        "n_channels": count_channels(params),
        "frames_per_second": sr / hop_length(params, sr),
        **description,
    }
