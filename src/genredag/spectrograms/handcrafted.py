"""Frame series of classic features: MFCC, chroma, spectral shape, zero crossings, loudness and tempo.

`genredag.frames.features` computes the feature sets of the literature from statistics of these series.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genredag.errors import ParameterError
from genredag.params.groups.spectrograms import Handcrafted
from genredag.spectrograms.column_names import PITCH_CLASSES
from genredag.spectrograms.mel import mel_filters
from genredag.spectrograms.spectrum import Description, power_spectrogram

# Octave bands of the spectral contrast start here and end at 64 times this (Jiang et al. 2002).
CONTRAST_FMIN = 200.0
N_MELS = 128
# Relative to the track's peak: quieter samples count as silence. gtzan.keras has one number per clip, the
# samples that `librosa.effects.trim` removes from its ends. Ours is a series, so that slices of any length
# have their own value.
SILENCE = 0.01


def handcrafted(y: np.ndarray, sr: int, params: Handcrafted) -> np.ndarray:
    """Return librosa's features of every frame of mono samples `y`; `sr` is in Hz.

    All features share one spectrogram. Float32, shape (1 + n_samples // hop_length, n_mfcc + 28). `columns`
    names the columns; frequencies are in kHz. The tempo is one number for the whole track. Chroma features
    assume A = 440 Hz, because estimating each track's tuning would take half of the run time.
    """
    from librosa import feature

    power = power_spectrogram(y, params.n_fft, params.hop_length, "hann").T
    bands = librosa_decibels(mel_bands(power, sr, params))
    onsets = onset_strength(bands, sr, params)
    tempo = feature.tempo(onset_envelope=onsets, sr=sr, hop_length=params.hop_length).item()
    whole = Whole(np.abs(y).max(), tempo, onsets, np.empty((len(power), 0), power.dtype))
    return frame_features(power, bands, np.pad(y, params.n_fft // 2, mode="edge"), whole, sr, params)


@dataclass(frozen=True)
class Whole:
    """What the features of a frame take from the whole track, or from the frames before it.

    Attributes
    ----------
    peak
        The largest absolute sample.
    tempo
        In beats per minute.
    onsets
        Onset strength of each frame, (n_frames,).
    loudest
        Magnitude spectra of other frames, whose peaks and valleys bound the spectral contrast from below,
        (n_fft // 2 + 1, n).
    """

    peak: float
    tempo: float
    onsets: np.ndarray
    loudest: np.ndarray


def mel_bands(power: np.ndarray, sr: int, params: Handcrafted) -> np.ndarray:
    """Return the power of mel bands, (n_bands, n_frames), from a spectrogram (n_fft // 2 + 1, n_frames)."""
    return mel_filters(sr, params.n_fft, N_MELS, 0.0, sr / 2) @ power


def librosa_decibels(power: np.ndarray, peak: float | None = None) -> np.ndarray:
    """Convert power to dB, at most 80 below its maximum or `peak`."""
    import librosa

    if peak is None:
        return librosa.power_to_db(power)
    floor = librosa.power_to_db(np.array([peak], power.dtype))[0] - power.dtype.type(80)
    return np.maximum(librosa.power_to_db(power, top_db=None), floor)


def onset_strength(bands: np.ndarray, sr: int, params: Handcrafted) -> np.ndarray:
    """Return how much mel bands in dB grow from each frame to the next, (n_frames,)."""
    import librosa

    return librosa.onset.onset_strength(S=bands, sr=sr, n_fft=params.n_fft, hop_length=params.hop_length)


def frame_features(
    power: np.ndarray, bands: np.ndarray, padded: np.ndarray, whole: Whole, sr: int, params: Handcrafted
) -> np.ndarray:
    """Return the columns of `handcrafted` for frames of a track.

    Parameters
    ----------
    power
        Spectrogram, (n_fft // 2 + 1, n_frames).
    bands
        Mel bands in dB, (n_bands, n_frames).
    padded
        Samples from half a window before the centre of the first frame to half a window after the last.
    """
    from librosa import feature

    magnitude = np.sqrt(power)
    centroid = feature.spectral_centroid(S=magnitude, sr=sr)
    with_loudest = np.concatenate([magnitude, whole.loudest], axis=1)
    contrast = feature.spectral_contrast(S=with_loudest, sr=sr, fmin=CONTRAST_FMIN)
    frames = {"frame_length": params.n_fft, "hop_length": params.hop_length}
    rows = [
        feature.mfcc(S=bands, n_mfcc=params.n_mfcc),
        feature.chroma_stft(S=power, sr=sr, tuning=0.0),
        centroid / 1000,
        feature.spectral_bandwidth(S=magnitude, sr=sr, centroid=centroid) / 1000,
        feature.spectral_rolloff(S=magnitude, sr=sr) / 1000,
        feature.spectral_flatness(S=magnitude),
        contrast[:, : power.shape[1]],
        feature.zero_crossing_rate(padded, center=False, **frames),
        feature.rms(S=magnitude, frame_length=params.n_fft),
        whole.onsets[np.newaxis],
        _silence(padded, whole.peak, params),
        np.full((1, power.shape[1]), whole.tempo),
    ]
    return np.concatenate(rows).T.astype(np.float32, order="C")


def describe(params: Handcrafted, sr: int) -> Description:
    """Name the columns of `handcrafted`.

    Raises
    ------
    ParameterError
        With this sample rate or window, a band of the spectral contrast would contain no frequency.
    """
    if sr <= 64 * CONTRAST_FMIN:
        raise ParameterError(
            f"{sr}: too low for handcrafted", where="spectrograms.sr", expected="more than 12800"
        )
    if params.n_fft < sr / CONTRAST_FMIN:
        where = "representations.handcrafted.n_fft"
        raise ParameterError(
            f"{params.n_fft}: too short", where=where, expected=f"at least {sr / CONTRAST_FMIN:.0f}"
        )
    return {"bins": columns(params), "unit": "feature", "floor": 0.0}  # features ignore padding


def columns(params: Handcrafted) -> list[str]:
    """Return the names of the columns of `handcrafted`."""
    return [
        *(f"mfcc_{i}" for i in range(1, params.n_mfcc + 1)),
        *(f"chroma_{pitch}" for pitch in PITCH_CLASSES),
        *("centroid_khz", "bandwidth_khz", "rolloff_khz", "flatness"),
        *(f"contrast_{i}" for i in range(1, 8)),
        *("zero_crossing_rate", "rms", "onset_strength", "silence", "tempo_bpm"),
    ]


def _silence(padded: np.ndarray, peak: float, params: Handcrafted) -> np.ndarray:
    """Return the share of each frame's samples that are silent, shape (1, n_frames)."""
    import librosa

    quiet = np.abs(padded) <= SILENCE * peak
    frames = librosa.util.frame(quiet, frame_length=params.n_fft, hop_length=params.hop_length)
    return frames.mean(axis=0, keepdims=True)
