"""`genredag set` changes values in place, keeps comments, and refuses invalid values before writing."""

from __future__ import annotations

import pytest
import yaml

from genredag.errors import ParameterError
from genredag.params.loading import load_params, parse_params
from genredag.params.tree import differences
from genredag.project.editing import set_values


@pytest.fixture
def params_file(tmp_path, project_dir):
    path = tmp_path / "params.yaml"
    path.write_text((project_dir / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    return path


def test_values_change_and_comments_stay(params_file):
    before = params_file.read_text(encoding="utf-8")
    set_values(
        params_file, ["slices.seconds=5", "matrix.model=[crnn, lstm]", "datasets.gtzan.path=/my/gtzan"]
    )
    params = load_params(params_file)
    assert (params.slices.seconds, params.matrix.model) == (5.0, ["crnn", "lstm"])
    assert params.datasets.gtzan.path == "/my/gtzan"
    after = params_file.read_text(encoding="utf-8")
    assert after.count("#") == before.count("#")
    assert "seconds: 5.0" in after


def test_setting_a_value_to_itself_changes_nothing_else(params_file):
    before = params_file.read_text(encoding="utf-8")
    set_values(params_file, [f"seed={yaml.safe_load(before)['seed']}"])
    assert params_file.read_text(encoding="utf-8") == before


def _inherited(tree: dict) -> list[tuple[str, str, int]]:
    """Return a whole number of each model that it may copy from `shared`: model, key, value."""
    keys = {name: "epochs" if "epochs" in recipe else "folds" for name, recipe in tree["models"].items()}
    return [(name, key, tree["models"][name][key]) for name, key in keys.items()]


def test_a_model_can_be_set_and_set_back_without_a_trace(params_file):
    text = params_file.read_text(encoding="utf-8")
    before = yaml.safe_load(text)
    values = _inherited(before)
    for name, key, value in [("lstm_windows", "epochs", 40), ("crnn", "epochs", 10)]:
        set_values(params_file, [f"models.{name}.{key}={value + 1}"])
        after = params_file.read_text(encoding="utf-8")
        assert differences(before, yaml.safe_load(after)) == {("models", name, key): (value, value + 1)}
        set_values(params_file, [f"models.{name}.{key}={value}"])
        assert params_file.read_text(encoding="utf-8") == text
    set_values(params_file, [f"models.{name}.{key}={value + 1}" for name, key, value in values])
    assert differences(before, yaml.safe_load(params_file.read_text(encoding="utf-8"))) == {
        ("models", name, key): (value, value + 1) for name, key, value in values
    }
    set_values(params_file, [f"models.{name}.{key}={value}" for name, key, value in values])
    assert params_file.read_text(encoding="utf-8") == text


def test_setting_an_inherited_key_adds_one_line_in_the_same_place(params_file):
    before = params_file.read_text(encoding="utf-8").splitlines()
    set_values(params_file, ["models.crnn_windows.patience=5", "models.vgg16_ft.backbone.size=64"])
    after = params_file.read_text(encoding="utf-8")
    assert "    epochs: 30\n    patience: 5\n    options: {units: 128, dropout: 0.1}\n\n  # Pons" in after
    assert "backbone: {<<: *imagenet, size: 64, architecture: vgg16, frozen_layers: 11, embed: true}" in after
    assert len(after.splitlines()) == len(before) + 1


def test_a_shared_value_reaches_the_models_that_copy_it(params_file):
    before = yaml.safe_load(params_file.read_text(encoding="utf-8"))
    set_values(params_file, ["shared.mlp.epochs=50"])
    after = yaml.safe_load(params_file.read_text(encoding="utf-8"))
    tuned = [name for name in before["models"] if name.startswith("mlp_") and "published" not in name]
    assert differences(before, after) == {("models", name, "epochs"): (100, 50) for name in tuned}
    with pytest.raises(ParameterError, match=r"shared.mlp.options"):
        parse_params({**before, "shared": {"mlp": {"options": {"dropout": 0.1}}}})


def test_a_merged_mapping_is_changed_in_one_model_only(params_file):
    text = params_file.read_text(encoding="utf-8").replace("  crnn:\n", "  crnn: &crnn\n")
    head, _, tail = text.partition("  crnn_windows:\n    <<: *network\n")
    own = "    options: {units: 128, dropout: 0.1}\n"
    text = f"{head}  crnn_windows:\n    <<: *crnn\n{tail.replace(own, '', 1)}"
    params_file.write_text(text, encoding="utf-8")
    before = yaml.safe_load(text)
    key = "models.crnn_windows.options.units"
    set_values(params_file, [f"{key}=64"])
    after = params_file.read_text(encoding="utf-8")
    assert differences(before, yaml.safe_load(after)) == {tuple(key.split(".")): (128, 64)}
    set_values(params_file, [f"{key}=128"])
    assert yaml.safe_load(params_file.read_text(encoding="utf-8")) == before


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("slices.seconds", "is not an assignment"),
        ("slices.secnds=5", "slices.secnds: no such key. Hint: one of seconds"),
        ("slices.seconds.x=5", "this is a value, not a group"),
        ("slices.overlap=-1.0", "slices.overlap: -1.0"),
        ("model=crn", "did you mean 'crnn'"),
    ],
)
def test_an_invalid_assignment_leaves_the_file_unchanged(params_file, assignment, message):
    before = params_file.read_bytes()
    with pytest.raises(ParameterError, match=message):
        set_values(params_file, ["seed=1", assignment])
    assert params_file.read_bytes() == before


def test_an_unknown_study_is_refused_if_there_is_a_studies_file(params_file, project_dir):
    before = params_file.read_bytes()
    (params_file.parent / "studies.yaml").write_bytes((project_dir / "studies.yaml").read_bytes())
    with pytest.raises(ParameterError, match=r"'pons_tim' is unknown.*did you mean 'pons_time'"):
        set_values(params_file, ["as_published.studies=[pons_tim]"])
    assert params_file.read_bytes() == before
