"""The layout of params.yaml: merged values are not repeated, short lists take one line, comments are kept."""

from __future__ import annotations

import json

import pytest
import yaml
from dvc.utils.hydra import apply_overrides
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml.comments import CommentedMap

from genredag.params.tree import differences, flatten
from genredag.project.tidying import WIDTH, inherited, load, tidied

SHARED = "a: &a {x: 1, y: 2.0}\n"


@pytest.fixture(scope="module")
def text(project_dir) -> str:
    """Give the text of params.yaml."""
    return (project_dir / "params.yaml").read_text(encoding="utf-8")


def test_the_file_is_tidy_and_its_lines_are_short(text):
    assert tidied(text) == text
    assert max(len(line) for line in text.splitlines()) <= 110


def test_no_model_merges_a_whole_map(text):
    """Setting a key of it with `dvc exp run -S` would set it in all models that merge the map."""
    nodes = [node for model in load(text)["models"].values() for node in (model, *model.values())]
    maps = [node for node in nodes if isinstance(node, CommentedMap)]
    assert [value for node in maps for value in inherited(node).values() if isinstance(value, dict)] == []


def test_dvc_changes_no_other_value_and_its_expansions_are_undone(tmp_path, text):
    # A key that the model merges, one of its own, one of a map that merges, one of a map that doesn't, none.
    changes = {
        "models.lstm.batch_size": 64,
        "models.crnn.epochs": 5,
        "models.homebrew_published.schedule.factor": 0.5,
        "models.crnn.options.units": 64,
        "seed": 7,
    }
    path, before = tmp_path / "params.yaml", yaml.safe_load(text)
    old = {key: dict(flatten(before))[tuple(key.split("."))] for key in changes}
    path.write_text(text, encoding="utf-8")
    apply_overrides(path, [f"{key}={value}" for key, value in changes.items()])
    written = path.read_text(encoding="utf-8")
    for after in (written, tidied(written)):
        assert differences(before, yaml.safe_load(after)) == {
            tuple(key.split(".")): (old[key], value) for key, value in changes.items()
        }
    assert len(written.splitlines()) > 1000 > len(tidied(written).splitlines())
    apply_overrides(path, [f"{key}={value}" for key, value in old.items()])
    again = tidied(path.read_text(encoding="utf-8"))
    # Twice written by DVC, the file lacks the blank line after `matrix`.
    assert list(filter(None, again.splitlines())) == list(filter(None, text.splitlines()))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("b: {<<: *a, x: 1, z: 3}\n", "b: {<<: *a, z: 3}\n"),
        ("b:\n  <<: *a\n  x: 1\n  y: 3.0\n", "b:\n  <<: *a\n  y: 3.0\n"),
        # Another type is another value.
        ("b: {<<: *a, x: 1.0, y: 2}\n", "b: {<<: *a, x: 1.0, y: 2}\n"),
        ("b: &b {<<: *a, x: 1, y: 3}\nc: {<<: *b, x: 1, y: 3}\n", "b: &b {<<: *a, y: 3}\nc: {<<: *b}\n"),
        # A comment on a line of its own moves to the key before; one beside the value keeps the key.
        ("b:\n  <<: *a\n  z: 3\n  x: 1\n# c\nc: 4\n", "b:\n  <<: *a\n  z: 3\n# c\nc: 4\n"),
        ("b:\n  <<: *a\n  x: 1  # one\n  z: 3\n", "b:\n  <<: *a\n  x: 1  # one\n  z: 3\n"),
        ("b:\n  <<: *a\n  x: 1\n# c\nc: 4\n", "b:\n  <<: *a\n  x: 1\n# c\nc: 4\n"),
        ("b:\n  <<: *a\n  z: 3 # z\n  x: 1\n# c\n", "b:\n  <<: *a\n  z: 3 # z\n  x: 1\n# c\n"),
        ("b:\n- 1\n- 2\n\n# c\nc:\n- e: 5\n  f: 6\n", "b: [1, 2]\n\n# c\nc: [{e: 5, f: 6}]\n"),
        ("b:\n  - 1  # one\n  - 2\n", "b:\n  - 1  # one\n  - 2\n"),
        (f"b: [{'x' * 60}, {'y' * 60}]\n", f"b:\n  - {'x' * 60}\n  - {'y' * 60}\n"),
        ("b:\n- c: 1\n  d: 2\n# e\ne:\n", "b: [{c: 1, d: 2}]\n# e\ne: null\n"),
    ],
)
def test_layout(written, expected):
    assert tidied(SHARED + written) == SHARED + expected
    assert tidied(SHARED + expected) == SHARED + expected


values = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["a", "b c", "1", "null", "x: y"])
maps = st.dictionaries(st.sampled_from("pqrs"), values | st.lists(values, max_size=3), max_size=4)


@given(shared=maps, more=maps, first=maps, second=maps)
def test_tidying_changes_no_value_and_is_idempotent(shared, more, first, second):
    parts = (("one", shared, ""), ("two", more, "*one"), ("three", first, "*two"), ("four", second, "*one"))
    text = ""
    for name, own, merged in parts:
        first_line = f"<<: {merged}" if merged else "k: 0"
        lines = [first_line, *(f"{key}: {json.dumps(value)}" for key, value in own.items())]
        text += f"{name}: &{name}\n" + "".join(f"  {line}\n" for line in lines) + f"# after {name}\n"
    after = tidied(text)
    assert yaml.safe_load(after) == yaml.safe_load(text)
    assert tidied(after) == after
    assert after.count("# after") == 4
    assert all(len(line) <= WIDTH for line in after.splitlines())
