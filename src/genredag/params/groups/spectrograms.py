"""The groups ``spectrograms`` and ``representations``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from genredag.errors import ParameterError
from genredag.params.groups.base import Count, Group, Name
from genredag.params.groups.reading import read_group, similar


class Shift(Group):
    """A copy of every track with another pitch or tempo, added to training with its track."""

    pitch_semitones: Annotated[float, Field(ge=-12, le=12)] = Field(
        description="pitch shift, in semitones upwards"
    )
    tempo: Annotated[float, Field(ge=0.5, le=2)] = Field(description="tempo factor; above 1 is faster")

    @property
    def name(self) -> str:
        """Suffix of the ids of such copies: ``"pitch+1"``, ``"pitch-2_tempo0.9"``; empty if unchanged."""
        pitch = f"pitch{self.pitch_semitones:+g}" if self.pitch_semitones else ""
        tempo = f"tempo{self.tempo:g}" if self.tempo != 1 else ""
        return "_".join(filter(None, (pitch, tempo)))


def _differing(shifts: list[Shift]) -> list[Shift]:
    names = [shift.name for shift in shifts]
    for i, name in enumerate(names):
        if not name:
            raise ValueError(f"shift {i} changes neither pitch nor tempo; expected a copy that differs")
        if name in names[:i]:
            raise ValueError(f"shift {i} repeats {name}; expected each shift once")
    return shifts


Shifts = Annotated[list[Shift], AfterValidator(_differing)]


class Rendering(Group):
    """How tracks are rendered and stored, in any representation."""

    sr: Annotated[int, Field(ge=4000, le=192000)] = Field(description="sample rate of the analysis, in Hz")
    dtype: Literal["float16", "uint8"] = Field(description="data type of the stored frames")
    shifts: Shifts = Field(description="copies of every track that are added to the training set with it")


class Stft(Group):
    """Short-time Fourier transform, in dB."""

    n_fft: Annotated[int, Field(ge=32, multiple_of=2)] = Field(description="window length, in samples")
    hop_length: Count = Field(description="samples between frames")
    window: str = Field(description="name of a scipy.signal window")
    axis: Literal["linear", "log"] = Field(description="frequency axis")
    n_bins: Annotated[int, Field(ge=2)] = Field(
        description="bins of the log axis (ignored on the linear axis)"
    )
    fmin: Annotated[float, Field(gt=0)] = Field(description="lowest frequency of the log axis, in Hz")
    top_db: Annotated[float, Field(gt=0)] = Field(description="dynamic range below a track's maximum, in dB")


class Mel(Group):
    """Mel spectrogram, in dB or in linear power."""

    n_fft: Annotated[int, Field(ge=32, multiple_of=2)] = Field(description="window length, in samples")
    hop_length: Count = Field(description="samples between frames")
    window: str = Field(description="name of a scipy.signal window")
    n_mels: Annotated[int, Field(ge=2)] = Field(description="mel bands")
    fmin: Annotated[float, Field(ge=0)] = Field(description="lowest frequency, in Hz")
    fmax: Annotated[float, Field(gt=0)] = Field(description="highest frequency, in Hz")
    scale: Literal["db", "power"] = Field(description="dB below, or power as a share of, a track's maximum")
    top_db: Annotated[float, Field(gt=0)] = Field(
        description="dynamic range below a track's maximum, in dB (ignored in power)"
    )


class Cqt(Group):
    """Constant-Q transform, in dB."""

    hop_length: Count = Field(description="samples between frames")
    bins_per_octave: Annotated[int, Field(ge=4)] = Field(description="bins per octave")
    n_bins: Annotated[int, Field(ge=2)] = Field(description="total number of bins")
    fmin: Annotated[float, Field(gt=0)] = Field(description="frequency of the lowest bin, in Hz")
    top_db: Annotated[float, Field(gt=0)] = Field(description="dynamic range below a track's maximum, in dB")


class Handcrafted(Group):
    """Framewise librosa features: MFCC, chroma, spectral shape, zero crossings, RMS, tempo."""

    n_fft: Annotated[int, Field(ge=32, multiple_of=2)] = Field(description="window length, in samples")
    hop_length: Count = Field(description="samples between frames")
    n_mfcc: Annotated[int, Field(ge=2, le=128)] = Field(description="mel-frequency cepstral coefficients")


class Mfcc(Group):
    """Mel-frequency cepstral coefficients of every frame."""

    n_fft: Annotated[int, Field(ge=32, multiple_of=2)] = Field(description="window length, in samples")
    hop_length: Count = Field(description="samples between frames")
    window: str = Field(description="name of a scipy.signal window")
    n_mels: Annotated[int, Field(ge=2)] = Field(description="mel bands that the coefficients describe")
    fmin: Annotated[float, Field(ge=0)] = Field(description="lowest frequency, in Hz")
    fmax: Annotated[float, Field(gt=0)] | None = Field(
        description="highest frequency, in Hz; null: half of the sample rate"
    )
    top_db: Annotated[float, Field(gt=0)] = Field(
        description="dynamic range of the mel bands below a track's maximum, in dB"
    )
    n_mfcc: Annotated[int, Field(ge=2)] = Field(description="coefficients; at most one per mel band")


class Chroma(Group):
    """What all chromagrams have."""

    hop_length: Count = Field(description="samples between frames")
    n_chroma: Annotated[int, Field(ge=2, le=96)] = Field(
        description="pitch classes per octave, from C upwards"
    )
    tuning: Annotated[float, Field(ge=-0.5, le=0.5)] = Field(
        description="deviation from A = 440 Hz, in bins: of `n_chroma` (STFT), or of `bins_per_octave` (CQT)"
    )


class ChromaStft(Chroma):
    """Chromagram of a short-time Fourier transform."""

    n_fft: Annotated[int, Field(ge=32, multiple_of=2)] = Field(description="window length, in samples")
    window: str = Field(description="name of a scipy.signal window")


class ChromaCqt(Chroma):
    """Chromagram of a constant-Q transform."""

    bins_per_octave: Annotated[int, Field(ge=4)] = Field(
        description="bins of the transform per octave; a multiple of n_chroma"
    )
    n_octaves: Annotated[int, Field(ge=1, le=10)] = Field(description="octaves of the transform")
    fmin: Annotated[float, Field(gt=0)] = Field(description="frequency of the lowest bin, in Hz")


class ChromaCens(ChromaCqt):
    """Chroma energy normalised statistics: a quantised and smoothed chromagram."""

    smooth_frames: Annotated[int, Field(ge=1, le=401)] = Field(
        description="length of the smoothing window, in frames; 1: no smoothing"
    )


class Encoder(Group, ABC):
    """What all pretrained encoders have: frames that are far apart, at any sample rate."""

    @property
    @abstractmethod
    def frame_seconds(self) -> float:
        """Seconds between frames."""

    def hop_samples(self, sr: int) -> int:
        """Return the number of samples between frames, at `sr` Hz."""
        return max(1, round(self.frame_seconds * sr))


PUBLISHED = "published"


class Musicnn(Encoder):
    """Embeddings of windows of 3 s by musicnn, trained on the Million Song Dataset."""

    layer: Literal["penultimate", "pooled"] = Field(
        description="200 values before the tags, or mean and maximum of 753 features"
    )
    hop_seconds: Annotated[float, Field(ge=0.1, le=3)] = Field(description="seconds between windows")
    weights: Annotated[str, Field(min_length=1)] = Field(
        description="`published`, or the path of musicnn 0.1.0's wheel or of a folder with its checkpoint"
    )

    @property
    def frame_seconds(self) -> float:
        """See `Encoder.frame_seconds`."""
        return self.hop_seconds


class OnnxEncoder(Encoder):
    """Embeddings by an encoder of your own: an ONNX file that takes samples. Two keys may be absent."""

    kind: Literal["onnx"]
    path: Annotated[str, Field(min_length=1)] = Field(description="the ONNX file")
    sr: Annotated[int, Field(ge=4000, le=192000)] = Field(description="sample rate of its input, in Hz")
    window: Annotated[float, Field(gt=0, le=600)] = Field(description="length of its input, in seconds")
    layer: Annotated[str, Field(min_length=1)] = Field(description="name of the output to take")
    hop_seconds: Annotated[float, Field(ge=0.1)] | None = Field(
        default=None, description="seconds between windows; null: half a window, at most 1.5"
    )
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        default=None, description="SHA-256 that the file must have; null: any"
    )

    @property
    def frame_seconds(self) -> float:
        """See `Encoder.frame_seconds`."""
        return min(self.window / 2, MAX_HOP_SECONDS) if self.hop_seconds is None else self.hop_seconds


# So that slices of 3 s can begin every 1.5 s, whatever the window.
MAX_HOP_SECONDS = 1.5

Channel = Stft | Mel | Cqt | Mfcc | ChromaStft | ChromaCqt | ChromaCens


class Channels(Group):
    """The channels of a stack, 2 to 4. Any of the keys may be absent from ``params.yaml``."""

    stft: Stft | None = None
    mel: Mel | None = None
    cqt: Cqt | None = None
    mfcc: Mfcc | None = None
    chroma_cqt: ChromaCqt | None = None
    chroma_stft: ChromaStft | None = None
    chroma_cens: ChromaCens | None = None

    @property
    def given(self) -> dict[str, Channel]:
        """The channels by name. Their order is that of the fields, whatever the order in the file."""
        groups = ((name, getattr(self, name)) for name in type(self).model_fields)
        return {name: group for name, group in groups if group is not None}

    @model_serializer(mode="wrap")
    def _without_absent(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: values for name, values in serialise(self).items() if values is not None}


def _few(channels: Channels) -> Channels:
    if not 2 <= len(channels.given) <= 4:
        raise ValueError(f"{len(channels.given)} channels; expected 2 to 4")
    return channels


class Stack(Group):
    """Several representations as the channels of one picture."""

    n_bins: Annotated[int, Field(ge=2)] = Field(
        description="rows of every channel; those with fewer columns are resized"
    )
    channels: Annotated[Channels, AfterValidator(_few)]

    @property
    def hop_length(self) -> int:
        """Samples between frames, which must be those of every channel."""
        return next(iter(self.channels.given.values())).hop_length


class Representations(Group):
    """Every representation by its name. Any other key is an encoder of the user's own."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[Name, OnnxEncoder]

    stft: Stft
    mel: Mel
    cqt: Cqt
    handcrafted: Handcrafted
    mfcc: Mfcc
    chroma_stft: ChromaStft
    chroma_cqt: ChromaCqt
    chroma_cens: ChromaCens
    stack: Stack
    musicnn: Musicnn

    @model_validator(mode="before")
    @classmethod
    def _reject_unknown(cls, given: Any) -> Any:
        for name in set(given) - set(cls.model_fields) if isinstance(given, dict) else ():
            if not isinstance(given[name], dict) or given[name].get("kind") != "onnx":
                hint = similar(str(name), cls.model_fields)
                raise ValueError(f"{name!r} is unknown; an encoder of your own needs `kind: onnx`; {hint}")
        return given

    @property
    def encoders(self) -> dict[str, OnnxEncoder]:
        """The user's own encoders, by name."""
        return self.__pydantic_extra__ or {}

    @property
    def given(self) -> dict[str, Group]:
        """All representations, by name."""
        return {name: getattr(self, name) for name in type(self).model_fields} | self.encoders


def read_representation(path: Path, name: str) -> Group:
    """Read the group of one representation from the ``params.yaml`` at `path`.

    Raises
    ------
    ParameterError
        There is no such representation, or a value of ``representations`` can't be used.
    """
    representations: Representations = read_group(path, "representations", Representations)
    if name not in representations.given:
        hint = similar(name, representations.given)
        raise ParameterError(f"{name!r} is unknown", where="representations", hint=hint)
    return representations.given[name]
