"""The journal of a batch: what was predicted of which file, so that a killed run resumes.

A SQLite file, in which each song is written in one transaction. A song is known by its path, size and date,
and by the models. A file that changed, or other models, make it a new song.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from genredag.errors import ParameterError
from genredag.prediction.fetching import is_address
from genredag.prediction.song import SongPrediction, Timeline, Trust, UnreadableSong
from genredag.runtime.files import check_outputs
from genredag.runtime.folders import is_unicode, printable

_SCHEMA = """
create table if not exists songs (
    path text, size integer, mtime_ns integer, models text, reason text, duration real,
    probabilities blob, start blob, end blob, slices blob, trust text,
    primary key (path, models)
)
"""
_VERSION = 1


@dataclass(frozen=True)
class Journal:
    """An open journal.

    Attributes
    ----------
    models
        What `hash_models` returns.
    """

    database: sqlite3.Connection
    models: str
    class_names: tuple[str, ...]

    def find(self, source: str) -> SongPrediction | UnreadableSong | None:
        """Return what is known of a song; None if it is new."""
        path, size, mtime_ns = _identity(source)
        row = self.database.execute(
            "select reason, duration, probabilities, start, end, slices, trust from songs"
            " where path = ? and models = ? and size = ? and mtime_ns = ?",
            (path, self.models, size, mtime_ns),
        ).fetchone()
        if row is None:
            return None
        reason, duration, probabilities, start, end, slices, trust = row
        if reason is not None:
            return UnreadableSong(source, reason)
        times = (np.frombuffer(start), np.frombuffer(end))
        n_classes = len(self.class_names)
        timeline = Timeline(*times, np.frombuffer(slices, np.float32).reshape(-1, n_classes))
        return SongPrediction(
            source, self.class_names, np.frombuffer(probabilities), timeline, duration, _read_trust(trust)
        )

    def add(self, song: SongPrediction | UnreadableSong) -> None:
        """Write down a song. An address or a missing file that can't be read may be readable later."""
        path, size, mtime_ns = _identity(song.source)
        values: tuple[object, ...]
        if isinstance(song, UnreadableSong):
            if mtime_ns == 0:
                return
            values = (printable(song.reason), *[None] * 6)
        else:
            arrays = (song.timeline.start, song.timeline.end)
            blobs = [np.ascontiguousarray(array, np.float64).tobytes() for array in arrays]
            slices = np.ascontiguousarray(song.timeline.probabilities, np.float32).tobytes()
            trust = json.dumps(asdict(song.trust)) if song.trust else None
            whole = np.ascontiguousarray(song.probabilities, np.float64).tobytes()
            values = (None, song.duration, whole, *blobs, slices, trust)
        with self.database:
            self.database.execute(
                "insert or replace into songs values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (path, size, mtime_ns, self.models, *values),
            )


@contextmanager
def open_journal(path: Path, models: str, class_names: Sequence[str]) -> Iterator[Journal]:
    """Open a journal, or begin a new one.

    Raises
    ------
    ParameterError
        The file is something else, or another process has locked it.
    """
    check_outputs([path], ())
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        database = sqlite3.connect(path, timeout=30)
    except sqlite3.Error as error:
        raise _unusable(path, error) from None
    try:
        found = database.execute("pragma user_version").fetchone()[0]
        tables = database.execute("select count(*) from sqlite_master").fetchone()[0]
        if found != _VERSION and tables:
            raise ParameterError("not a journal of this version", where=str(path), hint="name a new file")
        database.execute("pragma synchronous = normal")
        with database:
            database.execute(_SCHEMA)
            database.execute(f"pragma user_version = {_VERSION}")
        yield Journal(database, models, tuple(class_names))
    except sqlite3.Error as error:
        raise _unusable(path, error) from None
    finally:
        database.close()


def _unusable(path: Path, error: sqlite3.Error) -> ParameterError:
    hint = "name a new file in a folder that you can write to"
    return ParameterError(f"can't be used as a journal ({error})", where=str(path), hint=hint)


def hash_models(paths: Sequence[Path], engines: Sequence[str]) -> str:
    """Return a hash of all that predictions depend on, apart from the songs.

    Parameters
    ----------
    engines
        What computes each bundle: the numbers of ONNX and Keras differ a little.
    """
    digest = hashlib.sha256(version("genredag").encode())
    for path, engine in zip(paths, engines, strict=True):
        digest.update(hashlib.sha256(path.read_bytes()).digest() + engine.encode())
    return digest.hexdigest()


def _identity(source: str) -> tuple[str | bytes, int, int]:
    """Return the absolute path, size and date of a file; an address or a missing file has neither."""
    if is_address(source):
        return source, 0, 0
    path = _storable(str(Path(source).absolute()))
    try:
        status = Path(source).stat()
    except (OSError, ValueError):
        return path, 0, 0
    return path, status.st_size, status.st_mtime_ns


def _storable(path: str) -> str | bytes:
    """Return a path as SQLite can store it: as bytes, if they are not UTF-8."""
    return path if is_unicode(path) else os.fsencode(path)


def _read_trust(text: str | None) -> Trust | None:
    if text is None:
        return None
    values = json.loads(text)
    return Trust(**{**values, "genres": tuple(values["genres"])})
