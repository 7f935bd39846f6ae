"""The two decoders behind `genredag.tracks.audio`.

libsndfile decodes PCM and FLAC; it is the fastest there, and exact. FFmpeg's libraries, which PyAV's wheels
contain, decode the rest, so that no format needs a system package.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import soundfile

from genredag.errors import DataError, GenredagError

if TYPE_CHECKING:
    from av import AudioFifo, AudioFrame
    from av.container import InputContainer

BLOCK = 1 << 18  # samples decoded at a time: memory does not depend on a track's length
LOWEST_SR, HIGHEST_SR = 4_000, 384_000  # Hz
# First bytes of the files for libsndfile: WAV, RF64, W64, AIFF, AU, CAF and FLAC.
_PCM_MAGIC = (b"RIFF", b"RIFX", b"RF64", b"riff", b"FORM", b".snd", b"dns.", b"caff", b"fLaC")
_ENDLESS = np.iinfo(np.int64).max  # libsndfile's number of frames if the header of a FLAC file has none
# The demuxers that may open a file. Without this list FFmpeg also opens playlists, which name other files.
_FORMATS = (
    "aac,ac3,aiff,amr,ape,asf,asf_o,au,caf,dsf,dts,dtshd,eac3,flac,matroska,webm,mov,mp4,mp3,mpc,mpc8,mpeg,"
    "mpegts,ogg,tak,tta,truehd,w64,wav,wv,xwma"
)
# Files often begin or end in the middle of a packet, or contain a tag in place of one. More is damage.
_DAMAGED_PACKETS, _DAMAGED_SHARE = 2, 0.01
_MOST_BOXES = 1000  # of an MP4 file; some files have a box per fragment
_HINT = "try to play the file; convert it to WAV or FLAC"


class _File(io.BufferedReader):
    """A file that answers an impossible seek, as damaged files ask for, in FFmpeg's way: with -1.

    Of exceptions in one call PyAV would raise one, and print the traceback of every other.
    """

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move, and return the position; -1 if that is impossible."""
        try:
            return super().seek(offset, whence)
        except OSError:
            return -1


@contextmanager
def open_channels(path: Path) -> Iterator[tuple[int, Iterator[np.ndarray]]]:
    """Open an audio file: its sample rate in Hz, and blocks of float32 samples, (n_samples, n_channels).

    The samples are the same at every decode, and there are as many as the file really contains, whatever its
    header says.

    Raises
    ------
    DataError
        The file can't be decoded, for whatever reason, or its sample rate is not one of music.
    """
    with ExitStack() as stack:
        with _reporting(path):
            sr, blocks = _open(path, stack)
            if not LOWEST_SR <= sr <= HIGHEST_SR:
                expected = f"{LOWEST_SR} to {HIGHEST_SR} Hz"
                raise DataError(f"sample rate {sr} Hz", where=str(path), expected=expected)
        yield sr, _reported(blocks, path)


def _open(path: Path, stack: ExitStack) -> tuple[int, Iterator[np.ndarray]]:
    file = stack.enter_context(_File(path.open("rb", buffering=0)))
    if not path.stat().st_size:
        raise DataError("the file is empty", where=str(path))
    if _first_bytes(file).startswith(_PCM_MAGIC):
        try:
            sound = stack.enter_context(soundfile.SoundFile(os.fsencode(path)))  # of any bytes
        except soundfile.LibsndfileError:
            try:  # WAV and CAF files can contain codecs that only FFmpeg supports
                return _open_compressed(file, path, stack)
            except DataError:
                pass
            raise
        if sound.frames < _ENDLESS:
            return sound.samplerate, _pcm_blocks(sound)
    return _open_compressed(file, path, stack)


def _first_bytes(file: BinaryIO) -> bytes:
    """Return the first bytes of a file, after any ID3 tag."""
    head = file.read(10)
    if head.startswith(b"ID3") and len(head) == 10:
        size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
        file.seek(10 + size)
        head = file.read(10)
    file.seek(0)
    return head


