"""Studies: studies.yaml is valid, and studies override params.yaml."""

import os
from pathlib import Path

import h5py
import pytest
import yaml

from genredag.audits.as_published.studies import (
    VARIANTS,
    LeftOutError,
    check_studies,
    choose,
    load_studies,
    study_tree,
    study_values,
)
from genredag.errors import ParameterError
from genredag.models.registry import learners
from genredag.params.loading import load_params, parse_params

ROOT = Path(__file__).resolve().parents[3]
STUDIES = load_studies(ROOT / "studies.yaml")


@pytest.mark.parametrize("name", STUDIES)
def test_both_variants_of_a_study_are_valid(tree, name):
    study = STUDIES[name]
    assert study.model.removesuffix("_published") in learners()
    for variant in VARIANTS:
        laid = study_tree(tree, study, variant, "gtzan", 7)
        assert (laid["dataset"], laid["model"], laid["seed"]) == ("gtzan", study.model, 7)
    assert laid["split"] == tree["as_published"]["corrected_split"]
    assert (study.published is None) == ("not printed here" in study.measured_on)


def test_params_yaml_runs_every_study(project_dir):
    assert load_params(project_dir / "params.yaml").as_published.studies == list(STUDIES)


def test_a_study_overrides_only_its_own_keys(tree):
    laid = study_tree(tree, STUDIES["gtzan_keras_2018_cnn"], "as_published", "gtzan", 1)
    assert laid["slices"]["seconds"] == 2.9932
    assert laid["splits"][laid["split"]] == {"protocol": "leaky_slices", "ratios": [0.6, 0.1, 0.3]}
    assert "leaky" in laid["split"]
    same = {"models", "datasets", "download", "train", "evaluate", "report"}
    assert {key: laid[key] for key in same} == {key: tree[key] for key in same}


def test_the_published_slices_have_the_published_frames(tree):
    from genredag.frames.slices import slice_length

    laid = study_tree(tree, STUDIES["gtzan_keras_2018_cnn"], "as_published", "gtzan", 1)
    assert slice_length(laid["slices"]["seconds"], 22050 / 512) == 129
    laid = study_tree(tree, STUDIES["gtzan_keras_2020_cnn"], "as_published", "gtzan", 1)
    assert slice_length(laid["slices"]["seconds"], 22050 / 256) == 129
    laid = study_tree(tree, STUDIES["pons_time"], "as_published", "gtzan", 1)
    assert slice_length(laid["slices"]["seconds"], 22050 / 512) == 80


def test_only_the_leaking_variant_is_marked():
    warnings = {name: study.warning("as_published") for name, study in STUDIES.items()}
    assert warnings["atml19_homebrew"] == "LEAKY: slices of a track on both sides"
    assert warnings["ml_python_mlp_89"] == "LEAKY: chosen by its test part"
    assert warnings["intelligent_cnn_3layers"] == ""
    assert {study.warning("corrected") for study in STUDIES.values()} == {""}


def test_a_study_ignores_the_fold_of_the_experiment(tree):
    tree |= {"split": "kfold_10", "fold": 3}
    for variant in VARIANTS:
        assert study_tree(tree, STUDIES["gtzan_keras_2020_svm"], variant, "gtzan", 1)["fold"] == 0
    params = parse_params(tree)
    choice = {"study": "gtzan_keras_2020_svm", "variant": "corrected", "dataset": "gtzan", "seed": "1"}
    assert "no fold" not in study_values(params, ROOT / "studies.yaml", **choice)


def values_of(tree, text, path):
    """Return the values of a study whose entry in studies.yaml is `text`."""
    path.write_text(text, encoding="utf-8")
    choice = {"study": "intelligent_vgg16_ft", "variant": "as_published", "dataset": "gtzan", "seed": "1"}
    return study_values(parse_params(tree), path, **choice)


def test_study_values_hold_settings_but_no_descriptions(tree, tmp_path):
    text, path = (ROOT / "studies.yaml").read_text(encoding="utf-8"), tmp_path / "studies.yaml"
    before = values_of(tree, text, path)
    assert values_of(tree, text.replace("all tracks are split at random", "split otherwise"), path) == before
    assert values_of(tree | {"download": tree["download"] | {"retries": 9}}, text, path) == before
    for old, new in (
        ("representations.mel.window: blackman\n", "representations.mel.window: hann\n"),
        (
            "ratios: [0.7, 0.1, 0.2], group_by: track}\n  watch: validation",
            "ratios: [0.6, 0.1, 0.3], group_by: track}\n  watch: validation",
        ),
        ("watch: validation\n  values: *mel_images", "watch: test\n  values: *mel_images"),
    ):
        assert old in text
        assert values_of(tree, text.replace(old, new), path) != before


