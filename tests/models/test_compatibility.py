"""Which models accept which representations, and what is refused before any work starts."""

from __future__ import annotations

from pathlib import Path

import h5py
import pytest

from genredag.errors import ParameterError
from genredag.models.backbones import RESNET18
from genredag.models.catalogue import ids_of
from genredag.models.compatibility import (
    check_experiment,
    matrix_pairs,
    obtain_encoders,
    obtain_weights,
)
from genredag.params.loading import parse_params


def with_values(tree: dict, **values: object) -> dict:
    """Set keys of a tree; ``__`` stands for the dot, a dict is merged."""
    for key, value in values.items():
        *path, last = key.split("__")
        node = tree
        for part in path:
            node = node[part]
        node[last] = node[last] | value if isinstance(value, dict) else value
    return tree


def pairs(tree: dict, models: list[str], representations: list[str], **values: object):
    matrix = {"matrix__model": models, "matrix__representation": representations}
    return matrix_pairs(parse_params(with_values(tree, **matrix, **values)))


def test_models_on_features_take_handcrafted_and_networks_on_slices_take_spectrograms(tree):
    found = pairs(tree, ["crnn", "mlp_85", "svm_rbf", "svm_rbf_published"], ["mel", "handcrafted"])
    assert found.built == [
        ("mel", "crnn"),
        ("handcrafted", "mlp_85"),
        ("mel", "svm_rbf"),
        ("handcrafted", "svm_rbf"),
        ("handcrafted", "svm_rbf_published"),
    ]
    assert [line.split(" (")[0] for line in found.left_out] == [
        "not built on handcrafted: crnn",
        "not built on mel: mlp_85",
        "not built on mel: svm_rbf_published",
    ]


def test_textures_need_a_spectrogram(tree):
    found = pairs(tree, ["best"], ["mel", "chroma_stft", "handcrafted"])
    assert found.built == [("mel", "best"), ("chroma_stft", "best")]
    (line,) = found.left_out
    assert line.startswith(
        "not built on handcrafted: best (handcrafted is not a spectrogram; expected one of"
    )


def test_embeddings_are_for_estimators_and_networks_on_means(tree):
    found = pairs(tree, ["crnn", "best", "mlp_embedding", "svm_rbf"], ["mel", "musicnn"])
    on_musicnn = [model for representation, model in found.built if representation == "musicnn"]
    assert on_musicnn == ["mlp_embedding", "svm_rbf"]


def test_encoders_of_the_user_are_checked_before_any_job(tree, onnx_encoder, tmp_path):
    own = {"kind": "onnx", "path": str(onnx_encoder), "sr": 16_000, "window": 1.0, "layer": "embedding"}
    tree["representations"] |= {"mine": own, "wrong": own | {"layer": "none"}}
    assert pairs(tree, ["mlp_embedding"], ["mine"]).built == [("mine", "mlp_embedding")]
    obtain_encoders(parse_params(tree), ["mel", "mine"], tmp_path)
    with pytest.raises(ParameterError, match="no output 'none'"):
        obtain_encoders(parse_params(tree), ["wrong"], tmp_path)


def test_missing_weights_of_an_encoder_name_their_key(tree, tmp_path):
    tree["representations"]["musicnn"]["weights"] = str(tmp_path / "missing.whl")
    with pytest.raises(ParameterError, match=r"^params.yaml: representations.musicnn: .*no such file"):
        obtain_encoders(parse_params(tree), ["musicnn"], tmp_path)


def test_models_left_out_for_the_same_reason_share_a_line(tree):
    found = pairs(tree, ["mlp_30", "mlp_42"], ["mel", "stft", "handcrafted"])
    assert found.left_out == [
        "not built on mel, stft: mlp_30, mlp_42 (the frames have no mfcc_1; "
        "expected the representation handcrafted)"
    ]


