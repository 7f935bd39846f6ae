"""Derived files: up to date with their sources, and generated from them."""

from __future__ import annotations

import json

import jsonschema
import pytest
import yaml

from genredag.errors import GenredagError
from genredag.models.registry import learner
from genredag.params.tree import flatten
from genredag.project.generate import drift, parameters_page, readme


def test_derived_files_are_up_to_date(project_dir):
    assert drift(project_dir) == [], "run `genredag generate`"


def test_every_leaf_of_params_yaml_has_a_line_with_its_bounds(project_dir):
    page = parameters_page(project_dir / "params.yaml")
    tree = yaml.safe_load((project_dir / "params.yaml").read_text(encoding="utf-8"))
    assert [key for key in (".".join(leaf) for leaf, _ in flatten(tree)) if f"| `{key}` |" not in page] == []
    assert (
        "| `slices.overlap` | `0.5` | number, ≥ 0, < 1 | share of a slice that overlaps the next one |"
        in page
    )


@pytest.mark.parametrize(
    ("key", "bounds"),
    [
        ("homebrew.options.momentum", "number, ≥ 0, < 1"),
        ("random_forest.options.max_depth", "integer, ≥ 1 or null or list of integer, ≥ 1 or null"),
        ("vgg16_svm.classifier.gamma", "number, > 0 or `scale` or `auto` or list of number, > 0 or `scale`"),
    ],
)
def test_options_have_the_types_of_their_builders(project_dir, key, bounds):
    page = parameters_page(project_dir / "params.yaml")
    (line,) = [line for line in page.splitlines() if line.startswith(f"| `models.{key}` |")]
    assert f" | {bounds}" in line and f" in `{learner(key.split('.')[0]).build.__module__}` |" in line


def test_the_schema_refuses_what_the_model_refuses(project_dir):
    schema = json.loads((project_dir / "params.schema.json").read_text(encoding="utf-8"))
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == set(schema["properties"])


def test_the_schema_accepts_the_file(project_dir, tree):
    schema = json.loads((project_dir / "params.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(tree, schema)
    tree["models"]["crnn"]["epoch"] = 5
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tree, schema)


def test_the_readme_has_the_graph_between_its_marks(tmp_path, monkeypatch):
    monkeypatch.setattr("genredag.project.generate.rule_graph", lambda project: "flowchart LR")
    (tmp_path / "README.md").write_text("# Title\n<!-- begin dag -->\nold\n<!-- end dag -->\nThe end.\n")
    assert "```mermaid\nflowchart LR\n```" in readme(tmp_path)
    assert "old" not in readme(tmp_path)
    (tmp_path / "README.md").write_text("# Title\n")
    with pytest.raises(GenredagError, match="no <!-- begin dag -->"):
        readme(tmp_path)
