"""Published weights that a study needs: it is left out without them, and run once they are available."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from genredag.audits.as_published.studies import LeftOutError
from genredag.errors import ModelError
from genredag.models.backbones import BACKBONES
from genredag.models.pretrained import fetch_weights
from genredag.runtime.files import write_text

if TYPE_CHECKING:
    from genredag.params.groups.models import Pretrained

logger = logging.getLogger(__name__)

NOTE = ".awaits"


class NoWeightsError(LeftOutError):
    """Weights are not in the user's cache and can't be downloaded.

    Parameters
    ----------
    path
        Where the weights file is expected.
    """

    def __init__(self, what: str, *, path: Path, where: str = "") -> None:
        super().__init__(what, where=where)
        self.path = path


def require_weights(backbone: Pretrained | None, cache_dir: Path) -> None:
    """Download a backbone's published weights into the user's cache, if it uses them and they are missing.

    Raises
    ------
    NoWeightsError
        The weights can't be downloaded.
    """
    if backbone is None or backbone.weights != "imagenet":
        return
    file = BACKBONES[backbone.architecture].weights
    try:
        fetch_weights(file, cache_dir)
    except ModelError as error:
        logger.warning("%s", error)
        path = Path(cache_dir) / "weights" / file.name
        raise NoWeightsError(error.what, where=error.where, path=path) from None


def write_note(predictions: Path, path: Path) -> None:
    """Write a note next to a study's predictions: it waits for the weights file at `path`."""
    write_text(predictions.with_suffix(NOTE), f"{path}\n\n")


def close_note(predictions: Path, state: str) -> None:
    """Record that a study ran with the weights that it waited for; later changes to the file don't matter.

    Parameters
    ----------
    state
        What `awaited_state` returned before the run; "" if the study did not wait for weights.
    """
    note = predictions.with_suffix(NOTE)
    if state:
        write_text(note, f"{note.read_text(encoding='utf-8').splitlines()[0]}\n{state}\n")
    else:
        note.unlink(missing_ok=True)


def awaited_state(predictions: Path) -> str:
    """Return size and date of the weights file that a study waits for, or waited for before it ran.

    "" if the file does not exist, or if the study never waited for one: a study that finds its weights at
    once has "" before and after it runs.
    """
    note = Path(predictions).with_suffix(NOTE)
    if not note.is_file():
        return ""
    path, recorded = note.read_text(encoding="utf-8").split("\n")[:2]
    if recorded or not Path(path).is_file():
        return recorded
    status = Path(path).stat()
    return f"{status.st_size}:{status.st_mtime_ns}"
