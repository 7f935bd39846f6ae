"""The models that the page offers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from genredag.bundles.card import Card, read_card
from genredag.bundles.parts import parse_part, takes_audio
from genredag.errors import ModelError
from genredag.prediction.rendering import check_takes_audio


@dataclass(frozen=True)
class Offered:
    """A model to choose.

    Attributes
    ----------
    name
        Such as ``"crnn on mel"``; no two models of an offer have the same.
    card
        None if it comes without one.
    """

    path: Path
    name: str
    card: Card | None = None

    @property
    def id(self) -> str:
        """What requests name it by: it says nothing about the path."""
        return hashlib.sha256(str(self.path.resolve()).encode()).hexdigest()[:12]

    @property
    def summary(self) -> str:
        """How good it is, in a line."""
        if self.card is None:
            return "No model card: nobody measured how good it is."
        mark = "LEAKY split. " if self.card.warning else ""
        mark += "Trained on synthetic sounds, not on music. " if self.card.is_synthetic else ""
        return f"{mark}Right for {self.card.accuracy.percent()} of the test tracks of {self.card.data.name}."

    def content(self) -> dict[str, object]:
        """Return what the page shows of it."""
        card = self.card and {
            **self.card.model_dump(mode="json"),
            "accuracy_text": self.card.accuracy.percent(),
        }
        return {"id": self.id, "name": self.name, "summary": self.summary, "card": card}


def offered_models(named: Sequence[Path]) -> list[Offered]:
    """Return the models that the user named, and those in the folders that the user named.

    Models of precomputed frames are left out of folders. Those of a folder come in the order of
    `genredag.bundles.found.list_bundles`: the best on validation tracks first.

    Raises
    ------
    ModelError
        There is none, or a file isn't a model or takes no audio.
    """
    found = list({path.resolve(): (path, card) for path, card in _found(named)}.values())
    if not found:
        raise ModelError(
            "no model found",
            where=", ".join(map(str, named)),
            hint="train one with `snakemake` or `dvc exp run`, or name a model.zip",
        )
    return [Offered(path, name, card) for (path, card), name in zip(found, _names(found), strict=True)]


def _found(named: Sequence[Path]) -> Iterator[tuple[Path, Card | None]]:
    from genredag.bundles.found import list_bundles

    for path in named:
        if path.is_dir():
            found = list_bundles(path)
            yield from ((bundle.path, bundle.card) for bundle in found if takes_audio(bundle.path))
        elif path.is_file():
            check_takes_audio(path)
            yield path, read_card(path)
        else:
            raise ModelError("no such file or folder", where=str(path))


def _names(found: Sequence[tuple[Path, Card | None]]) -> list[str]:
    """Return a name for each model: with data set, split and seed, or a number, where they are needed."""
    short = [card.name if card else _name_without_card(path) for path, card in found]
    longer = [
        f"{name} ({card.data.name}, {card.split}, seed {card.seed})"
        if card and short.count(name) > 1
        else name
        for name, (_, card) in zip(short, found, strict=True)
    ]
    return [
        f"{name}, no. {longer[: i + 1].count(name)}" if longer.count(name) > 1 else name
        for i, name in enumerate(longer)
    ]


def _name_without_card(path: Path) -> str:
    """Return the name of a model in its ``bundle.json``, or else that of its file."""
    try:
        return parse_part(path, "bundle.json", _model_and_frames) or path.name
    except ModelError:
        return path.name


def _model_and_frames(text: bytes) -> str:
    info = json.loads(text)
    return f"{info['model']} on {info['frames']['representation']}"
