"""Checks across the values of ``params.yaml``: names must exist, frequencies must be possible."""

from __future__ import annotations

from collections.abc import Iterator

from genredag.errors import ParameterError
from genredag.params.groups.base import Group
from genredag.params.groups.spectrograms import ChromaCqt, Cqt, Mel, Mfcc, Stft
from genredag.params.groups.splits import KFold, LeakySlices, n_folds
from genredag.params.mp3_rates import bit_rates
from genredag.params.schema import Params

# A key of a group, its value, the largest value it may have, and what that is.
Limit = tuple[str, float, float, str]
HALF = "half of spectrograms.sr"
COLLECTIONS = {
    "dataset": "datasets",
    "representation": "representations",
    "model": "models",
    "split": "splits",
}


def check_values(params: Params) -> None:
    """Check that the values are consistent with each other.

    Raises
    ------
    ValueError
        They are inconsistent.
    """
    check_names(params)
    check_splits(params)
    check_audited_splits(params)
    check_frequencies(params)
    check_spectrograms(params)
    check_embeddings(params)
    check_deformations(params)


def check_names(params: Params) -> None:
    """Reject an experiment, matrix, report or audit that names an unknown entry."""
    for where, collection, names in _named(params):
        for name in names:
            try:
                params.entry(collection, name)
            except ParameterError as error:
                raise ValueError(f"{where}: {name!r} is not a key of `{collection}`; {error.hint}") from None


def _named(params: Params) -> Iterator[tuple[str, str, list[str]]]:
    """Yield each key that names entries, their collection, and the names."""
    yield "report.audio", "datasets", params.report.audio
    for key, collection in COLLECTIONS.items():
        yield key, collection, [getattr(params, key)]
        yield f"matrix.{key}", collection, getattr(params.matrix, key)
    audit, published = params.leakage_audit, params.as_published
    yield "leakage_audit.dataset", "datasets", audit.dataset
    yield "leakage_audit.representation", "representations", [audit.representation]
    for key, name in audit.split:
        yield f"leakage_audit.split.{key}", "splits", [name]
    yield "as_published.dataset", "datasets", [published.dataset]
    yield "as_published.corrected_split", "splits", [published.corrected_split]
    for where in ("robustness", "external_songs", "label_issues", "learning_curves"):
        group = getattr(params, where)
        for key in ("dataset", "representation", "model"):
            yield f"{where}.{key}", COLLECTIONS[key], getattr(group, key)
        yield f"{where}.split", "splits", [group.split]
    tables, pictures = params.feature_tables, params.pictures
    for where, exported in (("feature_tables", tables), ("pictures", pictures)):
        yield f"{where}.dataset", "datasets", [exported.dataset]
        yield f"{where}.split", "splits", [exported.split]
    yield "pictures.representation", "representations", [pictures.representation]


def check_splits(params: Params) -> None:
    """Reject a fold that the experiment's split doesn't have, and a leaky split not named so."""
    last = n_folds(params.splits[params.split]) - 1
    if params.fold > last:
        expected = f"0 to {last}" if last else "0"
        raise ValueError(f"fold: {params.split} has no fold {params.fold}; expected {expected}")
    for name, split in params.splits.items():
        if isinstance(split, LeakySlices) and "leaky" not in name:
            raise ValueError(
                f"splits.{name}: this protocol is leaky; expected a name that contains the word leaky"
            )


def check_audited_splits(params: Params) -> None:
    """Reject splits of audits and exports that have folds, or that leak where tracks must stay whole."""
    names = {f"leakage_audit.split.{key}": name for key, name in params.leakage_audit.split}
    names["as_published.corrected_split"] = params.as_published.corrected_split
    names["feature_tables.split"] = params.feature_tables.split
    names["pictures.split"] = params.pictures.split
    for where, name in names.items():
        split = params.splits[name]
        if isinstance(split, KFold):
            raise ValueError(f"{where}: {name!r} has folds, but only one would run; expected no folds")
        if isinstance(split, LeakySlices) and where != "leakage_audit.split.slices":
            raise ValueError(f"{where}: {name!r} is leaky; expected a split that keeps tracks whole")
    if not isinstance(params.splits[params.label_issues.split], KFold):
        what = f"label_issues.split: {params.label_issues.split!r} does not test every track"
        raise ValueError(f"{what}; expected a split with folds, such as artist_kfold_5")
    name = params.learning_curves.split
    if isinstance(params.splits[name], LeakySlices):
        what = f"learning_curves.split: {name!r} is leaky"
        raise ValueError(f"{what}; expected a split that keeps tracks whole")


def check_frequencies(params: Params) -> None:
    """Reject frequency bands that the window or the sample rate cannot represent."""
    nyquist = params.spectrograms.sr / 2
    for where, group in _transforms(params):
        for key, value, largest, meaning in _limits(where, group, nyquist):
            if value > largest:
                raise ValueError(f"{where}.{key}: {value:g} is above {largest:g}; expected at most {meaning}")


