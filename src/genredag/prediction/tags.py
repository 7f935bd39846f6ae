"""Write predicted genres into the files' own tags: planned first, reversible, safe against being killed."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from genredag.errors import DataError, ParameterError, require
from genredag.prediction.genre_names import plain_name
from genredag.prediction.song import SongPrediction
from genredag.prediction.tagged_files import GenreTag, read_genres, write_genres
from genredag.prediction.undo_files import UndoHeader, UndoRecord, check_new, read_undo_file, write_undo_file
from genredag.runtime.folders import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_N_NAMED = 3  # of the files that are left as they are, for each reason
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
    only_sure
        Leave songs as they are whose prediction is unsure, or that are unlike the training music, or if it
        has no `Trust`, so that neither is known.
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
    only_sure: bool = False
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
    doubts
        Why not to rely on the prediction: see `Trust.doubts`.
    skipped
        Why the file is left as it is; empty if it is to be changed.
    """

    path: Path
    before: tuple[str, ...]
    after: tuple[str, ...]
    confidence: float
    doubts: str = ""
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


@dataclass(frozen=True)
class TagWishes:
    """What the user asked for: which songs to tag, whether to write, and where to note the earlier tags."""

    options: TagOptions
    apply_changes: bool
    undo_file: Path


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
    write_undo_file(undo_file, header, records)
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
    header, records = read_undo_file(undo_file)
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


def tag_wishes(
    write: bool, apply_changes: bool, options: TagOptions, undo_file: Path | None
) -> TagWishes | None:
    """Check the flags of ``genredag predict`` about tags, before anything is predicted.

    Returns
    -------
    TagWishes | None
        None if no tags are to be written.

    Raises
    ------
    ParameterError
        Flags that do nothing are given.
    DataError
        The undo file exists.
    """
    if not write:
        if apply_changes or undo_file is not None or options != TagOptions():
            flag = "--apply has" if apply_changes else "options about tags have"
            raise ParameterError(f"{flag} no effect without --write-tags", hint="add --write-tags")
        return None
    require("mutagen")
    undo_file = undo_file or default_undo_file()
    check_new(undo_file)
    if apply_changes:
        undo_file.parent.mkdir(parents=True, exist_ok=True)
        if not os.access(undo_file.parent, os.W_OK):
            hint = "choose another place with --undo-file"
            raise ParameterError("can't write the undo file here", where=str(undo_file), hint=hint)
    return TagWishes(options, apply_changes, undo_file)


def write_tags(predictions: Iterable[SongPrediction], wishes: TagWishes, console: Console) -> int:
    """Print what would change in the files' tags, and change them if that was asked for.

    Returns
    -------
    int
        Number of files that could not be changed.
    """
    changes = plan_tags(predictions, wishes.options)
    n_planned = sum(not change.skipped for change in changes)
    if n_planned:
        console.print(changes_table(changes))
    skipped: dict[str, list[str]] = {}
    for change in changes:
        if change.skipped:
            skipped.setdefault(change.skipped, []).append(change.path.name)
    for reason, names in skipped.items():
        more = f" and {len(names) - _N_NAMED} more" if len(names) > _N_NAMED else ""
        _print(console, f"not changed: {', '.join(names[:_N_NAMED])}{more} ({reason})")
    if not wishes.apply_changes:
        how = ". Nothing was written: add --apply to write." if n_planned else "."
        _print(console, f"{n_planned} would be changed{how}")
        return 0
    restoring = f"To restore the earlier tags: genredag undo-tags {wishes.undo_file}"
    try:
        result = apply(changes, wishes.undo_file)
        print_result(result, console)
    except KeyboardInterrupt:
        if wishes.undo_file.exists():
            print(f"stopped while writing tags. {restoring}", file=sys.stderr)
        raise
    if result.written:
        _print(console, restoring)
    else:
        wishes.undo_file.unlink(missing_ok=True)  # it has nothing to restore
    return len(result.failed)


def print_result(result: TagResult, console: Console) -> None:
    """Print how many files were changed, and each that could not be, with the reason."""
    for path, reason in result.failed.items():
        print(f"{printable(str(path))}: {reason}", file=sys.stderr)
    failures = f"; {len(result.failed)} could not be changed" if result.failed else ""
    _print(console, f"{len(result.written)} changed{failures}.")


def changes_table(changes: Sequence[TagChange]) -> Table:
    """Return a table of the files that are to be changed, with their genres before and after."""
    from rich.table import Table
    from rich.text import Text

    table = Table("file", "genre before", "genre after", "probability", "note")
    for change in changes:
        if not change.skipped:
            before, after = ("; ".join(genres) for genres in (change.before, change.after))
            cells = [
                Text(str(change.path), overflow="fold"),
                Text(before or "-", "red"),
                Text(after, "green"),
            ]
            table.add_row(*cells, f"{change.confidence:.2f}", change.doubts)
    return table


def _plan_song(prediction: SongPrediction, options: TagOptions) -> TagChange:
    confidence = float(prediction.probabilities.max())
    if "://" in prediction.source:
        return TagChange(Path(prediction.source), (), (), confidence, skipped="not a local file")
    path = Path(prediction.source).resolve()
    try:
        before = read_genres(path).names
    except DataError as error:
        return TagChange(path, (), (), confidence, skipped=error.what)
    doubts = prediction.trust.doubts if prediction.trust else ""
    change = TagChange(path, before, _genres(prediction, options.max_genres), confidence, doubts)
    if confidence < options.min_confidence:
        return _skipped(change, f"less probable than {options.min_confidence:g}")
    if [*map(plain_name, before)] == [*map(plain_name, change.after)]:
        return _skipped(change, "already has this genre")
    if before and options.only_empty:
        return _skipped(change, "has a genre")
    if options.only_sure and (doubts or prediction.trust is None):
        return _skipped(change, doubts or "unknown whether the model is sure")
    return change


def _genres(prediction: SongPrediction, max_genres: int) -> tuple[str, ...]:
    (first, most), *further = prediction.top(max_genres)
    allowed = set(prediction.trust.genres) if prediction.trust else set(prediction.class_names)
    kept = [genre for genre, share in further if share >= FURTHER_SHARE * most and genre in allowed]
    return (first, *kept)


def _skipped(change: TagChange, reason: str) -> TagChange:
    return replace(change, skipped=reason)


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


def _print(console: Console, line: str) -> None:
    # The name of a file may be no valid text.
    text = line.encode(errors="backslashreplace").decode()
    console.print(text, markup=False, highlight=False, soft_wrap=True)
