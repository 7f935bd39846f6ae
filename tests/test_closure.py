"""The import closure of a script, on a small made-up package."""

from __future__ import annotations

import pytest

from genredag.closure import import_closure

FILES = {
    "src/genredag/__init__.py": "",
    "src/genredag/a.py": "from genredag.b import x",
    "src/genredag/b.py": "import numpy\nx = 1",
    "src/genredag/unused.py": "",
    "src/genredag/typing_only.py": "",
    "src/genredag/late.py": "",
    "src/genredag/zoo/__init__.py": "",
    "src/genredag/zoo/registry.py": "import pkgutil\nimport genredag.zoo",
    "src/genredag/zoo/lion.py": "from genredag import late",
    "src/genredag/zoo/templates/page.html.j2": "",
    "src/genredag/zoo/__pycache__/lion.pyc": "",
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
    assert closure(project, "from genredag.a import y") == {"__init__.py", "a.py", "b.py"}


def test_imports_inside_functions_count_and_imports_for_type_checkers_do_not(project):
    script = """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from genredag import typing_only
def f():
    import genredag.b
"""
    assert closure(project, script) == {"__init__.py", "b.py"}


def test_a_registry_pulls_in_its_package_and_the_packages_data(project):
    assert closure(project, "from genredag.zoo.registry import lions") == {
        "__init__.py",
        "late.py",
        "zoo/__init__.py",
        "zoo/registry.py",
        "zoo/lion.py",
        "zoo/templates/page.html.j2",
    }


def test_a_script_without_the_package(project):
    assert closure(project, "import json") == set()