def _transforms(params: Params) -> Iterator[tuple[str, Group]]:
    """Yield the place and group of every representation; of channels of a stack only if it is used.

    Otherwise a change of ``mel``, or of the sample rate, would have to be made in the stack as well.
    """
    stack = params.representations.stack
    for name, group in params.representations.given.items():
        yield f"representations.{name}", group
    if any("stack" in names for _, collection, names in _named(params) if collection == "representations"):
        for name, group in stack.channels.given.items():
            yield f"representations.stack.channels.{name}", group


def _limits(where: str, group: Group, nyquist: float) -> Iterator[Limit]:
    """Yield the limits of the parameters of a representation."""
    match group:
        case Stft():
            yield "fmin", group.fmin, nyquist, HALF
        case Mel() | Mfcc():
            yield from _mel_limits(group, nyquist)
        case Cqt():
            top = group.fmin * 2 ** (group.n_bins / group.bins_per_octave)
            yield "n_bins", round(top), nyquist, f"{HALF}, for the highest bin in Hz"
        case ChromaCqt():
            yield from _chroma_limits(where, group, nyquist)


def _mel_limits(group: Mel | Mfcc, nyquist: float) -> Iterator[Limit]:
    fmax = nyquist if group.fmax is None else group.fmax
    if isinstance(group, Mfcc):
        yield "n_mfcc", group.n_mfcc, group.n_mels, "n_mels"
    yield "n_mels", group.n_mels, group.n_fft // 2 + 1, "n_fft/2+1"
    yield "fmax", fmax, nyquist, HALF
    yield "fmin", group.fmin, fmax, "fmax"


def _chroma_limits(where: str, chroma: ChromaCqt, nyquist: float) -> Iterator[Limit]:
    """Yield the limits of a constant-Q chromagram; reject bins that can't be merged."""
    n_bins = chroma.bins_per_octave
    if n_bins % chroma.n_chroma:
        what = f"{where}.bins_per_octave: {n_bins} is no multiple of n_chroma, {chroma.n_chroma}"
        raise ValueError(f"{what}; expected one, such as {3 * chroma.n_chroma}")
    # One bin above the highest, whose filter ends below that.
    top = chroma.fmin * 2 ** (chroma.n_octaves + max(chroma.tuning, 0) / n_bins)
    yield "n_octaves", round(top), nyquist, f"{HALF}, for the highest bin in Hz"


def check_spectrograms(params: Params) -> None:
    """Reject representations, shifts and deformations of a data set that has no audio."""
    group = params.datasets.spectrograms
    if "spectrograms" in params.robustness.dataset:
        raise ValueError("robustness.dataset: the data set `spectrograms` has no audio to deform")
    if "spectrograms" in params.external_songs.dataset:
        raise ValueError(
            "external_songs.dataset: models trained on the data set `spectrograms` can't be applied to audio"
        )
    for where, datasets, representations in (
        ("representation", [params.dataset], [params.representation]),
        ("matrix.representation", params.matrix.dataset, params.matrix.representation),
        ("leakage_audit.representation", params.leakage_audit.dataset, [params.leakage_audit.representation]),
        ("pictures.representation", [params.pictures.dataset], [params.pictures.representation]),
        ("feature_tables.dataset", [params.feature_tables.dataset], ["handcrafted"]),
    ):
        if "spectrograms" in datasets and set(representations) != {group.representation}:
            raise ValueError(
                f"{where}: the data set `spectrograms` holds {group.representation!r} frames and no audio; "
                f"expected only [{group.representation}]"
            )
        if "spectrograms" in datasets and params.spectrograms.shifts:
            raise ValueError(
                "spectrograms.shifts: the data set `spectrograms` has no audio to shift; expected []"
            )


def check_embeddings(params: Params) -> None:
    """Reject augmentation of slices whose embeddings are computed only once."""
    for name in (params.model, *params.matrix.model):
        recipe = params.models[name]
        if recipe.backbone and recipe.backbone.has_embedding and recipe.augment:
            raise ValueError(
                f"models.{name}.augment: not empty, but the frozen part sees each slice only once, earlier; "
                f"expected [], or models.{name}.backbone.embed = false"
            )


def check_deformations(params: Params) -> None:
    """Reject deformations that are impossible at the sample rate of the analysis."""
    sr, group = params.spectrograms.sr, params.robustness.deformations
    for key, strengths, limit, meaning in (
        ("resample_hz", group.resample_hz, sr, "spectrograms.sr"),
        ("high_pass_hz", group.high_pass_hz, sr / 2, "half of spectrograms.sr"),
    ):
        for strength in strengths or ():
            if strength >= limit:
                what = f"robustness.deformations.{key}: {strength:g} is not below {limit:g}"
                raise ValueError(f"{what}; expected less than {meaning}")
    for kbps in group.mp3_kbps or ():
        if kbps not in bit_rates(sr):
            what = f"robustness.deformations.mp3_kbps: an MP3 of {sr} Hz cannot have {kbps} kbit/s"
            raise ValueError(f"{what}; expected one of {', '.join(map(str, bit_rates(sr)))}")
