"""What the values of ``params.yaml`` must be to each other: names that exist, frequencies that fit."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from genredag.errors import ParameterError

if TYPE_CHECKING:
    from genredag.params import Params

COLLECTIONS = {
    "dataset": "datasets",
    "representation": "representations",
    "model": "models",
    "split": "splits",
}


def similar(name: str, names: Iterable[str]) -> str:
    """Return a hint: the name most like `name`, or all of them."""
    names = list(names)
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {close[0]!r}?" if close else f"one of {', '.join(sorted(names))}"


def check_names(params: Params) -> None:
    """Refuse an experiment or matrix that names no entry."""
    for key, collection in COLLECTIONS.items():
        for where, names in ((key, [getattr(params, key)]), (f"matrix.{key}", getattr(params.matrix, key))):
            for name in names:
                try:
                    params.entry(collection, name)
                except ParameterError as error:
                    raise ValueError(f"{where}: {name!r} is no key of `{collection}`; {error.hint}") from None


def check_frequencies(params: Params) -> None:
    """Refuse bands that the window or the sample rate can't hold."""
    nyquist = params.spectrograms.sr / 2
    stft, mel, cqt = params.representations.stft, params.representations.mel, params.representations.cqt
    top = cqt.fmin * 2 ** (cqt.n_bins / cqt.bins_per_octave)
    for key, value, largest, meaning in (
        ("representations.mel.n_mels", mel.n_mels, mel.n_fft // 2 + 1, "n_fft/2+1"),
        ("representations.mel.fmax", mel.fmax, nyquist, "half of spectrograms.sr"),
        ("representations.mel.fmin", mel.fmin, mel.fmax, "fmax"),
        ("representations.stft.fmin", stft.fmin, nyquist, "half of spectrograms.sr"),
        (
            "representations.cqt.n_bins",
            round(top),
            nyquist,
            "half of spectrograms.sr, for the highest bin in Hz",
        ),
    ):
        if value > largest:
            raise ValueError(f"{key}: {value:g} is above {largest:g}; expected at most {meaning}")


def check_spectrograms(params: Params) -> None:
    """Refuse other representations of a data set that has no audio."""
    group = params.datasets.spectrograms
    for where, datasets, representations in (
        ("representation", [params.dataset], [params.representation]),
        ("matrix.representation", params.matrix.dataset, params.matrix.representation),
    ):
        if "spectrograms" in datasets and set(representations) != {group.representation}:
            raise ValueError(
                f"{where}: the data set `spectrograms` holds {group.representation!r} frames and no audio; "
                f"expected [{group.representation}] alone"
            )


def check_embeddings(params: Params) -> None:
    """Refuse to augment slices whose embeddings are computed once."""
    for name in (params.model, *params.matrix.model):
        recipe = params.models[name]
        if recipe.backbone and recipe.backbone.has_embedding and recipe.augment:
            raise ValueError(
                f"models.{name}.augment: not empty, and the frozen part sees each slice once, before; "
                f"expected [], or models.{name}.backbone.embed = false"
            )
