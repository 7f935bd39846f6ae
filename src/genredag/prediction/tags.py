"""Write predicted genres into the files' own tags: planned first, reversible, safe against being killed."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from genredag.errors import DataError, ParameterError
from genredag.prediction.genre_names import plain_name
from genredag.prediction.song import SongPrediction
from genredag.prediction.tagged_files import GenreTag, read_genres, write_genres
from genredag.runtime.files import atomic_path

if TYPE_CHECKING:
    from rich.table import Table

FURTHER_SHARE = 0.5  # a further genre is written if it is at least this probable, relative to the first


@dataclass(frozen=True)
class TagOptions:
    """Which songs are tagged, and with what.

    Parameters
    ----------
    min_confidence
        Songs whose most probable genre is less probable are left as they are.
    only_empty
        Leave songs that have a genre as they are.
    max_genres
        Largest number of genres of a song. A second one is written only if it is at least half as probable as
        the first, and in the set of genres of the prediction's `Trust`, if that is known.

    Raises
    ------
    ParameterError
        A value is out of range.
    """

    min_confidence: float = 0.0
    only_empty: bool = False
    max_genres: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.min_confidence <= 1:
            raise ParameterError(
                f"{self.min_confidence:g}", where="--min-confidence", expected="a probability from 0 to 1"
            )
        if self.max_genres < 1:
            raise ParameterError(f"{self.max_genres}", where="--max-genres", expected="1 or more")


@dataclass(frozen=True)
class TagChange:
    """A planned change of the genres in the tags of a file.

    Attributes
    ----------
    path
        The file; links are followed.
    before, after
        Genres.
    confidence
        Probability of the most probable genre.
    skipped
        Why the file is left as it is; empty if it is to be changed.
    """

    path: Path
    before: tuple[str, ...]
    after: tuple[str, ...]
    confidence: float
    skipped: str = ""


@dataclass(frozen=True)
class TagResult:
    """What happened to files.

    Attributes
    ----------
    written
        Files whose tags have changed.
    unchanged
        Files that needed no change.
    failed
        Files that are as they were before, each with the reason.
    """

    written: list[Path]
    unchanged: list[Path]
    failed: dict[Path, str]


class UndoHeader(BaseModel):
    """First line of an undo file."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["genredag undo-tags"] = "genredag undo-tags"
    version: Literal[1] = 1
    run: str = Field(pattern="^[0-9a-f]{12}$")
    created: str


class UndoRecord(BaseModel):
    """Another line of an undo file: the genres of one file, before and after."""

    model_config = ConfigDict(extra="forbid")
    path: str
    before: list[str]
    had_tags: bool
    after: list[str]


def plan_tags(predictions: Iterable[SongPrediction], options: TagOptions) -> list[TagChange]:
    """Compare predictions with the genres that the files are tagged with, without changing anything.

    Returns
    -------
    list[TagChange]
        One for each prediction, in order, including those of files that are left as they are.
    """
    changes, seen = [], set()
    for prediction in predictions:
        change = _plan_song(prediction, options)
        if change.path in seen:
            change = _skipped(change, "listed twice")
        seen.add(change.path)
        changes.append(change)
    return changes


def apply(changes: Sequence[TagChange], undo_file: Path) -> TagResult:
    """Write planned genres into the files, after writing `undo_file` with their earlier values.

    Each file is changed as a copy, which then replaces it: if this process is killed, each file has either
    its earlier or its new tags, and `undo` restores the earlier ones. Only the genres change.

    Raises
    ------
    DataError
        `undo_file` exists.
    """
    planned = [change for change in changes if not change.skipped]
    unchanged = [change.path for change in changes if change.skipped]
    failed: dict[Path, str] = {}
    records = []
    for change in planned:
        with _collecting(change.path, failed):
            records.append(_record(change))
    if not records:
        return TagResult([], unchanged, failed)
    header = UndoHeader(run=uuid4().hex[:12], created=datetime.now().astimezone().isoformat("T", "seconds"))
    _write_undo_file(undo_file, header, records)
    written = []
    for record in records:
        path, after = Path(record.path), GenreTag(tuple(record.after))
        with _collecting(path, failed):
            _replace(path, tuple(record.before), after, header.run)
            written.append(path)
    return TagResult(written, unchanged, failed)


def undo(undo_file: Path) -> TagResult:
    """Restore the genres that files had before `apply`, and remove what a killed `apply` left behind.

    Files whose genres were changed afterwards by someone else are left as they are, and reported as failed.

    Raises
    ------
    DataError
        `undo_file` is missing, or not an undo file.
    """
    header, records = _read_undo_file(undo_file)
    for temporary in {_temporary(Path(record.path), header.run) for record in records}:
        temporary.unlink(missing_ok=True)
    written, unchanged = [], []
    failed: dict[Path, str] = {}
    for record in records:
        path, before = Path(record.path), GenreTag(tuple(record.before), record.had_tags)
        with _collecting(path, failed):
            if read_genres(path).values == before.values:
                unchanged.append(path)
            else:
                _replace(path, tuple(record.after), before, header.run)
                written.append(path)
    return TagResult(written, unchanged, failed)


def default_undo_file() -> Path:
    """Return a new name for an undo file in the current folder."""
    return Path(f"genredag-undo-{datetime.now():%Y%m%d-%H%M%S}-{uuid4().hex[:4]}.jsonl")