def test_study_values_hold_the_state_of_a_users_weights_file(tree, tmp_path):
    text = (ROOT / "studies.yaml").read_text(encoding="utf-8")
    tree["models"]["vgg16_ft_published"]["backbone"]["weights"] = str(tmp_path / "w.h5")
    states = set()
    for layer in (b"input_1", b"input_123"):
        with h5py.File(tmp_path / "w.h5", "w") as file:
            file.attrs["layer_names"] = [layer, b"block1_conv1", b"block5_conv3"]
        os.utime(tmp_path / "w.h5", ns=(len(layer), len(layer)))
        states.add(values_of(tree, text, tmp_path / "studies.yaml"))
    assert len(states) == 2
    assert all("no layer" not in state for state in states)


def test_a_study_that_does_not_fit_the_data_set_is_left_out(tree):
    with pytest.raises(LeftOutError, match="spectrograms holds mel frames and no audio"):
        study_tree(tree, STUDIES["gtzan_keras_2020_svm"], "corrected", "spectrograms", 1)
    small = STUDIES["gtzan_keras_2018_vgg16"].model_copy(update={"values": {"slices.seconds": 0.5}})
    with pytest.raises(LeftOutError, match=r"can't take mel: images of 128 bins x 22 frames are too small$"):
        study_tree(tree, small, "as_published", "gtzan", 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "studies.yaml: empty; expected a mapping of names to studies. Hint: "),
        ("[one, two]", r"studies.yaml: \['one', 'two'\] is not a mapping"),
        ("word", "studies.yaml: 'word' is not a mapping"),
        ("one: word\ntwo: {project: 3}", "studies.yaml: one: "),
        ("3: {project: one}", r"studies.yaml: 3\..*string"),
        ("one: word", "studies.yaml: one: "),
        ("{", "studies.yaml: not YAML: "),
    ],
)
def test_an_invalid_studies_file_is_refused(tmp_path, text, message):
    (tmp_path / "studies.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ParameterError, match=message):
        load_studies(tmp_path / "studies.yaml")


def test_names_are_checked_before_anything_runs(tree, project_dir):
    check_studies(parse_params(tree), project_dir / "studies.yaml")
    tree["as_published"]["studies"] = ["pons_time", "pons_tim"]
    with pytest.raises(ParameterError, match=r"as_published.studies: 'pons_tim' is unknown.*'pons_time'"):
        check_studies(parse_params(tree), project_dir / "studies.yaml")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("published", 100.5, r"studies.yaml: one.published.*: Input should be less than or equal to 100"),
        ("level", "song", r"studies.yaml: one.level: .*'slice' or 'track'"),
        ("publishd", 1.0, r"studies.yaml: one.publishd: Extra.*did you mean 'published'"),
        ("split", {"protocol": "kfold", "k": 3, "group_by": "track"}, r"studies.yaml: one.split: .*'kfold'"),
        ("values", {"slices.secnds": 3.0}, r"studies.yaml: slices.secnds: unknown key.*'seconds'"),
        ("values", {"slicez.seconds": 3.0}, r"studies.yaml: slicez.seconds: no such key"),
        ("values", {"slices.seconds": -3.0}, r"studies.yaml: slices.seconds: -3.0: .*greater than 0"),
        ("model", "cnn_2021", r"model: 'cnn_2021' is not a key of `models`"),
    ],
)
def test_an_invalid_value_is_reported_with_its_key(tree, tmp_path, key, value, message):
    own = STUDIES["atml19_homebrew"].model_dump() | {key: value}
    (tmp_path / "studies.yaml").write_text(yaml.safe_dump({"one": own}), encoding="utf-8")
    with pytest.raises(ParameterError, match=message):
        study_tree(tree, load_studies(tmp_path / "studies.yaml")["one"], "corrected", "gtzan", 1)


def test_an_unknown_study_is_refused():
    with pytest.raises(ParameterError, match=r"'atml19_homebrw' is unknown.*did you mean 'atml19_homebrew'"):
        choose(STUDIES, "atml19_homebrw")
