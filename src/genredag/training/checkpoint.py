"""Checkpoints: the state of a training run after an epoch, in one file, so that a killed run can resume."""

from __future__ import annotations

import hashlib
import json
import logging
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from genredag.runtime.files import atomic_path, is_temporary

logger = logging.getLogger(__name__)

Arrays = dict[str, list[np.ndarray]]


@dataclass(frozen=True)
class Checkpoint:
    """A file for the state of one training run.

    Attributes
    ----------
    key
        A `fingerprint` of everything that determines the training. A state with a different key is ignored.
    """

    path: Path
    key: str

    def of(self, phase: str) -> Checkpoint:
        """Return the checkpoint of an earlier phase of the same training, in a file next to this one."""
        return Checkpoint(self.path.with_name(f".{phase}{self.path.name}"), self.key)

    def write(self, about: Mapping[str, object], arrays: Arrays) -> None:
        """Replace the state with `about`, which must be JSON-serialisable, and named lists of arrays."""
        named = {f"{name}_{i}": array for name, group in arrays.items() for i, array in enumerate(group)}
        text = json.dumps({"key": self.key, "about": about, "sizes": {k: len(v) for k, v in arrays.items()}})
        with atomic_path(self.path) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, checkpoint=np.array(text), **named)

    def read(self) -> tuple[Any, Arrays] | None:
        """Return what was passed to `write`; None if there is no state of this training."""
        try:
            with np.load(self.path) as file:
                state = json.loads(str(file["checkpoint"]))
                if state["key"] == self.key:
                    sizes = state["sizes"].items()
                    return state["about"], {k: [file[f"{k}_{i}"] for i in range(n)] for k, n in sizes}
        except FileNotFoundError:
            return None
        except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
            logger.warning("%s can't be read: training starts from scratch", self.path)
            return None
        logger.info("%s belongs to another training run: training starts from scratch", self.path)
        return None


def remove_checkpoints(path: Path) -> None:
    """Remove the checkpoint `path` of a finished training and those of its phases and members, if any.

    Temporary files belong to those who write them, maybe to a process that outlived its killed runner.
    """
    for file in path.parent.glob(f"*{path.name}"):
        if not is_temporary(file):
            file.unlink(missing_ok=True)


def fingerprint(values: object, arrays: Iterable[np.ndarray]) -> str:
    """Return the SHA-256 of JSON-serialisable `values` and of the contents of `arrays`."""
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode())
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
