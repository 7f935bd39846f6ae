"""The pydantic model of ``params.yaml``: every value, its type, unit and bounds.

Values live in ``params.yaml`` alone: no field has a default, unknown keys are refused, and numbers are
not guessed from strings. A stage uses the groups that `STAGE_GROUPS` names for it and nothing else.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from genredag.errors import ParameterError
from genredag.extra_groups import AsPublished, LeakageAudit, Robustness
from genredag.groups import Count, Group, Name, Names, Seconds, Seed, Share
from genredag.params_checks import (
    check_audited_splits,
    check_deformations,
    check_embeddings,
    check_experiment,
    check_frequencies,
    check_names,
    check_spectrograms,
    check_splits,
    similar,
)
from genredag.protocols import PROTOCOLS, Split
from genredag.recipes import Estimator, Hybrid, Network, Pretrained, Recipe
from genredag.shifts import Shift, Shifts


class Matrix(Group):
    """The lists whose product Snakemake builds."""

    dataset: Names = Field(description="keys of `datasets`")
    representation: Names = Field(description="keys of `representations`")
    model: Names = Field(description="keys of `models`")
    split: Names = Field(description="keys of `splits`")
    seed: Annotated[list[Seed], Field(min_length=1)] = Field(description="seeds of split and training")


class Download(Group):
    """What every data set's tracks are checked for."""

    max_skipped: Share = Field(description="largest share of tracks that may be quarantined")
    min_seconds: Seconds = Field(description="shorter tracks are quarantined, in seconds")
    silence_db: Annotated[float, Field(lt=0)] = Field(
        description="tracks whose peak is lower are silent, in dBFS"
    )
    timeout_seconds: Seconds = Field(description="a mirror that sends nothing for so long is given up")
    retries: Annotated[int, Field(ge=0)] = Field(
        description="how often a cut download is resumed, per mirror"
    )


class Synthetic(Group):
    """The embedded data set, made from a seed."""

    tracks_per_genre: Annotated[int, Field(ge=2)] = Field(description="tracks of each of the ten genres")
    tracks_per_artist: Count = Field(description="tracks that share a made-up artist")
    clip_seconds: Annotated[float, Field(ge=1, le=600)] = Field(description="length of a track, in seconds")
    sr: Annotated[int, Field(ge=8000, le=96000)] = Field(description="sample rate, in Hz")
    seed: Seed = Field(description="seed of the music")


class Archive(Group):
    """A data set that is downloaded as an archive, or that the user already has."""

    path: str | None = Field(description="an archive or folder of your own, instead of a download")
    mirrors: list[str] = Field(description="addresses tried in order")


class FmaArchive(Archive):
    """An FMA subset and the metadata that go with it."""

    metadata_path: str | None = Field(description="an fma_metadata.zip or folder of your own")
    metadata_mirrors: list[str] = Field(description="addresses of fma_metadata.zip, tried in order")


class GenreSources(Group):
    """Where the tracks of one mixed genre come from."""

    gtzan: list[str] = Field(description="genres of GTZAN")
    fma: list[str] = Field(description="genres or sub-genres of FMA")


class GtzanFma(Group):
    """A balanced mix of GTZAN and a size of FMA."""

    tracks_per_genre: Count = Field(description="tracks of each genre; GTZAN's come first")
    gtzan: Archive = Field(description="as `datasets.gtzan`")
    size: Literal["small", "medium", "large"] = Field(description="size of FMA")
    fma: FmaArchive = Field(description="that size of FMA")
    seed: Seed = Field(description="seed of the draw")
    genres: Annotated[dict[Name, GenreSources], Field(min_length=2)] = Field(description="the mapping table")


class Folder(Group):
    """Your own music: ``<genre>/**/*.<audio>`` or a CSV of path, genre[, artist]."""

    path: str | None = Field(description="the folder, or the CSV file")


class Spectrograms(Group):
    """Precomputed spectrograms, for collections that may not share audio."""

    files: list[str] = Field(description=".npz or .npy files of frames per track")
    tracks: str | None = Field(description="a CSV of track_id, genre[, artist][, split], or null")
    representation: Name = Field(description="what the frames are: a key of `representations`")
    clip_seconds: Seconds = Field(description="duration that the frames of one track span, in seconds")


class Datasets(Group):
    """Every data set by its name."""

    synthetic: Synthetic
    gtzan: Archive
    fma_small: FmaArchive
    fma_medium: FmaArchive
    gtzan_fma: GtzanFma
    folder: Folder
    spectrograms: Spectrograms


