"""The model card: what a model was trained on, how good it is, and where it fails.

``model.zip`` holds it twice: ``card.json`` for programs and ``README.md`` for people.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from genredag.bundles.parts import parse_part
from genredag.errors import ModelError

CARD_FILE, README_FILE = "card.json", "README.md"
_MAX_BYTES = 2**20  # a card is a few kilobytes; a larger one comes from a damaged or hostile file


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class DataFacts(_Part):
    """The data set that a model was trained on.

    Attributes
    ----------
    licence
        Terms of use of the music, in words.
    citation
        BibTeX entries.
    """

    name: str
    homepage: str
    licence: str
    citation: str


class Estimate(_Part):
    """A rate and its 95 % interval; the bounds are None if one artist made all test tracks."""

    value: float
    low: float | None
    high: float | None

    def percent(self) -> str:
        """Return the rate and its interval in percent, for example ``71 % (58 to 81 %)``."""
        bounds = "" if self.low is None or self.high is None else f" ({self.low:.0%} to {self.high:.0%})"
        return f"{self.value:.0%}{bounds}".replace("%", " %").replace(" % to", " to")


class GenreScore(_Part):
    """Scores of one genre on test tracks; `tracks` is the number of test tracks of this genre."""

    genre: str
    precision: float
    recall: float
    f1: float
    tracks: int


class SetScore(_Part):
    """How the sets of genres did on test tracks.

    Attributes
    ----------
    promised
        Share of tracks whose set should hold the right genre.
    held
        Share of test tracks whose set did.
    mean_size
        Mean number of genres in a set.
    unsure
        Share of test tracks whose set is so large that the prediction counts as unsure.
    groups
        Number of artists (tracks, where the artist is unknown) that the sets were calibrated on.
    """

    promised: float
    held: float
    mean_size: float
    unsure: float
    groups: int


class Card(_Part):
    """What a model was trained on, and how good it is.

    Attributes
    ----------
    genres
        One entry per class, in the order of the model's probabilities.
    members
        Copies of each member of an ensemble, by model; empty for other models.
    representation
        The id of the representation; `input` describes it in words.
    split, fold, protocol
        The split's name and fold, and what it guarantees in words.
    track_decision
        How the predictions of slices are combined: ``evaluate.track_decision``.
    tracks
        Number of tracks in train, validation and test.
    accuracy, macro_f1
        Of test tracks.
    chance
        Accuracy of always naming the most common genre of the test tracks.
    validation_accuracy
        Of validation tracks, which chose the epoch. For choosing among models, not for reporting.
    unlike
        Share of test tracks that were flagged as unlike the training music; None if nothing was compared.
    warning
        The LEAKY mark, or None.
    date
        Day of the commit of the code that trained the model; None if unknown.
    """

    name: str
    model: str
    n_parameters: int | None
    members: dict[str, int] = {}
    data: DataFacts
    representation: str
    input: str
    split: str
    fold: int
    protocol: str
    track_decision: Literal["mean", "vote", "log_sum"]
    tracks: dict[str, int]
    accuracy: Estimate
    chance: float
    macro_f1: float
    validation_accuracy: float
    genres: tuple[GenreScore, ...]
    sets: SetScore
    unlike: float | None
    limits: tuple[str, ...]
    warning: str | None
    seed: int
    date: str | None
    commit: str | None
    versions: dict[str, str]

    @property
    def is_synthetic(self) -> bool:
        """Whether the model heard only synthetic sounds, so that its answers for real music mean nothing."""
        return self.data.name == "synthetic"

    def json_text(self) -> str:
        """Return ``card.json``."""
        return self.model_dump_json(indent=2) + "\n"

    def markdown(self) -> str:
        """Return ``README.md``."""
        return "\n\n".join([f"# {self.name}", *self._summary(), *self._results(), *self._background()]) + "\n"

    def _kind(self) -> str:
        names = [f"{n} x {name}" if n > 1 else name for name, n in self.members.items()]
        size = "" if self.n_parameters is None else f"{self.n_parameters:,} weights"
        if not names:
            return size or "a scikit-learn classifier"
        return ", ".join(filter(None, [f"the product of {' and '.join(names)}", size]))

    def _summary(self) -> list[str]:
        parts = f"{self.tracks['train']} tracks, selected on {self.tracks['validation']} validation tracks"
        lines = [f"**{self.warning}**"] if self.warning else []
        lines.append(
            f"Names one of {len(self.genres)} genres for a piece of music. Trained on {parts} and tested on"
            f" {self.tracks['test']} tracks of the data set `{self.data.name}`."
        )
        lines.append(
            f"**It names the right genre for {self.accuracy.percent()} of the test tracks**"
            f" (95 % interval in parentheses); always naming the most common genre gives"
            f" {_percent(self.chance)}."
        )
        return lines

    def _results(self) -> list[str]:
        sets = self.sets
        return [
            "## Results on test tracks",
            _table(
                ["", ""],
                [
                    ["accuracy", self.accuracy.percent()],
                    ["macro F1", f"{self.macro_f1:.2f}"],
                    [f"{_percent(sets.promised)} sets that hold the right genre", _percent(sets.held)],
                    ["genres in such a set, mean", f"{sets.mean_size:.1f}"],
                    ["tracks marked as unsure", _percent(sets.unsure)],
                    ["tracks unlike the training music", _percent(self.unlike)],
                    ["accuracy on validation tracks", _percent(self.validation_accuracy)],
                ],
            ),
            _table(
                ["genre", "recall", "precision", "F1", "test tracks"],
                [
                    [
                        row.genre,
                        _percent(row.recall),
                        _percent(row.precision),
                        f"{row.f1:.2f}",
                        str(row.tracks),
                    ]
                    for row in self.genres
                ],
            ),
            "Recall: share of a genre's tracks that get its name. Precision: share of the tracks that get a"
            " genre's name and belong to it.",
        ]

    def _background(self) -> list[str]:
        data = self.data
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return [
            "## Limits",
            "\n".join(f"- {limit}" for limit in self.limits),
            "## How it was made",
            "\n".join(
                [
                    f"- Model: `{self.model}`, {self._kind()}, seed {self.seed}",
                    f"- Input: {self.input}",
                    f"- Split: `{self.split}`, fold {self.fold}: {self.protocol}",
                    f"- Tracks: {', '.join(f'{n} {part}' for part, n in self.tracks.items())}",
                    f"- Code: commit {self.commit or 'unknown'}, {self.date or 'date unknown'}",
                    f"- Versions: {versions}",
                ]
            ),
            "## Data",
            f"- Home page: {data.homepage}\n- Licence of the music: {data.licence}",
            f"```bibtex\n{data.citation.strip()}\n```",
        ]


def read_card(path: Path) -> Card | None:
    """Read the card of a ``model.zip`` or an ONNX model; return None if the bundle has no card.

    Raises
    ------
    ModelError
        The file isn't a bundle, or its card can't be read.
    """
    return parse_part(path, CARD_FILE, Card.model_validate_json, _MAX_BYTES)


def require_card(path: Path) -> Card:
    """Read the card of a ``model.zip``.

    Raises
    ------
    ModelError
        The file isn't a bundle, has no card, or its card can't be read.
    """
    card = read_card(path)
    if card is None:
        hint = "the evaluate stage writes model.zip, which has one, to the same folder"
        raise ModelError("has no model card", where=str(path), hint=hint)
    return card


def _percent(rate: float | None) -> str:
    return "not measured" if rate is None else f"{100 * rate:.0f} %"


def _table(columns: list[str], rows: list[list[str]]) -> str:
    from tabulate import tabulate

    align = ["left"] + ["right"] * (len(columns) - 1)
    return tabulate(rows, columns, "pipe", disable_numparse=True, colalign=align)