def test_a_network_is_left_out_if_its_slices_are_too_small(tree):
    found = pairs(tree, ["homebrew"], ["mel", "cqt"], representations__cqt__n_bins=60)
    assert found.built == [("mel", "homebrew")]
    assert found.left_out == [
        "not built on cqt: homebrew (slices of 60 bins x 130 frames are too small; "
        "expected at least 72 bins x 8 frames)"
    ]


def test_the_matrix_of_the_project_leaves_nothing_out(tree):
    found = matrix_pairs(parse_params(tree))
    assert len(found.built) == len(tree["matrix"]["model"]) * len(tree["matrix"]["representation"])
    assert found.left_out == []


def test_every_id_can_be_built_on_a_spectrogram_or_on_features(tree):
    ids = ids_of(parse_params(tree).models, published=True)
    assert set(tree["models"]) - set(ids) == {"musicnn_ft"}
    found = pairs(tree, ids, ["mel", "handcrafted"])
    assert {model for _, model in found.built} == set(ids)


def test_the_last_layers_of_an_encoder_need_its_pooled_features(tree):
    tree["representations"]["musicnn"]["layer"] = "pooled"
    assert pairs(tree, ["musicnn_ft"], ["musicnn", "mel"]).built == [("musicnn", "musicnn_ft")]


@pytest.mark.parametrize(
    ("models", "representations", "message"),
    [
        (
            ["crnn", "mlp_85"],
            ["stft", "mel"],
            r"'mlp_85' can take none of stft, mel: the frames have no mfcc_1",
        ),
        (["crnn"], ["handcrafted"], r"'crnn' can take none of handcrafted: handcrafted is not a spectrogram"),
    ],
)
def test_a_model_without_a_representation_is_refused(tree, models, representations, message):
    with pytest.raises(ParameterError, match=rf"params.yaml: matrix.model: {message}") as caught:
        pairs(tree, models, representations)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"model": "mlp_85"},
            r"model: 'mlp_85' can't take mel: the frames have no mfcc_1; expected the repr",
        ),
        (
            {"model": "crnn", "representation": "handcrafted"},
            r"'crnn' can't take handcrafted: handcrafted is not a spectrogram",
        ),
        (
            {"model": "mlp_30", "representation": "handcrafted", "representations__handcrafted__n_mfcc": 29},
            r"'mlp_30' can't take handcrafted: the frames have no mfcc_30",
        ),
        (
            {"model": "homebrew", "slices__seconds": 0.15},
            r"'homebrew' can't take mel: slices of 128 bins x 7 frames are too small; .*72 bins x 8 frames",
        ),
        (
            {"model": "frequency", "models__frequency__options": {"filter_bins": 129}},
            r"slices of 128 bins x 130 frames are too small; expected at least 129 bins x 1 frames",
        ),
        (
            {"model": "time", "models__time__options": {"filter_frames": 131}},
            r"slices of 128 bins x 130 frames are too small; expected at least 1 bins x 131 frames",
        ),
        (
            {"model": "vgg16_ft", "models__vgg16_ft__backbone": {"size": [16, 16]}},
            r"images of 16 bins x 16 frames are too small; expected at least 32 bins x 32 frames",
        ),
        (
            {"model": "musicnn_ft", "representation": "musicnn"},
            r"'musicnn_ft' can't take musicnn: 200 columns; expected 1506",
        ),
        (
            {"model": "homebrew", "models__homebrew__size": [71, 130]},
            r"slices of 71 bins x 130 frames are too small; expected at least 72 bins x 8 frames",
        ),
        (
            {"model": "vgg16_ft", "models__vgg16_ft__size": [217, 334]},
            r"^models.vgg16_ft.size: \[217, 334\]; expected null. Hint: set `backbone.size`",
        ),
        (
            {"model": "mlp_42", "representation": "handcrafted", "models__mlp_42__size": [217, 334]},
            r"^models.mlp_42.size: \[217, 334\]; expected null. Hint: its features are no picture",
        ),
        (
            {"model": "vgg16_ft", "models__vgg16_ft__backbone": {"weights": "no/such.h5"}},
            r"models.vgg16_ft.backbone.weights: 'no/such.h5' is not a file; expected imagenet, null",
        ),
        (
            {"model": "vgg16_ft", "train__normalisation": "none"},
            r"^params.yaml: models.vgg16_ft.backbone.preprocessing: 'imagenet' turns standardised",
        ),
        (
            {"model": "crnn", "models__crnn__options": {"dropuot": 0.1}},
            r"models.crnn.options: 'dropuot' is unknown",
        ),
        (
            {"model": "time", "models__time__options": {"filter_frames": "abc"}},
            r"^models.time.options.filter_frames: 'abc': input should be a valid integer",
        ),
        (
            {"model": "vgg16_svm", "models__vgg16_svm__classifier": {"C": [1.0, -1.0]}},
            r"^models.vgg16_svm.classifier.C: -1.0: input should be greater than 0",
        ),
        (
            {"model": "vgg16_ft", "models__vgg16_ft__backbone": {"architecture": "resnet18"}},
            r"^models.vgg16_ft.backbone.architecture: 'resnet18'; expected 'vgg16'$",
        ),
        (
            {
                "model": "mlp_85",
                "representation": "handcrafted",
                "models__mlp_85__augment": [{"kind": "time_reversal", "probability": 0.5}],
            },
            r"models.mlp_85.augment: not empty",
        ),
    ],
)
def test_an_impossible_experiment_is_refused(tree, values, message):
    with pytest.raises(ParameterError, match=message) as caught:
        check_experiment(parse_params(with_values(tree, **values)))
    assert "\n" not in str(caught.value)


