"""Parameter counts for ten genres, as published by the sources or derived from their layers."""

import json
from collections.abc import Iterator

import pytest
import yaml
from typer.testing import CliRunner

from genredag.cli import app
from genredag.errors import ParameterError
from genredag.models import catalogue as module
from genredag.models.catalogue import catalogue
from genredag.models.registry import learners
from genredag.params.loading import load_params, parse_params

# At the published input, and at 128 bins x 130 frames. Batch normalisation counts its moving statistics: 640
# of homebrew, 7,942 of ResNet-18.
COUNTS = {
    "black_box": (3_275_714, 22_834_114),
    "time": (8_682, 14_026),
    "frequency": (3_946, 11_946),
    "time_frequency": (197_218, 399_042),
    "time_frequency_init": (197_218, 399_042),
    "lidy_shallow": (2_060_642, None),
    "schindler_deep": (1_283_362, None),
    "cnn_2layers": (23_941_502, 7_671_038),
    "cnn_3layers": (947_614, 225_566),
    "cnn_370k": (370_090, 370_090),
    "lstm": (2_648_394, 2_648_394),
    "crnn": (338_122, 338_122),
    "lstm_windows": (237_130, 237_130),
    "crnn_windows": (338_122, 338_122),
    "cnn2d_2018": (171_594, 171_594),
    "cnn_2020": (2_495_114, 2_495_114),
    "homebrew": (6_441_718 + 640, None),
    "homebrew_deeper": (2_680_246 + 768, None),
    "vgg16_ft": (30_510_794, 18_976_458),
    "vgg16_svm": (30_510_794, 18_976_458),
    "vgg16_gtzan": (16_814_666, 16_814_666),
    "resnet18_frozen": (11_186_889 + 5_130, 11_186_889 + 5_130),
    "resnet18_ft": (11_186_889 + 5_130, 11_186_889 + 5_130),
    "squeezenet_frozen": (722_496 + 5_130, 722_496 + 5_130),
    "squeezenet_ft": (722_496 + 5_130, 722_496 + 5_130),
    "mlp_85": (27_620, None),
}


@pytest.fixture(scope="module", autouse=True)
def counted_once() -> Iterator[None]:
    """Build each network once, whichever test asks first for its number of weights."""
    count, known = module._count, {}

    def remembered(learner, recipe, shape):
        key = learner.name, repr(recipe), shape
        if key not in known:
            known[key] = count(learner, recipe, shape)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_count", remembered)
        yield


@pytest.fixture(scope="module")
def rows(project_dir):
    return {row["id"]: row for row in catalogue(load_params(project_dir / "params.yaml").models)}


def test_every_learner_has_a_row(rows):
    assert list(rows) == list(learners())
    assert {row["kind"] for row in rows.values()} == {"network", "estimator", "hybrid", "ensemble"}


def test_estimators_name_their_features_and_ensembles_their_members(rows):
    assert rows["svm_rbf"]["features"] == ["features_133", "bin_statistics"]
    assert rows["lda_textures"]["features"] == ["textures"]
    assert rows["lda_patches"]["features"] == ["patches"]
    assert rows["best"]["features"] == ["lda_textures", "lda_patches"]
    assert rows["crnn"]["features"] == []


def test_an_invalid_value_is_reported(tree):
    tree["models"]["time"]["options"]["filter_frames"] = "abc"
    with pytest.raises(ParameterError, match=r"^models\.time\.options\.filter_frames: 'abc'"):
        catalogue(parse_params(tree).models)


@pytest.mark.parametrize("name", COUNTS)
def test_counts(rows, name):
    published, ours = COUNTS[name]
    assert published in (None, rows[name]["parameters"])
    assert ours in (None, rows[name]["parameters_128x130"])


def test_only_networks_have_a_parameter_count(rows):
    for row in rows.values():
        uncounted = row["kind"] in ("estimator", "ensemble")
        assert (row["parameters"] is None) == uncounted
        assert (row["parameters_128x130"] is None) == (
            uncounted or row["id"].startswith(("mlp_", "musicnn_"))
        )


@pytest.mark.parametrize("published", [[], ["--published"]])
def test_ids_are_a_list_for_the_matrix(project_dir, monkeypatch, published):
    monkeypatch.chdir(project_dir)
    result = CliRunner().invoke(app, ["models", "--ids", *published])
    ids = yaml.safe_load(result.output)
    recipes = load_params(project_dir / "params.yaml").models
    expected = [name for name in recipes if published or not name.endswith("_published")]
    assert ids == [name for name in expected if name != "musicnn_ft"]


def test_a_learner_without_a_recipe_is_listed():
    assert {row["parameters"] for row in catalogue({})} == {None}


@pytest.mark.parametrize("arguments", [["models"], ["models", "--json"]])
def test_the_command_lists_all(project_dir, monkeypatch, arguments):
    monkeypatch.chdir(project_dir)
    monkeypatch.setattr("os.environ", dict(__import__("os").environ))
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0
    if "--json" in arguments:
        assert {row["id"]: row["parameters"] for row in json.loads(result.output)}["crnn"] == 338_122
    else:
        assert all(name in result.output for name in learners())
        assert "windows of 128 x 130 x 1" in result.output
        assert "338,122" in result.output and ".772 on tracks" in result.output
