"""The songs that visitors added: files in one temporary folder, under names of our own."""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
import time
from collections.abc import AsyncIterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import anyio
from filelock import FileLock, Timeout

from genredag.errors import DataError
from genredag.prediction.app.limits import BusyError, ExpiredError, Limits, OverdueError, TooLargeError
from genredag.tracks.audio import SUFFIXES

_PREFIX = "genredag-app-"
_LOCK = "in-use.lock"
_LONGEST_NAME = 120


@dataclass
class Song:
    """A song of a visitor.

    Attributes
    ----------
    id
        What requests name it by; it can't be guessed.
    name
        The name that the visitor's file has, for display only.
    path
        Where it is kept.
    spectrogram
        Its picture, as `picture.Picture` describes it.
    """

    id: str
    name: str
    path: Path
    spectrogram: bytes = b""
    used: float = field(default_factory=time.monotonic)

    @property
    def playable(self) -> Path:
        """Where the copy for browsers that can't play the file itself is kept."""
        return self.path.with_name(f"{self.id}.playable.mp3")


class SongStore:
    """Songs in a folder, removed when they are not used for a while.

    Parameters
    ----------
    folder
        An empty folder that nothing else writes to.
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder, self._limits = folder, limits
        self._songs: dict[str, Song] = {}
        self._arriving = 0

    async def receive(self, name: str, chunks: AsyncIterable[bytes]) -> Song:
        """Write an upload to the folder as it arrives.

        Raises
        ------
        TooLargeError
            It is larger than the limit.
        DataError
            It is empty.
        BusyError
            Too many uploads are arriving.
        OverdueError
            It takes too long.
        """
        song = self.new(name)
        if self._arriving >= self._limits.waiting:
            raise BusyError("the app is receiving too many songs", hint="try again in a minute")
        self._arriving += 1
        try:
            with anyio.fail_after(self._limits.receive_seconds):
                await self._write(song.path, chunks)
        except BaseException as error:
            song.path.unlink(missing_ok=True)
            if isinstance(error, TimeoutError):
                raise OverdueError("the upload took too long", hint="try a smaller file") from None
            raise
        finally:
            self._arriving -= 1
        return song

    async def _write(self, path: Path, chunks: AsyncIterable[bytes]) -> None:
        size = 0
        async with await anyio.open_file(path, "xb") as file:
            async for chunk in chunks:
                size += len(chunk)
                if size > self._limits.upload_bytes:
                    raise TooLargeError.of(self._limits)
                await file.write(chunk)
        if not size:
            raise DataError("the file is empty (0 bytes)")

    @contextmanager
    def side_folder(self) -> Iterator[Path]:
        """Have a folder for a download; what remains in it is removed."""
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            yield Path(folder)

    def new(self, name: str) -> Song:
        """Return a song with a path to write to; it is not kept before `keep`."""
        name = display_name(name)
        suffix = PurePosixPath(name).suffix.lower()
        identity = secrets.token_urlsafe(18)
        return Song(identity, name, self._folder / (identity + (suffix if suffix in SUFFIXES else "")))

    def keep(self, song: Song) -> None:
        """Keep a song until it expires; if there are too many, remove the one unused for longest."""
        self._songs[song.id] = song
        while len(self._songs) > self._limits.songs:
            self.remove(min(self._songs.values(), key=lambda each: each.used).id)

    def get(self, identity: str) -> Song:
        """Return a song that is still kept.

        Raises
        ------
        ExpiredError
            It was removed, or never existed.
        """
        song = self._songs.get(identity)
        if song is None:
            raise ExpiredError("the app no longer has this song", hint="add it again")
        song.used = time.monotonic()
        return song

    def remove(self, identity: str) -> None:
        """Remove a song and its files."""
        song = self._songs.pop(identity, None)
        if song is not None:
            song.path.unlink(missing_ok=True)
            song.playable.unlink(missing_ok=True)

    def without_paths(self, text: str) -> str:
        """Return a message without the paths in the folder that it may quote from a decoder."""
        return re.sub(re.escape(str(self._folder)) + r"[^\s'\"]*", "the song", text)

    def expire(self) -> None:
        """Remove the songs that were not used for longer than the limit."""
        oldest = time.monotonic() - self._limits.keep_seconds
        for song in [song for song in self._songs.values() if song.used < oldest]:
            self.remove(song.id)


def display_name(name: str) -> str:
    """Return the last part of a client's file name, without control characters, for display only."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    shown = "".join(letter for letter in last if letter.isprintable()).strip()
    stem, suffix = PurePosixPath(shown).stem, PurePosixPath(shown).suffix[:10]
    return (stem[:_LONGEST_NAME] + suffix) or "song"


@contextmanager
def temporary_folder(parent: Path | None = None) -> Iterator[Path]:
    """Make a folder for songs and remove it afterwards, with those that killed apps left behind."""
    parent = Path(tempfile.gettempdir()) if parent is None else parent
    _remove_abandoned(parent)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    try:
        with FileLock(folder / _LOCK):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(parent: Path) -> None:
    """Remove the folders of apps that no longer run: nobody holds their lock."""
    for folder in parent.glob(f"{_PREFIX}*"):
        lock = folder / _LOCK
        if not lock.is_file() or lock.is_symlink() or folder.is_symlink():
            continue
        try:
            with FileLock(lock, timeout=0):
                shutil.rmtree(folder, ignore_errors=True)
        except (Timeout, OSError):
            continue
