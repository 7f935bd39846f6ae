"""Published weights that a study waits for: it is left out without them, and run once they are there."""

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
        Where they belong.
    """

    def __init__(self, what: str, *, path: Path, where: str = "") -> None:
        super().__init__(what, where=where)
        self.path = path


def require_weights(backbone: Pretrained | None, cache_dir: Path) -> None:
    """Download a backbone's published weights into the user's cache, if it has any and they are missing.

    Raises
    ------
    NoWeightsError
        They can't be obtained.
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
    """Note beside the predictions of a study that it awaits the file at `path`."""
    write_text(predictions.with_suffix(NOTE), f"{path}\n\n")


def close_note(predictions: Path, had: str) -> None:
    """Note that a study has run with the weights it waited for; later changes of the file don't matter.

    Parameters
    ----------
    had
        Its `awaited_state` when it was begun; "" of a study that brought its weights itself.
    """
    note = predictions.with_suffix(NOTE)
    if had:
        write_text(note, f"{note.read_text(encoding='utf-8').splitlines()[0]}\n{had}\n")
    else:
        note.unlink(missing_ok=True)


def awaited_state(predictions: Path) -> str:
    """Return size and date of the file that a study awaits or had awaited, "" if it isn't there or none was.

    A study whose weights are brought without having been awaited has "", before and after.
    """
    note = Path(predictions).with_suffix(NOTE)
    if not note.is_file():
        return ""
    path, had = note.read_text(encoding="utf-8").split("\n")[:2]
    if had or not Path(path).is_file():
        return had
    state = Path(path).stat()
    return f"{state.st_size}:{state.st_mtime_ns}"
