"""The import closure of a script: the files of this project whose edit can change what the script does."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "genredag"


def import_closure(script: Path, source_dir: Path) -> list[Path]:
    """Return the files under `source_dir` that `script` imports, directly or not, in alphabetical order.

    Imports inside functions count; imports for type checkers do not. A module that discovers its siblings
    (``pkgutil``) pulls in its whole package, and a package pulls in its data files (templates, tables).

    Parameters
    ----------
    script
        A Python file.
    source_dir
        The folder that holds the package, such as ``src``.
    """
    found: set[Path] = set()
    todo = [script]
    while todo:
        file = todo.pop()
        new = {path for path in _direct_imports(file, source_dir) if path not in found}
        found |= new
        todo += [path for path in new if path.suffix == ".py"]
    return sorted(found)


def _direct_imports(file: Path, source_dir: Path) -> Iterator[Path]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in _runtime_nodes(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            if "pkgutil" in names:
                yield from file.parent.glob("*.py")
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            if name.split(".")[0] == PACKAGE:
                yield from _module_files(name, source_dir)


def _runtime_nodes(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _runtime_nodes(child)


def _module_files(name: str, source_dir: Path) -> Iterator[Path]:
    """Yield the file of a module, and the ``__init__.py`` and data files of the packages above it."""
    path = source_dir.joinpath(*name.split("."))
    module = path.with_suffix(".py")
    if not module.is_file() and not (path / "__init__.py").is_file():
        return  # a name inside a module
    if module.is_file():
        yield module
    for package in (path, *path.parents):
        if package == source_dir:
            break
        if (package / "__init__.py").is_file():
            yield package / "__init__.py"
            yield from (f for f in package.rglob("*") if _is_data(f) and _owner(f) == package)


def _is_data(file: Path) -> bool:
    return file.is_file() and file.suffix in {".csv", ".j2", ".css", ".js", ".json"}


def _owner(file: Path) -> Path:
    """Return the nearest package above a data file."""
    return next(folder for folder in file.parents if (folder / "__init__.py").is_file())
