"""The schema of params.yaml: what it accepts, what it refuses, and its error messages."""

from __future__ import annotations

import itertools
import json

import pytest

from genredag.errors import ParameterError
from genredag.params.groups.reading import parse_yaml
from genredag.params.loading import load_params, parse_params
from genredag.params.schema import Params
from genredag.params.stages import STAGE_GROUPS, STAGES, stage_values

LEAKY_SPLIT = {"protocol": "leaky_slices", "ratios": [0.8, 0.1, 0.1]}
DEFORMATIONS = "robustness.deformations"
NO_KIND = dict.fromkeys(("mp3_kbps", "resample_hz", "gain_db", "noise_snr_db", "high_pass_hz"))
CHOICE = {"dataset": "synthetic", "representation": "mel", "model": "crnn", "split": "artist_disjoint"}


def put(tree: dict, key: str, value: object) -> dict:
    """Set `key` (dotted) of a tree of values."""
    *path, last = key.split(".")
    node = tree
    for part in path:
        node = node[part]
    node[last] = value
    return tree


def test_params_yaml_is_valid(project_dir):
    assert isinstance(load_params(project_dir / "params.yaml"), Params)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("slices.overlap", -0.5, r"params.yaml: slices.overlap: -0.5: .*greater than or equal to 0"),
        ("slices.overlap", 1.0, r"slices.overlap: 1.0: .*less than 1"),
        ("slices.seconds", "3", r"slices.seconds: '3': .*valid number"),
        ("slices.secnds", 3.0, r"slices.secnds: unknown key. Hint: did you mean 'seconds'"),
        ("modle", "crnn", r"modle: unknown key. Hint: did you mean 'model'"),
        ("models.crnn.learning_rate", -1.0, r"models.crnn.learning_rate: -1.0: .*greater than 0"),
        ("models.crnn.learning_rat", 1.0, r"models.crnn.learning_rat: unknown key. .*'learning_rate'"),
        ("models.svm_rbf.options.C", [{}], r"models.svm_rbf.options.C"),
        ("models.crnn.kind", "tree", r"models.crnn.kind: .tree. is unknown"),
        ("models.crnn.schedule", "step", r"models.crnn.schedule: 'step': .*'constant' or 'cosine'"),
        (
            "models.crnn.schedule",
            {"kind": "stop"},
            r"crnn.schedule: .*expected constant, cosine, {kind: step",
        ),
        ("models.homebrew_published.schedule.factor", 1.0, r"published.schedule.factor: 1.0: .*less than 1"),
        (
            "models.crnn.augment",
            [{"kind": "noise", "std": 0.0}],
            r"crnn.augment.0.std: 0.0: .*greater than 0",
        ),
        ("models.crnn.augment", [{"kind": "nois"}], r"crnn.augment.0.kind: 'nois' .*'noise'"),
        ("models.crnn.augment", [{"kind": "mixup"}], r"crnn.augment.0.alpha: missing"),
        ("models.homebrew_published.schedule.epoch", 7, r"published.schedule.epoch: unknown key"),
        ("models.vgg16_ft.backbone.size", -1, r"models.vgg16_ft.backbone.size: -1: .*valid list"),
        ("models.crnn.size", [0, 9], r"models.crnn.size.0: 0: .*greater than or equal to 1"),
        (
            "models.crnn.kind",
            "netwrk",
            r"^params.yaml: models.crnn.kind: 'netwrk' is unknown.*mean 'network'",
        ),
        (
            "models.best.members.lda_patches.recipe.kind",
            "ensemble",
            r"^params.yaml: models.best.members.lda_patches.recipe.kind: 'ensemble' is unknown",
        ),
        ("models.crnn.augment", [{"std": 2.0}], r"^params.yaml: models.crnn.augment.0.kind: missing"),
        ("learning_curves.model", ["lstm", "lstm"], r"learning_curves.model: lstm is listed twice"),
        ("matrix.seed", [1, 2, 1], r"matrix.seed: 1 is listed twice; expected each value once"),
        ("models.crnn.size", [9], r"models.crnn.size: \[9\]: .*at least 2 items"),
        (
            "models.vgg16_ft.backbone.frozen_layers",
            -1,
            r"vgg16_ft.backbone.frozen_layers: -1: .*greater than",
        ),
        ("models.vgg16_ft.backbone.sise", 1, r"models.vgg16_ft.backbone.sise: unknown key"),
        (
            "models.vgg16_ft.backbone.architecture",
            "vgg",
            r"backbone.architecture: 'vgg': .*'vgg16', 'resnet18'",
        ),
        ("models.svm_rbf.backbone", {"size": 1}, r"models.svm_rbf.backbone: .*None"),
        ("model", "crn", r"model: 'crn' is not a key of `models`; did you mean 'crnn'"),
        ("matrix.model", ["crnn", "cnm"], r"matrix.model: 'cnm' is not a key of `models`"),
        ("matrix.seed", [], r"matrix.seed: \[\]: .*at least 1 item"),
        ("dataset", "gtzna", r"dataset: 'gtzna' is not a key of `datasets`; did you mean 'gtzan'"),
        ("representations.mel.n_mels", 1026, r"representations.mel.n_mels: 1026 is above 1025; .*n_fft/2\+1"),
        ("representations.mel.fmax", 11026.0, r"mel.fmax: 11026 is above 11025; .*half of spectrograms.sr"),
        ("representations.mel.fmin", 12000.0, r"mel.fmin: 12000 is above 11025; .*fmax"),
        ("representations.cqt.n_bins", 120, r"cqt.n_bins: .*half of spectrograms.sr"),
        (
            "representations.mel.scale",
            "amplitude",
            r"representations.mel.scale: 'amplitude': .*'db' or 'power'",
        ),
        ("representations.stack.n_bins", 1, r"stack.n_bins: 1: .*greater than or equal to 2"),
        (
            "representations.stack.channels.mels",
            {},
            r"channels.mels: unknown key. Hint: did you mean 'mel'",
        ),
        ("representations.stack.channels.mel.n_mel", 1, r"stack.channels.mel.n_mel: unknown key"),
        ("representations.mfcc.n_mfcc", 129, r"representations.mfcc.n_mfcc: 129 is above 128; .*most n_mels"),
        (
            "representations.mfcc.n_mels",
            1026,
            r"representations.mfcc.n_mels: 1026 is above 1025; .*n_fft/2\+1",
        ),
        ("representations.mfcc.fmax", 11026.0, r"mfcc.fmax: 11026 is above 11025; .*half of spectrograms.sr"),
        ("representations.mfcc.fmin", 12000.0, r"mfcc.fmin: 12000 is above 11025; .*fmax"),
        ("representations.chroma_cqt.n_octaves", 9, r"chroma_cqt.n_octaves: .*half of spectrograms.sr"),
        ("representations.chroma_cens.fmin", 100.0, r"chroma_cens.n_octaves: .*half of spectrograms.sr"),
        (
            "representations.chroma_cens.bins_per_octave",
            30,
            r"chroma_cens.bins_per_octave: 30 is no multiple of n_chroma, 12; expected one, such as 36",
        ),
        ("splits.artist_disjoint.ratios", [0.8, 0.1, 0.2], r"splits.artist_disjoint: .*expected a sum of 1"),
        ("splits.artist_disjoint.ratios", [0.9, 0.1], r"artist_disjoint.ratios: .*at least 3 items"),
        ("splits.official.test", "tests", r"splits.official.test: 'tests': .*'test' or 'validation'"),
        (
            "splits.official.ratios",
            [1.0],
            r"splits.official.ratios: unknown key. .*one of .*validation_share",
        ),
        ("splits.official.test", "validation", r"splits.official: validation_share = null, but the listed"),
        ("splits.kfold_10.protocol", "folds", r"splits.kfold_10.protocol: 'folds' .*'kfold'"),
        ("splits.kfold_10.k", 2, r"splits.kfold_10.k: 2: .*greater than or equal to 3"),
        (
            "splits.shuffled",
            LEAKY_SPLIT,
            r"splits.shuffled: this protocol is leaky; expected a name",
        ),
        ("fold", 3, r"params.yaml: fold: stratified_8_1_1 has no fold 3; expected 0"),
        ("near_duplicates.correlation", 1.5, r"near_duplicates.correlation: 1.5: .*less than or equal to 1"),
        ("matrix.dataset", ["spectrograms"], r"matrix.representation: .*no audio; expected only \[mel\]"),
        (
            "leakage_audit.split.faults",
            "filtered",
            r"leakage_audit.split.faults: 'filtered' is not a key of `splits`",
        ),
        ("as_published.corrected_split", "artists", r"as_published.corrected_split: 'artists' is not a key"),
        ("robustness.model", ["svm"], r"robustness.model: 'svm' is not a key of `models`"),
        ("robustness.representation", [], r"robustness.representation: \[\]: .*at least 1 item"),
        ("robustness.split", "tracks", r"robustness.split: 'tracks' is not a key of `splits`"),
        (
            "robustness.dataset",
            ["synthetic", "spectrograms"],
            r"robustness.dataset: .*has no audio to deform",
        ),
        ("external_songs.model", ["svm"], r"external_songs.model: 'svm' is not a key of `models`"),
        ("external_songs.dataset", ["spectrograms"], r"external_songs.dataset: .*can't be applied to audio"),
        ("label_issues.split", "folds", r"label_issues.split: 'folds' is not a key of `splits`"),
        (
            "label_issues.split",
            "artist_disjoint",
            r"label_issues.split: .* does not test every track; .*folds",
        ),
        ("label_issues.model", ["svm"], r"label_issues.model: 'svm' is not a key of `models`"),
        ("learning_curves.model", ["svm"], r"learning_curves.model: 'svm' is not a key of `models`"),
        (
            "learning_curves.split",
            "leaky_slices",
            r"learning_curves.split: 'leaky_slices' is leaky; expected a split that keeps tracks whole",
        ),
        ("learning_curves.shares", [1.0], r"learning_curves.shares: \[1.0\]: .*at least 2 items"),
        ("learning_curves.shares", [0.5, 0.5], r"learning_curves.shares: .*0.5 is listed twice"),
        ("learning_curves.shares", [0.5, 1.5], r"learning_curves.shares.1: 1.5: .*less than or equal to 1"),
        ("feature_tables.split", "tracks", r"feature_tables.split: 'tracks' is not a key of `splits`"),
        (
            "feature_tables.split",
            "kfold_10",
            r"feature_tables.split: 'kfold_10' has folds.*expected no folds",
        ),
        ("feature_tables.dataset", "spectrograms", r"feature_tables.dataset: .* holds 'mel' frames"),
        ("feature_tables.features", ["features_31"], r"feature_tables.features.0: 'features_31': "),
        ("pictures.split", "leaky_slices", r"pictures.split: 'leaky_slices' is leaky; .*keeps tracks whole"),
        ("pictures.dataset", "nothing", r"pictures.dataset: 'nothing' is not a key of `datasets`"),
        ("pictures.representation", "mels", r"pictures.representation: 'mels' is not a key"),
        ("pictures.size", [128], r"pictures.size: \[128\]: .*at least 2 items"),
        ("pictures.per", "song", r"pictures.per: 'song': .*'slice' or 'track'"),
        (f"{DEFORMATIONS}.mp3", [64], r"deformations.mp3: unknown key. Hint: one of gain_db, .*, mp3_kbps"),
        (f"{DEFORMATIONS}.mp3_kbps", [], r"deformations.mp3_kbps: \[\]: .*at least 1 item"),
        (
            f"{DEFORMATIONS}.mp3_kbps",
            [64, 65],
            r"mp3_kbps: an MP3 of 22050 Hz cannot have 65 kbit/s; .*of 16, ",
        ),
        (f"{DEFORMATIONS}.mp3_kbps", [64.5], r"deformations.mp3_kbps.0: 64.5: .*integer"),
        (f"{DEFORMATIONS}.mp3_kbps", [320], r"mp3_kbps: an MP3 of 22050 Hz cannot have 320 kbit/s"),
        (
            f"{DEFORMATIONS}.resample_hz",
            [22_050],
            r"resample_hz: 22050 is not below 22050; .*spectrograms.sr",
        ),
        (f"{DEFORMATIONS}.resample_hz", [10], r"deformations.resample_hz.0: 10: .*equal to 1000"),
        (
            f"{DEFORMATIONS}.gain_db",
            [6.0, 6.0],
            r"deformations.gain_db: 6.0 is listed twice; expected each .*once",
        ),
        (f"{DEFORMATIONS}.gain_db", 6.0, r"deformations.gain_db: 6.0: .*list"),
        (f"{DEFORMATIONS}.noise_snr_db", [-61.0], r"deformations.noise_snr_db.0: -61.0: .*equal to -60"),
        (f"{DEFORMATIONS}.noise_snr_db", [float("nan")], r"deformations.noise_snr_db.0: nan: .*finite"),
        (f"{DEFORMATIONS}.high_pass_hz", [0.0], r"deformations.high_pass_hz.0: 0.0: .*greater than 0"),
        (f"{DEFORMATIONS}.high_pass_hz", [11025.0], r"high_pass_hz: 11025 is not below 11025; .*half of"),
        (DEFORMATIONS, NO_KIND, r"robustness.deformations: every kind is null; expected strengths for"),
        ("as_published.corrected_split", "kfold_10", r"as_published.corrected_split: 'kfold_10' has folds"),
        ("leakage_audit.split.tracks", "kfold_10", r"leakage_audit.split.tracks: 'kfold_10' has folds"),
        (
            "as_published.corrected_split",
            "leaky_slices",
            r"corrected_split: 'leaky_slices' is leaky; expected",
        ),
        ("leakage_audit.split.tracks", "leaky_slices", r"split.tracks: 'leaky_slices' is leaky; expected"),
        ("leakage_audit.split.artists", "leaky_slices", r"split.artists: 'leaky_slices' is leaky; expected"),
        ("leakage_audit.split.faults", "leaky_slices", r"split.faults: 'leaky_slices' is leaky; expected"),
        ("leakage_audit.svm.C", [], r"leakage_audit.svm.C: \[\]: .*at least 1 item"),
        ("representations.mel.n_fft", 2047, r"mel.n_fft: 2047: .*multiple of 2"),
        ("spectrograms.dtype", "float64", r"spectrograms.dtype: 'float64': .*'float16' or 'uint8'"),
        (
            "spectrograms.shifts",
            [{"pitch_semitones": 13.0, "tempo": 1.0}],
            r"shifts.0.pitch_semitones: 13.0: ",
        ),
        (
            "spectrograms.shifts",
            [{"pitch_semitones": 0.0, "tempo": 0.4}],
            r"shifts.0.tempo: 0.4: .*equal to 0.5",
        ),
        ("spectrograms.shifts", [{"pitch_semitones": 1.0}], r"shifts.0.tempo: missing"),
        ("spectrograms.shifts", [{"pich_semitones": 1.0, "tempo": 1.0}], r"did you mean 'pitch_semitones'"),
        (
            "spectrograms.shifts",
            [{"pitch_semitones": 0.0, "tempo": 1.0}],
            r"spectrograms.shifts: shift 0 changes neither pitch nor tempo; expected a copy that differs",
        ),
        (
            "spectrograms.shifts",
            [{"pitch_semitones": -2.0, "tempo": 0.9}, {"pitch_semitones": -2, "tempo": 0.9}],
            r"spectrograms.shifts: shift 1 repeats pitch-2_tempo0.9; expected each shift once",
        ),
        ("slices.seconds", float("nan"), r"slices.seconds: nan: .*"),
    ],
)
def test_an_impossible_value_is_refused_in_one_line_with_its_key(tree, key, value, message):
    with pytest.raises(ParameterError, match=message) as caught:
        parse_params(put(tree, key, value))
    assert "\n" not in str(caught.value)