def with_stack(tree: dict, *channels: str) -> dict:
    stack = {"n_bins": 128, "channels": {name: tree["representations"][name] for name in channels}}
    tree["representations"]["stack"] = stack
    return tree | {"representation": "stack"}


def test_the_stack_of_the_project_is_a_picture_for_every_network_on_slices(tree):
    on_slices = [
        name
        for name, recipe in tree["models"].items()
        if recipe["kind"] in ("network", "hybrid") and not name.startswith(("mlp_", "musicnn_"))
    ]
    assert pairs(tree, on_slices, ["stack"]).built == [("stack", name) for name in on_slices]


@pytest.mark.parametrize(
    ("channels", "values", "message"),
    [
        (
            ("mel", "cqt"),
            {"model": "vgg16_ft", "models__vgg16_ft__backbone": {"weights": None}},
            r"'vgg16_ft' can't take stack: images of 2 channels; expected 1 channel or 3",
        ),
        (
            ("mel", "cqt"),
            {"model": "crnn", "models__crnn__augment": [{"kind": "noise", "std": 1.0}]},
            r"'crnn' can't take stack: noise has one standard deviation, but the channels of stack have diff",
        ),
        (
            ("mel", "cqt"),
            {"model": "frequency", "models__frequency__options": {"filter_bins": 129}},
            r"slices of 128 bins x 130 frames are too small; expected at least 129 bins",
        ),
        (
            ("mel", "cqt"),
            {"model": "crnn", "representations__stack__channels__cqt": {"hop_length": 256}},
            r"^representations\.stack\.channels\.cqt\.hop_length: 256; expected 512, as in mel",
        ),
        (("mel", "mfcc"), {"model": "mlp_30"}, r"'mlp_30' can't take stack: the frames have no mfcc_1"),
    ],
)
def test_a_stack_that_a_model_cannot_take_is_refused(tree, channels, values, message):
    with pytest.raises(ParameterError, match=message) as caught:
        check_experiment(parse_params(with_values(with_stack(tree, *channels), **values)))
    assert "\n" not in str(caught.value)


def with_weights(tree: dict, model: str, weights: object) -> dict:
    return with_values(tree, model=model, **{f"models__{model}__backbone": {"weights": weights}})


