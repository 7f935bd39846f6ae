"""The import closure of a script, on a small example package."""

from __future__ import annotations

import pytest

from genredag.runtime.closure import code_fingerprint, import_closure, is_empty, unused_imports

FILES = {
    "src/genredag/__init__.py": "",
    "src/genredag/a.py": "from genredag.b import x",
    "src/genredag/b.py": "import numpy\nx = 1",
    "src/genredag/unused.py": "",
    "src/genredag/typing_only.py": "",
    "src/genredag/late.py": "",
    "src/genredag/zoo/__init__.py": "",
    "src/genredag/zoo/registry.py": "import pkgutil\nimport genredag.zoo.animals",
    "src/genredag/zoo/animals/__init__.py": "",
    "src/genredag/zoo/animals/lion.py": "from genredag import late",
    "src/genredag/zoo/animals/bear.py": "from genredag import b",
    "src/genredag/zoo/templates/page.html.j2": "",
    "src/genredag/zoo/animals/__pycache__/lion.pyc": "",
}


@pytest.fixture
def project(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def closure(project, text: str) -> set[str]:
    script = project / "script.py"
    script.write_text(text)
    return {
        p.relative_to(project / "src/genredag").as_posix() for p in import_closure(script, project / "src")
    }


def test_imports_are_followed(project):
    assert closure(project, "from genredag.a import y") == {"a.py", "b.py"}


def test_names_that_the_package_offers_are_not_what_a_stage_uses(project):
    lazy = "def __getattr__(name):\n    from genredag import a\n    return a"
    (project / "src/genredag/__init__.py").write_text(lazy)
    assert closure(project, "import genredag.b") == {"b.py"}


def test_imports_inside_functions_count_and_imports_for_type_checkers_do_not(project):
    script = """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from genredag import typing_only
def f():
    import genredag.b
"""
    assert closure(project, script) == {"b.py"}


def test_a_registry_pulls_in_its_package_and_the_packages_data(project):
    assert closure(project, "from genredag.zoo.registry import lions") == {
        "b.py",
        "late.py",
        "zoo/__init__.py",
        "zoo/animals/__init__.py",
        "zoo/animals/bear.py",
        "zoo/animals/lion.py",
        "zoo/registry.py",
        "zoo/templates/page.html.j2",
    }


def test_members_of_a_registry_that_are_not_used_do_not_count(project):
    script = project / "script.py"
    script.write_text("from genredag.zoo.registry import lions")
    members = ["genredag.zoo.animals.bear", "genredag.zoo.animals.lion"]
    unused = unused_imports("genredag.zoo.registry", members, members[1], project / "src")
    found = {path.name for path in import_closure(script, project / "src", unused)}
    assert {"lion.py", "late.py"} <= found
    assert not {"bear.py", "b.py"} & found


@pytest.mark.parametrize(
    ("edit", "is_same"),
    [
        ("# a comment\n{0}", True),
        ('"""Another docstring."""\n{0}', True),
        ("{0}\n\n\n", True),
        ("def f(x):\n    'Another.'\n    return x + 1", True),
        ("def f(x): return x + 2", False),
        ("{0}\ny = 'a string that is no docstring'", False),
    ],
)
def test_a_fingerprint_depends_only_on_what_the_code_does(tmp_path, edit, is_same):
    file, code = tmp_path / "a.py", 'def f(x):\n    """Add one."""\n    return x + 1'
    other = tmp_path / "b" / "a.py"
    other.parent.mkdir()
    file.write_text(code)
    other.write_text(edit.format(code))
    equal = code_fingerprint([file], tmp_path) == code_fingerprint([other], tmp_path / "b")
    assert equal is is_same


def test_a_file_with_only_a_docstring_does_not_count(tmp_path):
    (tmp_path / "a.py").write_text("x = 1")
    (tmp_path / "__init__.py").write_text('"""A package."""\n# and a comment')
    assert is_empty(tmp_path / "__init__.py") and not is_empty(tmp_path / "a.py")
    files = [tmp_path / "a.py", tmp_path / "__init__.py"]
    assert code_fingerprint(files, tmp_path) == code_fingerprint(files[:1], tmp_path)


def test_a_script_without_the_package(project):
    assert closure(project, "import json") == set()