def test_published_spectrograms_have_no_audio_to_shift(tree):
    put(tree, "spectrograms.shifts", [{"pitch_semitones": 1.0, "tempo": 1.0}])
    tree |= {"dataset": "spectrograms", "representation": "mel"}
    with pytest.raises(ParameterError, match=r"spectrograms.shifts: .*no audio to shift; expected \[\]"):
        parse_params(tree)


def test_a_kind_of_deformation_may_be_null(tree):
    group = parse_params(put(tree, f"{DEFORMATIONS}.mp3_kbps", None)).robustness.deformations
    assert group.mp3_kbps is None and group.gain_db


def test_a_fold_beyond_the_last_is_refused(tree):
    put(tree, "split", "kfold_10")
    assert parse_params(put(tree, "fold", 9)).fold == 9
    with pytest.raises(ParameterError, match=r"fold: kfold_10 has no fold 10; expected 0 to 9"):
        parse_params(put(tree, "fold", 10))


def test_augmented_slices_have_no_embeddings(tree):
    put(tree, "models.squeezenet_frozen.augment", [{"kind": "noise", "std": 1.0}])
    parse_params(tree)
    put(tree, "matrix.model", ["squeezenet_frozen"])
    with pytest.raises(ParameterError, match=r"squeezenet_frozen.augment: not empty.*embed = false"):
        parse_params(tree)
    parse_params(put(tree, "models.squeezenet_frozen.backbone.embed", False))