@pytest.fixture
def weights(tmp_path):
    """A file that has the layers of VGG16, by their names."""
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs["layer_names"] = [b"input_1", b"block1_conv1", b"block5_conv3"]
    return str(tmp_path / "w.h5")


def test_a_weights_file_may_be_anywhere(tree, weights):
    check_experiment(parse_params(with_weights(tree, "vgg16_ft", weights)))


@pytest.mark.parametrize(
    ("model", "content", "message"),
    [
        ("resnet18_ft", None, r"w.h5': no layer 'bn_data'; expected weights of this architecture"),
        ("vgg16_ft", "# A page", r"w.h5': not a Keras weights file; expected HDF5"),
    ],
)
def test_a_weights_file_for_another_network_is_refused(tree, weights, model, content, message):
    if content:
        Path(weights).write_text(content, encoding="utf-8")
    where = rf"^params.yaml: models.{model}.backbone.weights: '.*"
    with pytest.raises(ParameterError, match=where + message) as caught:
        check_experiment(parse_params(with_weights(tree, model, weights)))
    assert f"models.{model}.backbone.weights=null starts from random" in str(caught.value)


def test_missing_published_weights_give_a_hint(tree, tmp_path, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(ParameterError) as caught:
        obtain_weights(parse_params(tree), ["crnn", "svm_rbf", "resnet18_ft"], tmp_path)
    line = str(caught.value)
    assert line.startswith("params.yaml: models.resnet18_ft.backbone.weights: 'imagenet': resnet18_imagenet")
    assert "\n" not in line
    for part in (
        str(tmp_path / "weights" / RESNET18.weights.name),
        "models.resnet18_ft.backbone.weights=null",
    ):
        assert part in line


def test_only_models_that_start_from_published_weights_need_a_file(tree, weights, tmp_path, monkeypatch):
    monkeypatch.setattr("genredag.models.backbones.fetch_weights", None)
    params = parse_params(with_weights(with_weights(tree, "vgg16_svm", None), "vgg16_ft", weights))
    obtain_weights(params, ["crnn", "svm_rbf", "vgg16_ft", "vgg16_svm"], tmp_path)


def test_unused_recipes_are_not_checked_for_size(tree):
    check_experiment(parse_params(with_values(tree, models__frequency__options={"filter_bins": 5000})))


def test_frames_of_unknown_size_are_left_to_training(tree):
    own = {"dataset": "spectrograms", "matrix__dataset": ["spectrograms"], "matrix__representation": ["mel"]}
    options = {"filter_bins": 129}
    tree = with_values(tree, model="frequency", models__frequency__options=options, **own)
    assert ("mel", "lstm_windows") in matrix_pairs(parse_params(tree)).built


@pytest.mark.parametrize("key", ["label_issues", "learning_curves"])
def test_models_of_other_audits_are_paired_in_the_same_way(tree, key):
    values = {
        f"{key}__representation": ["handcrafted", "mel"],
        f"{key}__model": ["crnn", "svm_rbf"],
    }
    found = matrix_pairs(parse_params(with_values(tree, **values)), key)
    assert found.built == [("mel", "crnn"), ("handcrafted", "svm_rbf"), ("mel", "svm_rbf")]


def test_robustness_models_are_paired_in_the_same_way(tree):
    values = {
        "robustness__model": ["cnn_370k", "svm_rbf"],
        "robustness__representation": ["handcrafted", "mel"],
    }
    found = matrix_pairs(parse_params(with_values(tree, **values)), "robustness")
    assert found.built == [("mel", "cnn_370k"), ("handcrafted", "svm_rbf"), ("mel", "svm_rbf")]
    tree["robustness"]["representation"] = ["handcrafted"]
    with pytest.raises(ParameterError, match=r"robustness.model: 'cnn_370k' can take none of handcrafted"):
        matrix_pairs(parse_params(tree), "robustness")