def write_tags(
    predictions: Iterable[SongPrediction],
    options: TagOptions,
    *,
    apply_changes: bool,
    undo_file: Path | None = None,
) -> TagResult | None:
    """Print what would change in the files' tags, and change them if `apply_changes`.

    Returns
    -------
    TagResult | None
        None if nothing was to be changed.
    """
    from rich.console import Console

    changes = plan_tags(predictions, options)
    console = Console()
    if any(not change.skipped for change in changes):
        console.print(changes_table(changes))
    for reason, n in Counter(change.skipped for change in changes if change.skipped).items():
        print(f"{n} left as {'it is' if n == 1 else 'they are'}: {reason}")
    n_planned = sum(not change.skipped for change in changes)
    if not apply_changes:
        print(f"{n_planned} would be changed. Nothing was written: add --apply to write.")
        return None
    undo_file = undo_file or default_undo_file()
    result = apply(changes, undo_file)
    print_result(result)
    if result.written:
        print(f"To restore the earlier tags: genredag undo-tags {undo_file}")
    return result


def print_result(result: TagResult) -> None:
    """Print how many files were changed, and each that could not be, with the reason."""
    for path, reason in result.failed.items():
        print(f"{path}: {reason}")
    failures = f"; {len(result.failed)} could not be changed" if result.failed else ""
    print(f"{len(result.written)} changed{failures}.")


def changes_table(changes: Sequence[TagChange]) -> Table:
    """Return a table of the files that are to be changed, with their genres before and after."""
    from rich.table import Table
    from rich.text import Text

    table = Table("file", "genre before", "genre after", "probability")
    for change in changes:
        if not change.skipped:
            before, after = ("; ".join(genres) for genres in (change.before, change.after))
            cells = [
                Text(str(change.path), overflow="fold"),
                Text(before or "-", "red"),
                Text(after, "green"),
            ]
            table.add_row(*cells, f"{change.confidence:.2f}")
    return table


def _plan_song(prediction: SongPrediction, options: TagOptions) -> TagChange:
    confidence = float(prediction.probabilities.max())
    if "://" in prediction.source:
        return TagChange(Path(prediction.source), (), (), confidence, "not a local file")
    path = Path(prediction.source).resolve()
    try:
        before = read_genres(path).names
    except DataError as error:
        return TagChange(path, (), (), confidence, error.what)
    change = TagChange(path, before, _genres(prediction, options.max_genres), confidence)
    if confidence < options.min_confidence:
        return _skipped(change, f"less probable than {options.min_confidence:g}")
    if [*map(plain_name, before)] == [*map(plain_name, change.after)]:
        return _skipped(change, "already tagged so")
    if before and options.only_empty:
        return _skipped(change, "has a genre")
    return change


def _genres(prediction: SongPrediction, max_genres: int) -> tuple[str, ...]:
    (first, most), *further = prediction.top(max_genres)
    allowed = set(prediction.trust.genres) if prediction.trust else set(prediction.class_names)
    kept = [genre for genre, share in further if share >= FURTHER_SHARE * most and genre in allowed]
    return (first, *kept)


def _skipped(change: TagChange, reason: str) -> TagChange:
    return TagChange(change.path, change.before, change.after, change.confidence, reason)


def _record(change: TagChange) -> UndoRecord:
    """Read the genres of a file again, exactly as they are in it, right before it is changed."""
    found = read_genres(change.path)
    if found.names != change.before:
        raise DataError("its genre has changed in the meantime")
    if not change.path.stat().st_mode & 0o222:
        raise DataError("read-only")
    return UndoRecord(
        path=str(change.path), before=[*found.values], had_tags=found.has_tags, after=[*change.after]
    )


def _replace(path: Path, expected: tuple[str, ...], tag: GenreTag, run: str) -> None:
    """Replace `path` by a copy with other genres, unless its genres are not the `expected` ones."""
    temporary = _temporary(path, run)
    state = path.stat()
    try:
        shutil.copy2(path, temporary)
        if read_genres(temporary).values != expected:
            raise DataError("its genre was changed by another program")
        write_genres(temporary, tag)
        if read_genres(temporary).values != tag.values:
            raise DataError("the tag was not read back as it was written")
        with suppress(PermissionError):
            os.chown(temporary, state.st_uid, state.st_gid)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        now = path.stat()
        if (now.st_mtime_ns, now.st_size) != (state.st_mtime_ns, state.st_size):
            raise DataError("was changed by another program")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _temporary(path: Path, run: str) -> Path:
    return path.with_name(f".genredag-{run}{path.suffix}")


@contextmanager
def _collecting(path: Path, failed: dict[Path, str]) -> Iterator[None]:
    """Note why a file could not be read or changed, and go on with the next."""
    try:
        yield
    except DataError as error:
        failed[path] = error.what
    except OSError as error:
        failed[path] = error.strerror or str(error)


def _write_undo_file(path: Path, header: UndoHeader, records: Sequence[UndoRecord]) -> None:
    if path.exists():
        raise DataError(
            "the undo file exists already", where=str(path), hint="choose another name with --undo-file"
        )
    # In ASCII, because the name of a file may be no valid text.
    lines = [json.dumps(line.model_dump()) + "\n" for line in (header, *records)]
    with atomic_path(path) as temporary, temporary.open("w", encoding="ascii") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())


def _read_undo_file(path: Path) -> tuple[UndoHeader, list[UndoRecord]]:
    if not path.is_file():
        raise DataError("no such file", where=str(path))
    try:
        first, *lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return UndoHeader.model_validate(first), [UndoRecord.model_validate(line) for line in lines]
    except (ValueError, ValidationError):
        raise DataError(
            "not an undo file",
            where=str(path),
            expected="a file written by `genredag predict --write-tags --apply`",
        ) from None