def test_a_missing_value_is_named(tree):
    del tree["slices"]["overlap"]
    with pytest.raises(ParameterError, match=r"slices.overlap: missing"):
        parse_params(tree)


def test_a_misspelt_key_is_reported_before_the_missing_one(tree):
    tree["slices"]["overlapp"] = tree["slices"].pop("overlap")
    with pytest.raises(ParameterError, match=r"slices.overlapp: unknown key. Hint: did you mean 'overlap'"):
        parse_params(tree)


def test_all_faults_are_reported(tree):
    put(put(tree, "slices.overlap", 2.0), "train.threads", 0)
    with pytest.raises(ParameterError, match=r"slices.overlap: 2.0.*also wrong: train.threads"):
        parse_params(tree)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no such file"),
        ("a: [1", "not YAML"),
        ("a: 1\nb: {c: 1}\na: 2", r"not YAML: the key 'a' is there twice in .*, line 3, column 1"),
        ("a: [{b: {c: 1, d: 2, c: 1}}]", "the key 'c' is there twice"),
        ("a: caf\xe9", "can't decode byte 0xe9 .*; expected text in UTF-8"),
        ("", "params.yaml: is empty; expected keys and values"),
        ("3", "params.yaml: holds no keys"),
        ("[a]", "params.yaml: holds no keys"),
    ],
)
def test_an_invalid_params_file_is_refused(tmp_path, text, message):
    path = tmp_path / "params.yaml"
    if text is not None:
        path.write_text(text, encoding="latin-1")
    with pytest.raises(ParameterError, match=message):
        load_params(path)