class Rendering(Group):
    """How tracks are rendered and stored, whatever the representation."""

    sr: Annotated[int, Field(ge=4000, le=192000)] = Field(description="sample rate of the analysis, in Hz")
    dtype: Literal["float16", "uint8"] = Field(description="storage of a frame's values")
    shifts: Shifts = Field(description="copies of every track that training tracks bring with them")


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
    """Mel spectrogram, in dB."""

    n_fft: Annotated[int, Field(ge=32, multiple_of=2)] = Field(description="window length, in samples")
    hop_length: Count = Field(description="samples between frames")
    window: str = Field(description="name of a scipy.signal window")
    n_mels: Annotated[int, Field(ge=2)] = Field(description="mel bands")
    fmin: Annotated[float, Field(ge=0)] = Field(description="lowest frequency, in Hz")
    fmax: Annotated[float, Field(gt=0)] = Field(description="highest frequency, in Hz")
    top_db: Annotated[float, Field(gt=0)] = Field(description="dynamic range below a track's maximum, in dB")


class Cqt(Group):
    """Constant-Q transform, in dB."""

    hop_length: Count = Field(description="samples between frames")
    bins_per_octave: Annotated[int, Field(ge=4)] = Field(description="bins of an octave")
    n_bins: Annotated[int, Field(ge=2)] = Field(description="bins in all")
    fmin: Annotated[float, Field(gt=0)] = Field(description="frequency of the lowest bin, in Hz")
    top_db: Annotated[float, Field(gt=0)] = Field(description="dynamic range below a track's maximum, in dB")


class Handcrafted(Group):
    """Frame series of librosa's features: MFCC, chroma, spectral shape, zero crossings, RMS, tempo."""

    n_fft: Annotated[int, Field(ge=32, multiple_of=2)] = Field(description="window length, in samples")
    hop_length: Count = Field(description="samples between frames")
    n_mfcc: Annotated[int, Field(ge=2, le=128)] = Field(description="mel-frequency cepstral coefficients")


class Representations(Group):
    """Every representation by its name."""

    stft: Stft
    mel: Mel
    cqt: Cqt
    handcrafted: Handcrafted


class Slices(Group):
    """How tracks are cut."""

    seconds: Seconds = Field(description="length of a slice, in seconds")
    overlap: Share = Field(description="share of a slice that the next one repeats")
    short_tracks: Literal["pad", "quarantine"] = Field(description="fate of tracks shorter than a slice")


class NearDuplicates(Group):
    """Which tracks on two sides of a split are told to be alike."""

    correlation: Annotated[float, Field(gt=0, le=1)] = Field(
        description="of how two tracks' spectrograms change: pairs on two sides that reach it are reported"
    )


class Train(Group):
    """What training of every model has in common."""

    precision: Literal["float32", "mixed_bfloat16"] = Field(description="arithmetic of networks")
    threads: Count = Field(description="threads of one training job; part of the result's identity")
    normalisation: Literal["bin", "global", "none"] = Field(
        description="statistics of the training slices used"
    )


class Evaluate(Group):
    """How predictions are judged."""

    track_decision: Literal["mean", "vote", "log_sum"] = Field(
        description="how slices decide for their track"
    )


class Report(Group):
    """What the report shows."""

    example_seconds: Seconds = Field(description="length of the example spectrograms, in seconds")
    n_resamples: Annotated[int, Field(ge=100)] = Field(
        description="draws of the bootstrap behind intervals and tests"
    )
    title: str = Field(description="heading of the report")
    audio: list[Name] = Field(description="data sets whose mistaken tracks are copied into the page as clips")
    clip_seconds: Seconds = Field(description="length of these clips, in seconds")
    audits: list[Literal["leakage_audit", "as_published", "robustness"]] = Field(
        description="audits that Snakemake makes first and the report shows"
    )


class Params(Group):
    """All of ``params.yaml``."""

    dataset: Name = Field(description="data set of the one experiment that DVC runs")
    representation: Name = Field(description="its representation")
    model: Name = Field(description="its model")
    split: Name = Field(description="its split")
    fold: Annotated[int, Field(ge=0)] = Field(description="which fold of its split tests; 0 without folds")
    seed: Seed = Field(description="its seed, of split and training")
    matrix: Matrix
    download: Download
    datasets: Datasets
    spectrograms: Rendering
    representations: Representations
    slices: Slices
    splits: Annotated[dict[Name, Split], Field(min_length=1)]
    near_duplicates: NearDuplicates
    train: Train
    models: Annotated[dict[Name, Annotated[Recipe, Field(discriminator="kind")]], Field(min_length=1)]
    evaluate: Evaluate
    report: Report
    leakage_audit: LeakageAudit
    as_published: AsPublished
    robustness: Robustness

    @model_validator(mode="after")
    def _values_agree(self) -> Self:
        check_names(self)
        check_splits(self)
        check_audited_splits(self)
        check_frequencies(self)
        check_spectrograms(self)
        check_embeddings(self)
        check_deformations(self)
        return self

    def entry(self, collection: str, name: str) -> Any:
        """Return the entry `name` of a collection such as ``"models"``.

        Raises
        ------
        ParameterError
            There is no such entry.
        """
        entries = getattr(self, collection)
        names = list(entries) if isinstance(entries, dict) else list(type(entries).model_fields)
        if name not in names:
            raise ParameterError(f"{name!r} is unknown", where=collection, hint=similar(name, names))
        return entries[name] if isinstance(entries, dict) else getattr(entries, name)


