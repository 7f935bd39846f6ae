"""The genres in an audio file's own tags: ID3 (MP3, AIFF, WAV), Vorbis comments (FLAC, Ogg), MP4 atoms."""

from __future__ import annotations

import struct
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from genredag.errors import DataError

if TYPE_CHECKING:
    from mutagen import FileType

FORMATS = "MP3, FLAC, Ogg Vorbis, Opus, M4A, AIFF or WAV"
_ID3_KEY, _MP4_KEY, _VORBIS_KEY = "TCON", "\xa9gen", "GENRE"
# mutagen reports broken files by its own error, except where a damaged header has nonsensical sizes.
_BROKEN = (
    struct.error,
    ValueError,
    IndexError,
    KeyError,
    OverflowError,
    MemoryError,
    AttributeError,
    TypeError,
)


@dataclass(frozen=True)
class GenreTag:
    """The genres that a file is tagged with.

    Attributes
    ----------
    values
        As they are in the file.
    has_tags
        Whether the file has any tags at all.
    is_id3
        Whether a value may be a number that ID3 gave to a genre, such as ``(17)``.
    """

    values: tuple[str, ...]
    has_tags: bool = True
    is_id3: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the genres: ``Rock`` for ``(17)``."""
        from mutagen.id3 import TCON

        return tuple(TCON(encoding=3, text=list(self.values)).genres) if self.is_id3 else self.values


def read_genres(path: Path) -> GenreTag:
    """Read the genres that a file is tagged with.

    Raises
    ------
    DataError
        The file is missing, damaged, or of a kind whose tags can't be written.
    """
    file = _open(path)
    if file.tags is None:
        return GenreTag((), has_tags=False)
    key = _key(file)
    found = file.tags.get(key)
    return GenreTag(tuple(getattr(found, "text", found) or ()), is_id3=key == _ID3_KEY)


def write_genres(path: Path, tag: GenreTag) -> None:
    """Change the genres of a file in place, and nothing else: not the audio, and no other tag.

    A tag without genres removes them, and if it `has_tags` no more, the block of tags if that is then empty.

    Raises
    ------
    DataError
        The file is missing, damaged, or of a kind whose tags can't be written.
    """
    from mutagen import MutagenError

    file = _open(path)
    if file.tags is None:
        if not tag.values:
            return
        file.add_tags()
    _set_values(file, tag.values)
    try:
        if not tag.has_tags and not file.tags:
            file.delete()
        else:
            file.save(**_id3_options(file))
    except (MutagenError, *_BROKEN) as error:
        raise DataError(f"tags can't be written ({_reason(error)})", where=str(path)) from None


def _open(path: Path) -> FileType:
    import mutagen
    from mutagen.aiff import AIFF
    from mutagen.flac import FLAC
    from mutagen.mp3 import MP3
    from mutagen.mp4 import MP4
    from mutagen.oggflac import OggFLAC
    from mutagen.oggopus import OggOpus
    from mutagen.oggvorbis import OggVorbis
    from mutagen.wave import WAVE

    if not path.is_file():
        raise DataError("no such file", where=str(path))
    try:
        file = mutagen.File(path, options=[MP3, FLAC, OggVorbis, OggOpus, OggFLAC, MP4, AIFF, WAVE])
        version = getattr(file.tags, "version", None) if file is not None else None
        # Keep the version of ID3, and all frames as they are. Version 2.2 can be read, but not written.
        if version is not None and version[:2] in {(2, 3), (2, 4)}:
            file = type(file)(path, translate=False)
        elif version is not None and version[:2] == (2, 2):
            file = type(file)(path, v2_version=3)
    except (mutagen.MutagenError, *_BROKEN) as error:
        raise DataError(f"tags can't be read ({_reason(error)})", where=str(path)) from None
    if file is None:
        raise DataError("this kind of file can't be tagged", where=str(path), expected=FORMATS)
    return file


def _set_values(file: FileType, values: Sequence[str]) -> None:
    from mutagen.id3 import TCON

    key = _key(file)
    if isinstance(file.tags, list):
        _set_comments(file.tags, values)
        return
    tags = cast("MutableMapping[str, object]", file.tags)
    if not values:
        tags.pop(key, None)
    else:
        tags[key] = TCON(encoding=3, text=list(values)) if key == _ID3_KEY else list(values)


def _set_comments(comments: list[tuple[str, str]], values: Sequence[str]) -> None:
    """Replace genres among Vorbis comments, where the first one is, in its spelling of the key."""
    pairs = list(comments)
    keys = [key for key, _ in pairs if key.upper() == _VORBIS_KEY] or [_VORBIS_KEY]
    first = next((i for i, (key, _) in enumerate(pairs) if key == keys[0]), len(pairs))
    others = [(key, value) for key, value in pairs if key.upper() != _VORBIS_KEY]
    comments[:] = [*others[:first], *((keys[0], value) for value in values), *others[first:]]


def _key(file: FileType) -> str:
    from mutagen.id3 import ID3
    from mutagen.mp4 import MP4Tags

    if isinstance(file.tags, ID3):
        return _ID3_KEY
    return _MP4_KEY if isinstance(file.tags, MP4Tags) else _VORBIS_KEY.lower()


def _id3_options(file: FileType) -> dict[str, int | None]:
    """Return how an ID3 tag is saved: in the version that it has, with several values as several."""
    from mutagen.id3 import ID3

    if not isinstance(file.tags, ID3):
        return {}
    is_old = (2, 2) <= file.tags.version < (2, 4)
    return {"v2_version": 3 if is_old else 4, "v23_sep": None}


def _reason(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