def test_merged_maps_may_override_keys_and_be_merged_again():
    text = "a: &a {x: 1, y: 2}\nb: &b {<<: *a, x: 3}\nc: {<<: *b, x: 4}\nd: [*b, *b]"
    b = {"x": 3, "y": 2}
    assert parse_yaml(text, "") == {"a": {"x": 1, "y": 2}, "b": b, "c": {"x": 4, "y": 2}, "d": [b, b]}


def test_every_stage_has_its_values(project_dir):
    params = load_params(project_dir / "params.yaml")
    assert tuple(STAGE_GROUPS) == STAGES
    for stage, groups in STAGE_GROUPS.items():
        values = json.loads(stage_values(params, stage, **CHOICE))
        assert set(values) == {*CHOICE, *(group.format(**CHOICE) for group in groups)}


@pytest.mark.parametrize("order", list(itertools.permutations(["seconds", "overlap", "short_tracks"])))
def test_equal_values_give_equal_strings_in_any_order(tree, order):
    expected = stage_values(parse_params(tree), "slices")
    tree["slices"] = {key: tree["slices"][key] for key in order}
    assert stage_values(parse_params(tree), "slices") == expected


def test_whole_and_decimal_numbers_are_the_same_value(tree):
    expected = stage_values(parse_params(tree), "slices")
    assert stage_values(parse_params(put(tree, "slices.seconds", 3)), "slices") == expected


