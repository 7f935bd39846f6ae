"""`genredag set` changes values in place, keeps comments, and refuses invalid values before writing."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import reduce
from operator import getitem
from pathlib import Path

import pytest
import yaml
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import load_yaml as dvc_load_yaml
from dvc.utils.serialize import loads_yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml.comments import CommentedMap
from snakemake.common.configfile import load_configfile
from typer.testing import CliRunner

from genredag.cli import app
from genredag.errors import ParameterError
from genredag.params.groups.reading import format_yaml, parse_yaml, read_tree
from genredag.params.loading import load_params, parse_params
from genredag.params.tree import differences
from genredag.project.editing import readings, set_values
from genredag.project.tidying import dump


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


def test_the_command_says_which_values_changed(params_file, monkeypatch):
    monkeypatch.chdir(params_file.parent)

    def told(*assignments):
        done = CliRunner().invoke(app, ["set", *assignments])
        assert done.exit_code == 0
        return done.stdout.splitlines()

    changes = [
        "matrix.seed: [42] -> [1, 2]",
        'datasets.gtzan.path: null -> "d\u00e9j\u00e0"',
        "slices.seconds: 3.0 -> 5.0",
    ]
    assert told("slices.seconds=5", "matrix.seed=[1,2]", "datasets.gtzan.path=d\u00e9j\u00e0") == changes
    assert told("slices.seconds=5") == ["No value of params.yaml changed."]
    # A value that recipes share changes in each of them.
    shared = told("shared.mlp.epochs=50")
    assert len(shared) > 2 and all(line.startswith("models.") and line.endswith("-> 50") for line in shared)


@pytest.mark.parametrize("anchor", ["", "&a "])
def test_comments_below_a_group_stay_if_all_of_it_is_set(params_file, anchor):
    before = params_file.read_text(encoding="utf-8")
    set_values(params_file, [f"datasets.folder={anchor}{{path: /my/music}}"])
    after = params_file.read_text(encoding="utf-8")
    assert after == before.replace("  folder:\n    path: null", "  folder:\n    path: /my/music") != before


def test_a_key_and_its_group_are_not_set_together(params_file):
    group = "slices={seconds: 4.0, overlap: 0.5, short_tracks: pad}"
    for assignments in (["slices.overlap=0.25", group], [group, "slices.overlap=0.25"]):
        with pytest.raises(ParameterError, match=r"^slices\.overlap: is set together with its group"):
            set_values(params_file, assignments)


def test_a_link_stays_a_link(params_file, tmp_path):
    (tmp_path / "linked").mkdir()
    link = tmp_path / "linked" / "params.yaml"
    link.symlink_to(params_file)
    set_values(link, ["slices.seconds=4"])
    assert link.is_symlink() and load_params(params_file).slices.seconds == 4


def test_a_file_without_write_permission_stays_as_it_is(params_file, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)  # root may write anything
    before = params_file.read_bytes()
    with pytest.raises(PermissionError, match="can't be written to"):
        set_values(params_file, ["slices.seconds=4"])
    assert params_file.read_bytes() == before


def test_commands_that_run_at_once_change_the_values_of_both(params_file):
    assignments = ["seed=101", "slices.seconds=4.5", "matrix.seed=[7]"]
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn")) as pool:
        for done in [pool.submit(set_values, params_file, [assignment]) for assignment in assignments]:
            done.result()
    params = load_params(params_file)
    assert (params.seed, params.slices.seconds, params.matrix.seed) == (101, 4.5, [7])
    assert [path.name for path in params_file.parent.iterdir()] == ["params.yaml"]


def test_a_name_that_is_not_utf8_is_refused(params_file):
    with pytest.raises(ParameterError, match=r"datasets.folder.path=caf\\xe9 is not UTF-8"):
        set_values(params_file, [os.fsdecode(b"datasets.folder.path=caf\xe9")])


@pytest.mark.parametrize(
    ("damage", "message"),
    [(b"seed: 3\n", "the key 'seed' is there twice"), (b"# caf\xe9\n", "expected text in UTF-8")],
)
def test_a_damaged_file_is_refused_and_left_unchanged(params_file, damage, message):
    content = params_file.read_bytes() + damage
    params_file.write_bytes(content)
    with pytest.raises(ParameterError, match=message):
        set_values(params_file, ["seed=4"])
    assert params_file.read_bytes() == content


def test_setting_a_value_to_itself_changes_nothing_else(params_file):
    before = params_file.read_text(encoding="utf-8")
    set_values(params_file, [f"seed={yaml.safe_load(before)['seed']}"])
    assert params_file.read_text(encoding="utf-8") == before


def _inherited(tree: dict) -> list[tuple[str, str, int]]:
    """Return a whole number of each model that it may copy from `shared`: model, key, value.

    Not of the members of ensembles, which copy all values of their model.
    """
    models = tree["models"]
    members = {name for recipe in models.values() for name in recipe.get("members", {})}
    single = {
        name: recipe for name, recipe in models.items() if name not in members and "members" not in recipe
    }
    keys = {name: "epochs" if "epochs" in recipe else "folds" for name, recipe in single.items()}
    return [(name, key, tree["models"][name][key]) for name, key in keys.items()]


def test_a_member_of_an_ensemble_follows_its_model_until_it_is_set(params_file):
    before = yaml.safe_load(params_file.read_text(encoding="utf-8"))
    member = ("models", "best", "members", "lda_patches", "recipe", "folds")
    set_values(params_file, ["models.lda_patches.folds=7"])
    after = yaml.safe_load(params_file.read_text(encoding="utf-8"))
    assert differences(before, after) == {("models", "lda_patches", "folds"): (5, 7), member: (5, 7)}
    set_values(params_file, [f"{'.'.join(member)}=9"])
    again = yaml.safe_load(params_file.read_text(encoding="utf-8"))
    assert differences(after, again) == {member: (7, 9)}


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
    set_values(params_file, ["models.crnn_windows.patience=5", "models.vgg16_ft.backbone.size=[64, 32]"])
    after = params_file.read_text(encoding="utf-8")
    assert "    epochs: 30\n    patience: 5\n    options: {units: 128, dropout: 0.1}\n\n  # Pons" in after
    assert (
        "backbone: {<<: *imagenet, size: [64, 32], architecture: vgg16, frozen_layers: 11, embed: true}"
        in after
    )
    assert len(after.splitlines()) == len(before) + 1


def test_a_shared_value_reaches_the_models_that_copy_it(params_file):
    before = yaml.safe_load(params_file.read_text(encoding="utf-8"))
    set_values(params_file, ["shared.mlp.epochs=50"])
    after = yaml.safe_load(params_file.read_text(encoding="utf-8"))
    tuned = [
        name for name in before["models"] if name.startswith(("mlp_", "musicnn_")) and "published" not in name
    ]
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
        ("=5", "is not an assignment"),
        ("seed=2", "seed: is set twice"),
        ("dataset=a\0b", "a NUL character"),
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


def _as_every_reader_sees_them(path: Path, keys: list[str]) -> list[list[object]]:
    """Return values as our loader, Snakemake's and DVC's read them from the file."""
    trees = [read_tree(path), load_configfile(str(path)), dvc_load_yaml(str(path))]
    return [[reduce(getitem, key.split("."), tree) for key in keys] for tree in trees]


SPELLINGS = [
    ("1e-5", 1e-5, "1.0e-05"),
    ("2E-05", 2e-5, "2.0e-05"),
    (".5", 0.5, "0.5"),
    ("+.5", 0.5, "0.5"),
    ("5.", 5.0, "5.0"),
    ("1e0", 1.0, "1.0"),
    ("0.00003", 0.00003, "0.00003"),
    ("2", 2.0, "2.0"),
]


def test_every_spelling_of_a_number_is_written_as_a_number(params_file):
    models = read_tree(params_file)["models"]
    networks = [name for name, recipe in models.items() if recipe["kind"] == "network"]
    keys = [f"models.{name}.learning_rate" for name in networks[: len(SPELLINGS)]]
    texts, values, written = zip(*SPELLINGS, strict=True)
    set_values(params_file, [f"{key}={text}" for key, text in zip(keys, texts, strict=True)])
    after = params_file.read_text(encoding="utf-8")
    assert all(f"    learning_rate: {text}\n" in after for text in written)
    for seen in _as_every_reader_sees_them(params_file, keys):
        assert seen == list(values) and {type(one) for one in seen} == {float}


NOT_YAML = [
    *("C:\\Music: mine", "[a", "*x", "!x y", "- x", "@home", "%a", "`a", '"a', "'a' b", "a: b", "{a", "? a"),
    *("music # 1", "2026 # live", "on", "12:30", "2026", "017", "1_0", "1e-3", "=", "<<", "2026-01-01"),
]


TEXT_KEYS = ["report.title", "external_songs.path", "label_issues.faults"]
TEXT_KEYS += [f"datasets.{name}.path" for name in ("folder", "gtzan", "fma_small", "fma_medium")]
TEXT_KEYS += ["datasets.spectrograms.tracks"]


@pytest.mark.parametrize("first", range(0, len(NOT_YAML), len(TEXT_KEYS)))
def test_text_that_yaml_reads_otherwise_is_text_where_the_key_wants_text(params_file, first):
    texts = NOT_YAML[first : first + len(TEXT_KEYS)]
    set_values(params_file, [f"{key}={text}" for key, text in zip(TEXT_KEYS, texts, strict=True)])
    assert _as_every_reader_sees_them(params_file, TEXT_KEYS) == [texts] * 3


def test_null_and_quotes_keep_their_meaning(params_file):
    values = {"a b": "a b", "null": None, "'null'": "null", '"a # b"': "a # b", "": None}
    keys = TEXT_KEYS[1 : 1 + len(values)]
    set_values(params_file, [f"{key}={text}" for key, text in zip(keys, values, strict=True)])
    assert _as_every_reader_sees_them(params_file, keys) == [list(values.values())] * 3


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("slices.seconds=[a", r"slices.seconds: '\[a': input should be a valid number"),
        ("slices.seconds=3 # s", r"slices.seconds: '3 # s': input should be a valid number"),
        ("matrix.model=[crnn", r"matrix.model: '\[crnn': .*valid list"),
        ("train.threads=1e0", r"train.threads: 1.0: .*valid integer"),
    ],
)
def test_text_is_refused_where_the_key_wants_a_number_or_a_list(params_file, assignment, message):
    before = params_file.read_bytes()
    with pytest.raises(ParameterError, match=message) as caught:
        set_values(params_file, [assignment])
    assert "\n" not in str(caught.value)
    assert params_file.read_bytes() == before


NUMBERS = st.floats(min_value=5e-324, max_value=1e9)
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1)
PATHS = NAMES.map(lambda name: f"~/{name}/x")


@settings(max_examples=3)
@given(st.lists(NUMBERS, min_size=30, unique=True), PATHS)
def test_numbers_and_paths_are_the_same_for_every_reader(project_dir, numbers, path):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "params.yaml"
        file.write_bytes((project_dir / "params.yaml").read_bytes())
        set_values(file, [f"leakage_audit.svm.C={numbers}", f"datasets.folder.path={path}"])
        keys = ["leakage_audit.svm.C", "datasets.folder.path"]
        assert _as_every_reader_sees_them(file, keys) == [[numbers, path]] * 3
        apply_overrides(file, [f"models.crnn.learning_rate={min(numbers[0], 10.0)!r}"])
        assert load_params(file).models["crnn"].learning_rate == min(numbers[0], 10.0)


@given(st.floats(allow_nan=False, allow_infinity=False), NAMES)
def test_scalars_are_written_for_every_reader(number, name):
    tree = {"number": number, "text": name, "both": [number, name], "whole": 3}
    for text in (dump(CommentedMap(tree)), format_yaml(tree)):
        assert [parse_yaml(text, ""), yaml.safe_load(text), loads_yaml(text)] == [tree] * 3


@given(st.floats(allow_nan=False, allow_infinity=False), PATHS)
def test_assigned_text_is_read_as_what_it_is(number, path):
    assert readings(repr(number))[0] == number
    assert path in readings(path)
