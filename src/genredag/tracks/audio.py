"""Audio files: decode them to mono, and check once whether a track is usable."""

from __future__ import annotations

import hashlib
import logging
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from genredag.errors import DataError
from genredag.runtime.progress import progress
from genredag.tracks.decoders import open_channels

logger = logging.getLogger(__name__)

SUFFIXES = frozenset(
    {
        *(".wav", ".wave", ".w64", ".rf64", ".au", ".snd", ".aif", ".aiff", ".aifc", ".caf", ".flac"),
        *(".mp3", ".mp2", ".mpga", ".ogg", ".oga", ".opus", ".spx", ".m4a", ".m4b", ".mp4", ".3gp", ".aac"),
        *(".wma", ".asf", ".ac3", ".eac3", ".dts", ".webm", ".weba", ".mka", ".amr", ".ape", ".tta", ".wv"),
        *(".mpc", ".dsf"),
    }
)
LARGEST = 1000.0  # times full scale; float samples above this are not audio


@dataclass(frozen=True)
class Probe:
    """The result of decoding a track once.

    Parameters
    ----------
    duration
        Length of what could be decoded, in seconds.
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
        The file is missing, unreadable or empty, or has samples that are not audio: NaN, infinite or far
        above full scale.
    """
    path = Path(path)
    with open_blocks(path) as (file_sr, blocks):
        samples = np.concatenate([np.zeros(0, np.float32), *blocks])
    if not samples.size:
        raise DataError("no samples", where=str(path))
    if sr is None or sr == file_sr:
        return samples, file_sr
    return soxr.resample(samples, file_sr, sr, quality="HQ"), sr


@contextmanager
def open_blocks(path: Path, sr: int | None = None) -> Iterator[tuple[int, Iterator[np.ndarray]]]:
    """Open an audio file of any length: its sample rate in Hz, and its mono samples block by block.

    The blocks, joined, are the samples that `decode` returns, but only one block is in memory at a time::

        with open_blocks(path, 22050) as (sr, blocks):
            for block in blocks:  # float32, shape (n_samples,), of about 2 ** 18 samples or fewer
                ...

    Raises
    ------
    DataError
        As `decode`, on opening or while the blocks are read; but a file without samples has no blocks.
    """
    path = Path(path)
    if not _is_file(path):
        raise DataError("no such file", where=str(path))
    with open_channels(path) as (file_sr, channels):
        blocks = (_mono(block) for block in _checked(channels, path))
        if sr is None or sr == file_sr:
            yield file_sr, blocks
        else:
            yield sr, _resampled(blocks, file_sr, sr)


def probe(
    path: Path,
    *,
    min_seconds: float,
    silence_db: float,
    max_megabytes: float = math.inf,
    max_decoding_seconds: float = math.inf,
) -> Probe:
    """Decode a file once, block by block, and return its properties and any problem.

    Parameters
    ----------
    min_seconds
        Shorter tracks are rejected.
    silence_db
        Tracks with a lower peak are rejected, in dBFS.
    max_megabytes
        Tracks whose mono samples take more memory, in float32, are rejected.
    max_decoding_seconds
        Tracks that take more processor time to decode are rejected, in seconds.
    """
    path = Path(path)
    if not _is_file(path):
        return Probe(problem="missing")
    digest, n_samples, peak, channel_peak = hashlib.sha256(), 0, 0.0, 0.0
    start = time.thread_time()
    try:
        with open_channels(path) as (sr, channels):
            for block in _checked(channels, path):
                mono = _mono(block)
                digest.update(np.rint(mono * 32768).clip(-32768, 32767).astype("<i2").tobytes())
                n_samples += mono.size
                peak = max(peak, float(np.abs(mono).max(initial=0)))
                channel_peak = max(channel_peak, float(np.abs(block).max(initial=0)))
                if n_samples * mono.itemsize > max_megabytes * 1e6:
                    return Probe(sr=sr, problem=f"too long: more than {max_megabytes:g} MB when decoded")
                if time.thread_time() - start > max_decoding_seconds:
                    return Probe(sr=sr, problem=f"decoding takes more than {max_decoding_seconds:g} s")
    except DataError as error:
        expected = f"; expected {error.expected}" if error.expected else ""
        return Probe(problem=f"unreadable: {error.what}{expected}")
    duration = n_samples / sr
    problem = _too_short(duration, min_seconds) or _silent(peak, channel_peak, silence_db)
    return Probe(duration, sr, digest.hexdigest(), problem)


def probe_all(
    paths: Sequence[Path],
    *,
    min_seconds: float,
    silence_db: float,
    max_megabytes: float = math.inf,
    max_decoding_seconds: float = math.inf,
    n_jobs: int,
) -> list[Probe]:
    """Probe many files in `n_jobs` processes, in order; the other parameters are those of `probe`."""
    from joblib import Parallel, delayed

    limits = {
        "min_seconds": min_seconds,
        "silence_db": silence_db,
        "max_megabytes": max_megabytes,
        "max_decoding_seconds": max_decoding_seconds,
    }
    results = Parallel(n_jobs=n_jobs, return_as="generator")(delayed(probe)(path, **limits) for path in paths)
    return list(progress(results, "tracks decoded", len(paths)))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long, or a folder that may not be read
        return False


def _too_short(duration: float, min_seconds: float) -> str:
    return f"too short: {duration:.2f} s" if duration < min_seconds else ""


def _silent(peak: float, channel_peak: float, silence_db: float) -> str:
    peak_db, channel_db = (20 * math.log10(value) if value else -math.inf for value in (peak, channel_peak))
    if peak_db >= silence_db:
        return ""
    if channel_db >= silence_db:
        return f"silent in mono: the channels, with a peak of {channel_db:.0f} dBFS, cancel each other"
    return f"silent: peak {peak_db:.0f} dBFS"


def _mono(block: np.ndarray) -> np.ndarray:
    """Return the mean of the channels; `np.mean` takes ten times as long along so short an axis."""
    total = block[:, 0]
    for channel in range(1, block.shape[1]):
        total = total + block[:, channel]
    return total if block.shape[1] == 1 else total / np.float32(block.shape[1])


def _checked(blocks: Iterator[np.ndarray], path: Path) -> Iterator[np.ndarray]:
    """Pass blocks on; refuse samples that can't be audio."""
    for block in blocks:
        peak = np.abs(block).max(initial=0)  # NaN if any sample is
        if not np.isfinite(peak):
            raise DataError("some samples are NaN or infinite", where=str(path))
        if peak > LARGEST:
            what = f"not audio: samples up to {peak:.3g} times full scale"
            raise DataError(what, where=str(path), expected="-1 to 1", hint="scale the samples")
        yield block


def _resampled(blocks: Iterator[np.ndarray], sr: int, new_sr: int) -> Iterator[np.ndarray]:
    stream = soxr.ResampleStream(sr, new_sr, 1, dtype="float32", quality="HQ")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)
