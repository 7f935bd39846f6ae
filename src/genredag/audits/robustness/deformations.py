"""Deformations of mono samples, float32 (n_samples,). Each keeps the number of samples and their timing."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import soundfile
import soxr

from genredag.audits.robustness.kinds import KINDS
from genredag.errors import ParameterError
from genredag.params.mp3_rates import compression_level, file_rate

if TYPE_CHECKING:
    from genredag.params.groups.audits import Deformations

# LAME adds a delay of 576 samples, and a decoder adds 529. Files with low bit rates have no room for the tag
# that records the delay; they decode with that many extra samples at the start.
MP3_DELAY = 576 + 529
HIGH_PASS_ORDER = 4  # 24 dB per octave


@dataclass(frozen=True)
class Deformation:
    """A kind of deformation (a key of `KINDS`) and its strength, in that kind's unit."""

    kind: str
    strength: float


def all_deformations(group: Deformations) -> list[Deformation]:
    """Return every strength of every kind, in the order of `KINDS`."""
    return [Deformation(kind, strength) for kind in KINDS for strength in getattr(group, kind) or ()]


def deformed(y: np.ndarray, sr: int, deformation: Deformation, track_id: str) -> np.ndarray:
    """Return a deformed track; its random noise depends only on `track_id`."""
    match deformation.kind:
        case "mp3_kbps":
            return mp3(y, sr, int(deformation.strength))
        case "resample_hz":
            return resample(y, sr, int(deformation.strength))
        case "gain_db":
            return gain(y, deformation.strength)
        case "noise_snr_db":
            return noise(y, deformation.strength, _generator(track_id))
        case "high_pass_hz":
            return high_pass(y, sr, deformation.strength)
    raise ValueError(f"no deformation is called {deformation.kind!r}")


def mp3(y: np.ndarray, sr: int, kbps: int) -> np.ndarray:
    """Encode samples as MP3 at a constant bit rate (LAME) and decode them.

    Parameters
    ----------
    kbps
        One of `genredag.params.mp3_rates.bit_rates`, in kbit/s.

    Raises
    ------
    ParameterError
        The installed libsndfile can't write MP3.
    """
    if "MP3" not in soundfile.available_formats():
        raise ParameterError(
            f"libsndfile {soundfile.__libsndfile_version__} can't write MP3",
            where="robustness.deformations.mp3_kbps",
            hint="install libsndfile 1.1 or newer with LAME, or set the key to null",
        )
    rate = file_rate(sr)
    file = io.BytesIO()
    coding = {"compression_level": compression_level(kbps, sr), "bitrate_mode": "CONSTANT"}
    resampled = _resampled(y, sr, rate)
    soundfile.write(file, resampled, rate, format="MP3", subtype="MPEG_LAYER_III", **coding)
    file.seek(0)
    decoded, _ = soundfile.read(file, dtype="float32")
    delay = MP3_DELAY if len(decoded) >= len(resampled) + MP3_DELAY else 0
    return _of_length(_resampled(decoded[delay : delay + len(resampled)], rate, sr), len(y))


def resample(y: np.ndarray, sr: int, rate_hz: int) -> np.ndarray:
    """Resample to `rate_hz` and back, which removes frequencies above half of it."""
    return _of_length(_resampled(_resampled(y, sr, rate_hz), rate_hz, sr), len(y))


def gain(y: np.ndarray, gain_db: float) -> np.ndarray:
    """Amplify by `gain_db`; samples beyond full scale are clipped, as in a file."""
    return np.clip(y * np.float32(10 ** (gain_db / 20)), -1, 1)


def noise(y: np.ndarray, snr_db: float, rng: np.random.Generator) -> np.ndarray:
    """Add white Gaussian noise; `snr_db` is the ratio of the track's mean power to the noise's, in dB."""
    power = np.mean(np.square(y, dtype=np.float64)) / 10 ** (snr_db / 10)
    return y + np.float32(np.sqrt(power)) * rng.standard_normal(len(y), np.float32)


def high_pass(y: np.ndarray, sr: int, cutoff_hz: float) -> np.ndarray:
    """Apply a Butterworth high-pass, 3 dB down at `cutoff_hz`."""
    from scipy import signal

    sections = signal.butter(HIGH_PASS_ORDER, cutoff_hz, "highpass", fs=sr, output="sos")
    return signal.sosfilt(sections, y).astype(np.float32)


def _resampled(y: np.ndarray, sr: int, rate: int) -> np.ndarray:
    return y if sr == rate else soxr.resample(y, sr, rate, quality="HQ")


def _of_length(y: np.ndarray, n_samples: int) -> np.ndarray:
    """Trim or append silence: because of rounding, resampled audio may be a few samples short."""
    return np.pad(y[:n_samples], (0, max(n_samples - len(y), 0)))


def _generator(track_id: str) -> np.random.Generator:
    return np.random.default_rng(list(hashlib.sha256(track_id.encode()).digest()))
