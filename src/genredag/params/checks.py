"""Checks across the values of ``params.yaml``: names must exist, frequencies must be possible."""

from __future__ import annotations

from collections.abc import Iterator

from genredag.errors import ParameterError
from genredag.params.groups.spectrograms import ChromaCqt, Mfcc
from genredag.params.groups.splits import KFold, LeakySlices, n_folds
from genredag.params.mp3_rates import bit_rates
from genredag.params.schema import Params

# A key, its value, the largest value it may have, and what that is.
Limit = tuple[str, float, float, str]
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
    for where in ("robustness", "external_songs", "label_issues"):
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


def check_frequencies(params: Params) -> None:
    """Reject frequency bands that the window or the sample rate cannot represent."""
    nyquist = params.spectrograms.sr / 2
    stft, mel, cqt = params.representations.stft, params.representations.mel, params.representations.cqt
    top = cqt.fmin * 2 ** (cqt.n_bins / cqt.bins_per_octave)
    for key, value, largest, meaning in (
        ("representations.mel.n_mels", mel.n_mels, mel.n_fft // 2 + 1, "n_fft/2+1"),
        ("representations.mel.fmax", mel.fmax, nyquist, "half of spectrograms.sr"),
        ("representations.mel.fmin", mel.fmin, mel.fmax, "fmax"),
        ("representations.stft.fmin", stft.fmin, nyquist, "half of spectrograms.sr"),
        (
            "representations.cqt.n_bins",
            round(top),
            nyquist,
            "half of spectrograms.sr, for the highest bin in Hz",
        ),
        *_cepstral_limits(params.representations.mfcc, nyquist),
        *_chroma_limits("chroma_cqt", params.representations.chroma_cqt, nyquist),
        *_chroma_limits("chroma_cens", params.representations.chroma_cens, nyquist),
    ):
        if value > largest:
            raise ValueError(f"{key}: {value:g} is above {largest:g}; expected at most {meaning}")


def _cepstral_limits(mfcc: Mfcc, nyquist: float) -> Iterator[Limit]:
    """Yield the limits of the parameters of MFCC."""
    where, fmax = "representations.mfcc", nyquist if mfcc.fmax is None else mfcc.fmax
    yield f"{where}.n_mfcc", mfcc.n_mfcc, mfcc.n_mels, "n_mels"
    yield f"{where}.n_mels", mfcc.n_mels, mfcc.n_fft // 2 + 1, "n_fft/2+1"
    yield f"{where}.fmax", fmax, nyquist, "half of spectrograms.sr"
    yield f"{where}.fmin", mfcc.fmin, fmax, "fmax"


def _chroma_limits(name: str, chroma: ChromaCqt, nyquist: float) -> Iterator[Limit]:
    """Yield the limits of the parameters of a constant-Q chromagram; reject bins that can't be merged."""
    where, n_bins = f"representations.{name}", chroma.bins_per_octave
    if n_bins % chroma.n_chroma:
        what = f"{where}.bins_per_octave: {n_bins} is no multiple of n_chroma, {chroma.n_chroma}"
        raise ValueError(f"{what}; expected one, such as {3 * chroma.n_chroma}")
    # One bin above the highest, whose filter ends below that.
    top = chroma.fmin * 2 ** (chroma.n_octaves + max(chroma.tuning, 0) / n_bins)
    meaning = "half of spectrograms.sr, for the highest bin in Hz"
    yield f"{where}.n_octaves", round(top), nyquist, meaning


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