def _pcm_blocks(sound: soundfile.SoundFile) -> Iterator[np.ndarray]:
    # `SoundFile.blocks` would repeat old samples where a file ends early; `read` returns what is there.
    n_samples = max(1, 2 * BLOCK // max(2, sound.channels))
    while len(block := sound.read(n_samples, dtype="float32", always_2d=True)):
        yield block


def _open_compressed(file: BinaryIO, path: Path, stack: ExitStack) -> tuple[int, Iterator[np.ndarray]]:
    import av

    file.seek(0)
    options = {"format_whitelist": _FORMATS}
    try:
        container = stack.enter_context(av.open(file, "r", metadata_errors="replace", options=options))
    except (av.InvalidDataError, av.ArgumentError):  # nothing that it knows, or not among _FORMATS
        _refuse_truncated(file, path)
        raise DataError("Format not recognised", where=str(path), hint=_HINT) from None
    if not container.streams.audio:
        raise DataError("no audio in this file", where=str(path), hint=_HINT)
    frames = _frames(container, path)
    first = next(frames, None)
    if first is None:
        raise DataError("no samples", where=str(path))
    return first.sample_rate, _frame_blocks(chain([first], frames), path)


def _frames(container: InputContainer, path: Path) -> Iterator[AudioFrame]:
    """Decode the first audio stream; skip packets that can't be decoded, but not many."""
    import av

    stream = container.streams.audio[0]
    stream.codec_context.thread_count = 1  # threads could finish in another order
    n_packets = n_damaged = 0
    for packet in container.demux(stream):
        n_packets += 1
        try:
            frames = packet.decode()
        except av.FFmpegError:
            n_damaged += 1
            continue
        yield from frames
    if n_damaged > _DAMAGED_PACKETS + _DAMAGED_SHARE * n_packets:
        what = f"damaged: {n_damaged} of {n_packets} packets can't be decoded"
        raise DataError(what, where=str(path), hint=_HINT)


def _frame_blocks(frames: Iterator[AudioFrame], path: Path) -> Iterator[np.ndarray]:
    """Collect frames, of some 1,000 samples each, into blocks."""
    import av

    queue, kind, sr = av.AudioFifo(), None, None
    for frame in frames:
        sr = sr or frame.sample_rate
        if frame.sample_rate != sr:
            what = f"the sample rate changes from {sr} to {frame.sample_rate} Hz within the file"
            raise DataError(what, where=str(path), hint="save each part as a file of its own")
        if kind != (kind := (frame.format.name, frame.layout.name)) or queue.samples >= BLOCK:
            yield from _emptied(queue)
            queue = av.AudioFifo()
        frame.pts = None  # the queue refuses gaps in the timestamps
        queue.write(frame)
    yield from _emptied(queue)


def _emptied(queue: AudioFifo) -> Iterator[np.ndarray]:
    frame = queue.read(0, partial=True) if queue.samples else None
    if frame is not None:
        yield _as_float(_samples(frame))


def _samples(frame: AudioFrame) -> np.ndarray:
    """Return the samples of a frame, (n_samples, n_channels).

    `AudioFrame.to_ndarray` of PyAV 18 finds nine planes if eight channels have planes of their own, as in 7.1
    surround sound, and reading the ninth ends the process.
    """
    from av.audio.frame import format_dtypes

    n_planes, n_values = 1, frame.samples * frame.layout.nb_channels
    if frame.format.is_planar:
        n_planes, n_values = frame.layout.nb_channels, frame.samples
    dtype = format_dtypes[frame.format.name]
    planes: Sequence[Any] = frame.planes[:n_planes]  # which have the buffer protocol, unlike their type stubs
    values = np.stack([np.frombuffer(plane, dtype, n_values) for plane in planes])
    return values.T if frame.format.is_planar else values.reshape(frame.samples, -1)


def _as_float(samples: np.ndarray) -> np.ndarray:
    """Return samples as float32; integers are scaled to [-1, 1)."""
    if samples.dtype.kind == "f":
        return samples.astype(np.float32, copy=False)
    half = 2.0 ** (8 * samples.dtype.itemsize - 1)
    centred = samples.astype(np.float64) - (half if samples.dtype.kind == "u" else 0)
    return (centred / half).astype(np.float32)


def _refuse_truncated(file: BinaryIO, path: Path) -> None:
    """Refuse an MP4 file (m4a, mp4, 3gp) that ends before its index, which most programs write last."""
    names: list[bytes] = []
    position, end = 0, file.seek(0, 2)
    while position + 8 <= end and len(names) < _MOST_BOXES:
        file.seek(position)
        head = file.read(16)
        size = int.from_bytes(head[:4])
        size = int.from_bytes(head[8:]) if size == 1 else size or end - position
        names.append(head[4:8])
        position += max(size, 8)
    if names[:1] == [b"ftyp"] and (b"moov" not in names or position > end):
        what = "truncated: the file ends before its index"
        raise DataError(what, where=str(path), hint="copy or download the file again")


def _reported(blocks: Iterator[np.ndarray], path: Path) -> Iterator[np.ndarray]:
    with _reporting(path):
        yield from blocks


@contextmanager
def _reporting(path: Path) -> Iterator[None]:
    """Turn whatever a decoder raises into a `DataError`: no file may end a stage."""
    try:
        yield
    except GenredagError:
        raise
    except soundfile.LibsndfileError as error:
        what = error.error_string.removeprefix("Error : ").rstrip(".")
        raise DataError(what, where=str(path), hint=_HINT) from None
    except OSError as error:
        raise DataError(error.strerror or str(error), where=str(path)) from None
    except Exception as error:
        what = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        raise DataError(f"can't be decoded ({what})", where=str(path), hint=_HINT) from error