# Members of the unions in collections, with the key that tells which one an entry is.
UNIONS: list[tuple[str, type[Group]]]
UNIONS = [("kind", Network), ("kind", Hybrid), ("kind", Estimator)]
UNIONS += [("protocol", member) for member in PROTOCOLS]

# The groups of params.yaml that each stage uses; `{dataset}` and so on stand for the experiment's choice.
STAGE_GROUPS: dict[str, tuple[str, ...]] = {
    "download": ("download", "datasets.{dataset}"),
    "spectrograms": ("spectrograms", "representations.{representation}"),
    "slices": ("slices",),
    "split": ("splits.{split}", "near_duplicates"),
    "embed": ("train", "models.{model}.backbone"),
    "train": ("train", "models.{model}"),
    "evaluate": ("evaluate",),
    "report": ("report",),
}
# Likewise of the targets beside the DAG, which Snakemake builds when asked.
EXTRA_GROUPS: dict[str, tuple[str, ...]] = {
    "audit_split": ("splits.{split}", "leakage_audit.svm", "leakage_audit.cnn"),
    "leakage_audit": ("leakage_audit", "report.n_resamples"),
    "run_study": (),
    "as_published": ("as_published", "report.n_resamples", "evaluate"),
    "predict_deformed": ("robustness.deformations",),
    "robustness": ("robustness", "report.n_resamples", "evaluate"),
}


def stage_values(params: Params, stage: str, **choice: object) -> str:
    """Return the values that `stage` uses and the `choice` it works for, as canonical JSON.

    Equal values give equal strings. The choice is part of them because Snakemake's cache knows a result by
    its parameters, not by its path: without it, two seeds would share one split.
    """
    tree = params.model_dump()
    values: dict[str, Any] = {key: str(name) for key, name in choice.items()}
    for group in (STAGE_GROUPS | EXTRA_GROUPS)[stage]:
        key = group.format(**choice)
        value: Any = tree
        for part in key.split("."):
            value = value[part]
        values[key] = value
    return json.dumps(values, sort_keys=True)


def load_params(path: Path) -> Params:
    """Read and check ``params.yaml``.

    Raises
    ------
    ParameterError
        The file is missing, isn't YAML, or holds a key or value that can't be used.
    """
    path = Path(path)
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ParameterError("no such file", where=str(path), hint="run from the project's folder") from None
    except yaml.YAMLError as error:
        raise ParameterError(f"not YAML: {error}", where=str(path), hint="check the indentation") from None
    return parse_params(tree, source=path.name)


def parse_params(tree: object, source: str = "params.yaml") -> Params:
    """Check the values of a ``params.yaml`` that is already read."""
    try:
        params = Params.model_validate(tree)
    except ValidationError as error:
        raise _as_parameter_error(error, tree, source) from None
    check_experiment(params)
    return params


def _as_parameter_error(error: ValidationError, tree: Any, source: str) -> ParameterError:
    # A misspelt key is also a missing one: the misspelling tells more.
    first, *more = sorted(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    path = _place(first, tree)
    where = f"{source}: {'.'.join(path)}" if path else source
    hint = f"also wrong: {', '.join('.'.join(_place(e, tree)) for e in more)}" if more else ""
    if first["type"] == "extra_forbidden":
        hint = "; ".join(filter(None, [_keys_like(first["loc"]), hint]))
        return ParameterError("unknown key", where=where, hint=hint)
    if first["type"] == "missing":
        return ParameterError("missing", where=where, hint=hint or "every value stands in params.yaml")
    what = first["msg"].removeprefix("Value error, ")
    if first["type"] != "value_error":
        what = f"{first['input']!r}: {what[0].lower()}{what[1:]}"
    hint = "; ".join(filter(None, [hint, "docs/parameters.md lists types, units and bounds"]))
    return ParameterError(what, where=where, hint=hint)


def _place(error: Any, tree: Any) -> list[str]:
    """Return where in `tree` an error is; pydantic names members of unions among the keys."""
    path = []
    for key in error["loc"]:
        if isinstance(key, int) if isinstance(tree, list) else isinstance(tree, dict) and key in tree:
            path.append(str(key))
            tree = tree[key]
    return [*path, str(error["loc"][-1])] if error["type"] == "missing" else path


def _keys_like(place: Any) -> str:
    """Return a hint: which key may stand where pydantic found an unknown one."""
    group: type[BaseModel] = Params
    for part in place[:-1]:
        inner = group.model_fields[part].annotation if part in group.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            for key, group in (("shifts", Shift), ("backbone", Pretrained)):
                if key in place:
                    return similar(place[-1], group.model_fields)
            members = {get_args(member.model_fields[key].annotation)[0]: member for key, member in UNIONS}
            return similar(place[-1], members[place[-2]].model_fields) if place[-2] in members else ""
        group = inner
    return similar(place[-1], group.model_fields)
