"""Audio files: decode them to mono, and check once whether a track is usable."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from genredag.errors import DataError
from genredag.runtime.progress import progress

logger = logging.getLogger(__name__)

SUFFIXES = frozenset({".wav", ".flac", ".mp3", ".ogg", ".m4a", ".au", ".aiff", ".aif"})
BLOCK = 1 << 18  # samples decoded at a time: the memory for probing does not depend on a track's length


@dataclass(frozen=True)
class Probe:
    """The result of decoding a track once.

    Parameters
    ----------
    duration
        Length, in seconds.
    sr
        Sample rate of the file, in Hz.
    sha256
        Hash of the mono samples as little-endian 16-bit integers. This quantisation is lossless for PCM16, so
        WAV, AU, AIFF and FLAC files with the same samples have the same hash.
    problem
        Why the track can't be used; empty if it can.
    """

    duration: float = 0.0
    sr: int = 0
    sha256: str = ""
    problem: str = ""


def decode(path: Path, sr: int | None = None) -> tuple[np.ndarray, int]:
    """Decode an audio file to mono, resampled to `sr` unless that is None.

    Returns
    -------
    samples
        Shape (n_samples,), float32, nominally in [-1, 1]; the mean of the channels.
    sr
        Their sample rate, in Hz.

    Raises
    ------
    DataError
        The file is missing, unreadable or empty, or has samples that are NaN or infinite.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError("no such file", where=str(path))
    with _open(path) as (file_sr, blocks):
        samples = np.concatenate([np.zeros(0, np.float32), *blocks])
    if not samples.size:
        raise DataError("no samples", where=str(path))
    if not np.isfinite(samples).all():
        raise DataError("some samples are NaN or infinite", where=str(path))
    if sr is None or sr == file_sr:
        return samples, file_sr
    return soxr.resample(samples, file_sr, sr, quality="HQ"), sr


@contextmanager
def open_blocks(path: Path) -> Iterator[tuple[int, Iterator[np.ndarray]]]:
    """Open an audio file of any length: its sample rate in Hz, and its mono samples block by block.

    The blocks, joined, are the samples that `decode` returns, but only one is in memory at a time.

    Raises
    ------
    DataError
        As `decode`, on opening or while the blocks are read; but a file without samples has no blocks.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError("no such file", where=str(path))
    with _open(path) as (sr, blocks):
        yield sr, (_finite(block, path) for block in blocks)


def _finite(block: np.ndarray, path: Path) -> np.ndarray:
    if not np.isfinite(block).all():
        raise DataError("some samples are NaN or infinite", where=str(path))
    return block


def probe(path: Path, *, min_seconds: float, silence_db: float) -> Probe:
    """Decode a file once, block by block, and return its properties and any problem.

    Parameters
    ----------
    min_seconds
        Shorter tracks are rejected.
    silence_db
        Tracks with a lower peak are rejected, in dBFS.
    """
    path = Path(path)
    if not path.is_file():
        return Probe(problem="missing")
    digest, n_samples, peak = hashlib.sha256(), 0, 0.0
    try:
        with _open(path) as (sr, blocks):
            for block in blocks:
                if not np.isfinite(block).all():
                    return Probe(sr=sr, problem="unreadable: some samples are NaN or infinite")
                pcm = np.rint(block * 32768).clip(-32768, 32767).astype("<i2")
                digest.update(pcm.tobytes())
                n_samples += block.size
                peak = max(peak, float(np.abs(block).max(initial=0)))
    except DataError as error:
        return Probe(problem=f"unreadable: {error.what}")
    duration = n_samples / sr
    peak_db = 20 * np.log10(peak) if peak else -np.inf
    problem = ""
    if duration < min_seconds:
        problem = f"too short: {duration:.2f} s"
    elif peak_db < silence_db:
        problem = f"silent: peak {peak_db:.0f} dBFS"
    return Probe(duration, sr, digest.hexdigest(), problem)


def probe_all(paths: Sequence[Path], *, min_seconds: float, silence_db: float, n_jobs: int) -> list[Probe]:
    """Probe many files in `n_jobs` processes, in order."""
    from joblib import Parallel, delayed

    tasks = (delayed(probe)(path, min_seconds=min_seconds, silence_db=silence_db) for path in paths)
    results = Parallel(n_jobs=n_jobs, return_as="generator")(tasks)
    return list(progress(results, "tracks decoded", len(paths)))


@contextmanager
def _open(path: Path) -> Iterator[tuple[int, Iterator[np.ndarray]]]:
    """Open a file for decoding: its sample rate and its mono blocks, float32."""
    try:
        if path.suffix.lower() == ".m4a":
            with _open_m4a(path) as opened:
                yield opened
        else:
            with soundfile.SoundFile(path) as file:
                blocks = file.blocks(BLOCK, dtype="float32", always_2d=True)
                yield file.samplerate, (block.mean(axis=1, dtype=np.float32) for block in blocks)
    except soundfile.LibsndfileError as error:
        what = error.error_string.removeprefix("Error : ").rstrip(".")
        if "does not exist" in what:  # libsndfile's message for a file that is .mp3 only by name
            what = "Format not recognised"
        raise DataError(
            what, where=str(path), hint="try to play the file; convert it to WAV or FLAC"
        ) from None
    except OSError as error:
        raise DataError(error.strerror or str(error), where=str(path)) from None


@contextmanager
def _open_m4a(path: Path) -> Iterator[tuple[int, Iterator[np.ndarray]]]:
    """Open AAC audio, which libsndfile doesn't support, through ffmpeg or the system's codecs."""
    import audioread

    try:
        with audioread.audio_open(path) as file:
            shape = (-1, file.channels)
            pcm = (np.frombuffer(buffer, "<i2").reshape(shape) for buffer in file)
            yield file.samplerate, (block.mean(axis=1, dtype=np.float32) / 32768 for block in pcm)
    except audioread.NoBackendError:
        raise DataError(
            "no decoder for m4a", where=str(path), hint="install ffmpeg, or convert the file to FLAC"
        ) from None
    except audioread.DecodeError as error:
        raise DataError(f"can't be decoded: {error}", where=str(path)) from None
