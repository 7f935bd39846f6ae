"""The code behind a result: the files that a script imports, and a fingerprint of what they do."""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

# The importing file and the imported one.
Import = tuple[Path, Path]

PACKAGE = "genredag"
DATA_SUFFIXES = {".csv", ".j2", ".css", ".js", ".json"}
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_BLOCKS = (ast.stmt, ast.excepthandler, ast.match_case)


def source_dir() -> Path:
    """Return the folder that holds this package: ``src`` in a checkout, ``site-packages`` elsewhere."""
    return Path(__file__).parents[2]


def import_closure(file: Path, source_dir: Path, unused: Collection[Import] = ()) -> list[Path]:
    """Return the files under `source_dir` that `file` imports, directly or indirectly, sorted.

    Imports inside functions count; imports for type checkers do not. A package includes its data files
    (templates, tables). The package genredag itself is left out: its ``__init__.py`` only names what other
    modules offer. A module that discovers modules (``pkgutil``) counts as importing all modules of the
    packages that it imports.

    Parameters
    ----------
    file
        A Python file.
    source_dir
        The folder that holds the package, such as ``src``.
    unused
        Imports to ignore; see `unused_imports`.
    """
    found: set[Path] = set()
    todo = [file]
    while todo:
        importer = todo.pop()
        new = {
            path for path in _direct_imports(importer, source_dir) if (importer, path) not in unused
        } - found
        found |= new
        todo += [path for path in new if path.suffix == ".py"]
    return sorted(found)


def unused_imports(registry: str, members: Iterable[str], chosen: str, source_dir: Path) -> set[Import]:
    """Return the imports of a registry that do not affect a job that uses only one of its members.

    Parameters
    ----------
    registry, members, chosen
        Module names.
    """
    importer = _module_file(registry, source_dir)
    return {(importer, _module_file(member, source_dir)) for member in set(members) - {chosen}}


def code_fingerprint(files: Iterable[Path], *roots: Path) -> str:
    """Return a SHA-256 of the code in `files`; comments, docstrings and layout do not affect it.

    Each file is hashed with its path relative to the first of the `roots` that contains it. Files without
    code are skipped.
    """
    digest = hashlib.sha256()
    for file in files:
        state = _file_state(file)
        if state:
            digest.update(f"{_name_below(file, roots)}\0".encode() + state)
    return digest.hexdigest()


@functools.cache
def _name_below(file: Path, roots: tuple[Path, ...]) -> str:
    root = next(root for root in roots if file.is_relative_to(root))
    return file.relative_to(root).as_posix()


def is_empty(file: Path) -> bool:
    """Return whether a Python file has no code, only comments and a docstring."""
    return not _file_state(file)


def _file_state(file: Path) -> bytes:
    """Return a digest of a file, or b"" if it has no code."""
    return _read(file, file.stat().st_mtime_ns)[0]


@functools.cache
def _read(file: Path, _mtime_ns: int) -> tuple[bytes, tuple[str, ...]]:
    """Return the digest of a file, or b"" if it has no code, and the names that it imports."""
    content = file.read_bytes()
    if file.suffix != ".py":
        return hashlib.sha256(content).digest(), ()
    tree = _without_docstrings(ast.parse(content))
    state = hashlib.sha256(ast.dump(tree).encode()).digest() if tree.body else b""
    return state, tuple(_imported_names(tree))


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in (tree, *_statements(tree)):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] if isinstance(node, ast.Module) else node.body[1:] or [ast.Pass()]
    return tree


@functools.cache
def _module_file(name: str, source_dir: Path) -> Path:
    path = source_dir.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _direct_imports(file: Path, source_dir: Path) -> frozenset[Path]:
    return _imported_files(_read(file, file.stat().st_mtime_ns)[1], source_dir)


@functools.cache
def _imported_files(names: tuple[str, ...], source_dir: Path) -> frozenset[Path]:
    ours = [name for name in names if name.split(".")[0] == PACKAGE]
    found = {path for name in ours for path in _module_files(name, source_dir)}
    if "pkgutil" in names:
        for package in (source_dir.joinpath(*name.split(".")) for name in ours):
            found |= set(package.glob("*.py") if package.is_dir() else ())
    return frozenset(found)


def _imported_names(tree: ast.Module) -> Iterator[str]:
    """Yield the modules that may be imported, and the names that are imported from them."""
    for node in _statements(tree, typing=False):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _statements(node: ast.AST, *, typing: bool = True) -> Iterator[ast.AST]:
    """Yield the statements in `node`, without those for type checkers unless `typing`.

    Expressions contain none, so the many nodes below them are not visited.
    """
    for child in ast.iter_child_nodes(node):
        skipped = not typing and isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        if isinstance(child, _BLOCKS) and not skipped:
            yield child
            yield from _statements(child, typing=typing)


def _module_files(name: str, source_dir: Path) -> Iterator[Path]:
    """Yield the file of a module, and the ``__init__.py`` and data files of the packages above it."""
    path = source_dir.joinpath(*name.split("."))
    module = path.with_suffix(".py")
    if not module.is_file() and not (path / "__init__.py").is_file():
        return  # a name inside a module
    if module.is_file():
        yield module
    for package in (path, *path.parents):
        if package in (source_dir / PACKAGE, source_dir):
            break
        if (package / "__init__.py").is_file():
            yield package / "__init__.py"
            yield from _data_files(package)


def _data_files(folder: Path) -> Iterator[Path]:
    """Yield the data files of a package, without those of its subpackages."""
    for path in folder.iterdir():
        if path.suffix in DATA_SUFFIXES and path.is_file():
            yield path
        elif path.is_dir() and path.name != "__pycache__" and not (path / "__init__.py").is_file():
            yield from _data_files(path)
