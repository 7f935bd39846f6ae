"""What the user named, as a list of songs: files, folders, patterns, lists and addresses."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from genredag.errors import ParameterError
from genredag.prediction.fetching import SCHEMES
from genredag.tracks.audio import SUFFIXES

STDIN = "-"


def find_songs(named: Sequence[str], stdin: TextIO) -> list[str]:
    """Return the files and addresses that the user named, each once, in order.

    Parameters
    ----------
    named
        Files of any suffix, folders (searched with all their subfolders for the suffixes of audio), patterns
        such as ``music/**/*.mp3``, addresses, or ``-`` for a list on `stdin`, one of these on a line.

    Raises
    ------
    ParameterError
        Something named doesn't exist, a folder or pattern has no audio, or an address isn't http or https.
        Files on `stdin` may be missing: they count as unreadable songs.
    """
    songs = [song for name in named for song in _songs_of(name, stdin)]
    return list(dict.fromkeys(songs))


def _songs_of(name: str, stdin: TextIO) -> Iterator[str]:
    if name == STDIN:
        for line in stdin:
            text = line.rstrip("\r\n")
            if text and os.path.isdir(text):  # noqa: PTH112, which is False for any other text, however long
                yield from audio_in(Path(text))
            elif text.strip():
                yield text
        return
    if not name:
        raise ParameterError("an empty name among the songs", hint="is a variable of the shell unset?")
    if os.path.isfile(name):  # noqa: PTH113, likewise
        yield name
    elif os.path.isdir(name):  # noqa: PTH112
        yield from _some(audio_in(Path(name)), name, "no audio file in this folder")
    elif "://" in name:
        if name.partition("://")[0].lower() not in SCHEMES:
            raise ParameterError("can't be fetched", where=name, expected="http:// or https://")
        yield name
    elif glob.has_magic(name):
        matches = sorted(glob.glob(name, recursive=True))  # noqa: PTH207, of any pattern
        yield from _some(_flat(matches), name, "no file matches this pattern")
    else:
        raise ParameterError(
            absence(Path(name)), where=name, expected="a file, a folder, a pattern or an address"
        )


def absence(path: Path) -> str:
    """Return why there is no file to read at `path`."""
    if os.path.islink(path) and not os.path.exists(path):  # noqa: PTH114, PTH110
        return "a broken link"
    return "not a regular file" if os.path.exists(path) else "no such file or folder"  # noqa: PTH110


def audio_in(folder: Path) -> Iterator[str]:
    """Yield the audio files of a folder and its subfolders, sorted; hidden ones are left out."""
    seen: set[tuple[int, int]] = set()  # a link may lead back to a folder above it
    for parent, folders, files in os.walk(folder, followlinks=True):
        status = Path(parent).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        yield from (str(Path(parent, file)) for file in sorted(files) if _is_audio(file))


def _flat(matches: Iterable[str]) -> Iterator[str]:
    for match in matches:
        if Path(match).is_dir():
            yield from audio_in(Path(match))
        elif _is_audio(Path(match).name):
            yield match


def _is_audio(name: str) -> bool:
    return Path(name).suffix.lower() in SUFFIXES and not name.startswith(".")


def _some(songs: Iterable[str], where: str, what: str) -> list[str]:
    found = list(songs)
    if not found:
        raise ParameterError(what, where=where, expected=f"one of {', '.join(sorted(SUFFIXES))}")
    return found
