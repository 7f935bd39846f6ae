"""Texts inside a bundle, such as ``bundle.json`` and ``card.json``, read without loading the model.

In a zip file they are files. In an ONNX model they are entries of ``metadata_props``.
"""

from __future__ import annotations

import errno
import json
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

from pydantic import ValidationError

from genredag.errors import ModelError

ONNX_SUFFIX = ".onnx"
# Field numbers of onnx.proto, and the wire types of protocol buffers.
_METADATA, _KEY, _VALUE = 14, 1, 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_NAME = 256
MAX_BYTES = 2**24
_EVALUATE_AGAIN = "run the stage evaluate again with this version of genredag"
_TRAIN_AGAIN = "train again with this version of genredag"
Parsed = TypeVar("Parsed")
# What the library raises for a damaged zip file; RuntimeError is for encrypted files and unknown methods.
DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, ValueError)


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open the zip file of a bundle to read it.

    Raises
    ------
    ModelError
        The file isn't a zip file, or it is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except DAMAGED as error:
        reason = str(error) or type(error).__name__
        raise ModelError(f"isn't a bundle ({reason})", where=str(path)) from error
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):  # a damaged bzip2 stream has none
            raise
        reason = "Invalid data stream" if error.errno is None else "its parts lie outside the file"
        raise ModelError(f"isn't a bundle ({reason})", where=str(path)) from error


def read_part(path: Path, name: str, max_bytes: int = MAX_BYTES) -> bytes | None:
    """Return the text called `name` in a bundle, UTF-8; None if the bundle has none.

    Raises
    ------
    ModelError
        The file isn't a bundle, or the text is larger than `max_bytes`.
    """
    if path.exists() and not path.is_file():  # a pipe would wait for a writer
        what = "is a folder" if path.is_dir() else "not a regular file"
        raise ModelError(what, where=str(path), expected="a bundle")
    try:
        if path.suffix.lower() == ONNX_SUFFIX:
            with path.open("rb") as file:
                return _from_onnx(file, path.stat().st_size, name, max_bytes)
    except ValueError as error:
        raise ModelError(f"isn't a bundle ({error})", where=str(path)) from error
    with opened(path) as archive:
        if name not in archive.namelist():
            return None
        _check_size(archive.getinfo(name).file_size, max_bytes, name)
        return archive.read(name)


def parse_part(
    path: Path,
    name: str,
    parse: Callable[[bytes], Parsed],
    max_bytes: int = MAX_BYTES,
    hint: str = _EVALUATE_AGAIN,
) -> Parsed | None:
    """Return what `parse` makes of the text called `name` in a bundle; None if the bundle has none.

    Raises
    ------
    ModelError
        The file isn't a bundle, or the text can't be parsed or is larger than `max_bytes`.
    """
    content = read_part(path, name, max_bytes)
    try:
        return None if content is None else parse(content)
    except (KeyError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise ModelError(f"can't read {name}: {_reason(error)}", where=str(path), hint=hint) from error


def require_part(path: Path, name: str, parse: Callable[[bytes], Parsed], hint: str = _TRAIN_AGAIN) -> Parsed:
    """Return what `parse` makes of the text called `name` in a bundle.

    Raises
    ------
    ModelError
        The file isn't a bundle, or has no such text, or the text can't be parsed.
    """
    found = parse_part(path, name, parse, hint=hint)
    if found is None:
        raise ModelError(f"has no {name}", where=str(path), hint=hint)
    return found


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"no key {error}"
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    return ": ".join(filter(None, [".".join(map(str, first["loc"])), first["msg"]]))


def needs_keras(recipe: Mapping[str, Any]) -> bool:
    """Return whether a recipe, as in ``bundle.json``, is that of a network or has one among its members."""
    recipes = [member["recipe"] for member in recipe.get("members", {}).values()] or [recipe]
    return any(one["kind"] != "estimator" for one in recipes)


def is_network(path: Path) -> bool:
    """Return whether the bundle in a zip file needs Keras.

    Raises
    ------
    ModelError
        The file isn't a bundle.
    """
    return require_part(path, "bundle.json", lambda text: needs_keras(json.loads(text)["recipe"]))


def takes_audio(path: Path) -> bool:
    """Return whether a model was trained on audio, not on precomputed frames; True if the file doesn't say.

    Raises
    ------
    ModelError
        The file isn't a bundle.
    """
    try:
        return json.loads(read_part(path, "bundle.json") or b"")["frames"]["sr"] != 0
    except (ValueError, KeyError, TypeError, RecursionError):
        return True


def _from_onnx(file: IO[bytes], size: int, name: str, max_bytes: int) -> bytes | None:
    for number, end in _fields(file, size):
        if number != _METADATA:
            continue
        key = value = b""
        for part, part_end in _fields(file, end):
            length = part_end - file.tell()
            if part == _KEY and length <= _MAX_NAME:
                key = file.read(length)
            elif part == _VALUE and key == name.encode():
                _check_size(length, max_bytes, name)
                value = file.read(length)
        if key == name.encode():
            return value
    return None


def _fields(file: IO[bytes], end: int) -> Iterator[tuple[int, int]]:
    """Yield number and end of each field of bytes up to `end`, with the file at its content."""
    while file.tell() < end:
        tag = _varint(file)
        wire_type = tag & 7
        if wire_type == _VARINT:
            _varint(file)
            continue
        if wire_type not in (_BYTES, _FIXED64, _FIXED32):
            raise ValueError("not a protocol buffer")
        length = {_FIXED64: 8, _FIXED32: 4}.get(wire_type) or _varint(file)
        field_end = file.tell() + length
        if field_end > end:
            raise ValueError("the file is truncated")
        yield tag >> 3, field_end
        file.seek(field_end)


def _varint(file: IO[bytes]) -> int:
    value = 0
    for shift in range(0, 64, 7):
        byte = file.read(1)
        if not byte:
            raise ValueError("the file is truncated")
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise ValueError("not a protocol buffer")


def _check_size(size: int, max_bytes: int, name: str) -> None:
    if size > max_bytes:
        raise ValueError(f"{name} has {size} bytes")
