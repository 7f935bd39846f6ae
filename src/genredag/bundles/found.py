"""The bundles of a project: what is there, how good it is, and which to use if the user names none."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genredag.bundles.card import Card, read_card
from genredag.bundles.parts import ONNX_SUFFIX
from genredag.errors import ModelError
from genredag.runtime.folders import walk_folder

if TYPE_CHECKING:
    from rich.table import Table

logger = logging.getLogger(__name__)

MODEL_FILE = "model.zip"
# Where Snakemake and DVC put the outputs of the evaluate stage.
RESULTS = ("results", "experiment")


@dataclass(frozen=True)
class FoundBundle:
    """A bundle with a model card."""

    path: Path
    card: Card


def list_bundles(folder: Path) -> list[FoundBundle]:
    """Find each ``model.zip`` and ONNX model of a project, or of any other folder.

    Those that can't be read are logged.

    Returns
    -------
    list[FoundBundle]
        The best first, by the accuracy on validation tracks, then by their number: test tracks must not
        choose a model. Those that heard only synthetic sounds come after all that heard music, and those with
        a LEAKY split last, because their accuracy is inflated.
    """
    roots = [folder / name for name in RESULTS if (folder / name).is_dir()] or [folder]
    found = []
    for path in sorted(path for root in roots for path in _models_in(root)):
        try:
            card = read_card(path)
        except (ModelError, OSError) as error:
            logger.warning("%s", error)
            continue
        if card is not None:
            found.append(FoundBundle(path, card))
    return sorted(found, key=_rank)


def _models_in(root: Path) -> Iterator[Path]:
    """Yield the models below a folder; links are followed, and hidden folders left out."""
    for one in walk_folder(root) if root.is_dir() else ():
        inside = one.path.relative_to(root).parts
        is_model = one.path.name == MODEL_FILE or one.path.suffix == ONNX_SUFFIX
        if is_model and not one.problem and not any(part.startswith(".") for part in inside):
            yield one.path


def _rank(one: FoundBundle) -> tuple[bool, bool, float, int]:
    card = one.card
    accuracy, n_tracks = card.validation_accuracy, card.tracks["validation"]
    return card.warning is not None, card.is_synthetic, -accuracy, -n_tracks


def best_bundle(found: Sequence[FoundBundle]) -> FoundBundle:
    """Return the first bundle of `list_bundles` whose split isn't LEAKY.

    Raises
    ------
    ModelError
        There is none.
    """
    for one in found:
        if one.card.warning is None:
            return one
    what = "every bundle comes from a LEAKY split" if found else "no bundle found"
    hint = "train one with `snakemake` or `dvc exp run`, or name a bundle"
    raise ModelError(what, where=str(Path.cwd()), hint=hint)


def bundles_json(found: Sequence[FoundBundle]) -> str:
    """Return the paths and cards of bundles as JSON."""
    rows = [{"path": one.path.as_posix(), **one.card.model_dump(mode="json")} for one in found]
    return json.dumps(rows, indent=2, ensure_ascii=False)


def bundles_table(found: Sequence[FoundBundle]) -> Table:
    """Return bundles as a table, a row each."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(
        caption="The first one is used if none is named. Accuracy: of tracks; 95 % interval of test."
    )
    for column in ("bundle", "data set", "representation", "model", "split", "date"):
        table.add_column(column, overflow="fold")
    for column in ("validation", "test"):
        table.add_column(column, justify="right")
    for one in found:
        card = one.card
        split = f"{card.split} (LEAKY)" if card.warning else card.split
        texts = [one.path.as_posix(), card.data.name, card.representation, card.model, split, card.date or ""]
        table.add_row(*map(escape, texts), f"{100 * card.validation_accuracy:.0f} %", card.accuracy.percent())
    return table