def test_an_unknown_entry_is_refused(project_dir):
    params = load_params(project_dir / "params.yaml")
    assert params.entry("models", "crnn").kind == "network"
    assert params.entry("datasets", "gtzan").path is None
    with pytest.raises(ParameterError, match=r"models: 'crn' is unknown. Hint: did you mean 'crnn'"):
        params.entry("models", "crn")


@pytest.mark.parametrize("text", ["1e-3", "1.e-3", "1E-03", "+.1e-2", "0.001"])
def test_numbers_are_those_of_yaml_1_2(project_dir, tmp_path, text):
    path, whole = tmp_path / "params.yaml", (project_dir / "params.yaml").read_text(encoding="utf-8")
    path.write_text(whole.replace("learning_rate: 0.002", f"learning_rate: {text}", 1), encoding="utf-8")
    params = load_params(path)
    assert params.models["cnn_370k"].learning_rate == 0.001
    same = load_params(project_dir / "params.yaml").model_copy(update={"models": params.models})
    assert stage_values(params, "train", model="cnn_370k") == stage_values(same, "train", model="cnn_370k")


def test_channels_are_held_to_the_limits_of_their_representations_where_a_stack_is_used(tree):
    """Unused ones are not, so that another sample rate has to be made possible in one place only."""
    tree["representations"]["stack"]["channels"]["mel"]["fmax"] = 12000.0
    parse_params(tree)
    tree["matrix"]["representation"] = ["mel", "stack"]
    message = r"representations\.stack\.channels\.mel\.fmax: 12000 is above 11025; .*half of spectrograms\.sr"
    with pytest.raises(ParameterError, match=message):
        parse_params(tree)
