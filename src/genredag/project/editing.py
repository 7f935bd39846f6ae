"""Change values of ``params.yaml`` in place, comments kept, checked before they are written."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from genredag.errors import ParameterError
from genredag.params.loading import parse_params
from genredag.project.validation import check_valid
from genredag.runtime.files import write_text


def set_values(path: Path, assignments: list[str]) -> None:
    """Apply assignments such as ``slices.seconds=5.0`` or ``matrix.model=[crnn]`` to the YAML file at `path`.

    Raises
    ------
    ParameterError
        An assignment has no ``=``, names no key of the file, or gives a value that can't be used; the file
        is left as it was.
    """
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 10_000
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.representer.add_representer(
        type(None), lambda representer, _: representer.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    tree = yaml.load(path.read_text(encoding="utf-8"))
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals:
            raise ParameterError(
                f"{assignment!r} assigns nothing", expected="KEY=VALUE", hint="slices.seconds=5.0"
            )
        _assign(tree, key.strip().split("."), yaml.load(text) if text.strip() else None, path.name)
    check_valid(parse_params(_plain(tree), source=path.name), path)
    buffer = io.StringIO()
    yaml.dump(tree, buffer)
    write_text(path, buffer.getvalue())


def _assign(tree: Any, keys: list[str], value: Any, source: str) -> None:
    node = tree
    for depth, key in enumerate(keys):
        if not isinstance(node, dict) or key not in node:
            raise ParameterError(
                "no such key",
                where=f"{source}: {'.'.join(keys[: depth + 1])}",
                hint=f"one of {', '.join(node)}" if isinstance(node, dict) else "a value has no keys",
            )
        if depth == len(keys) - 1:
            # A whole number is a fine float to write; params.yaml keeps the decimal point.
            old = node[key]
            node[key] = float(value) if isinstance(old, float) and type(value) is int else value
        node = node[key]


def _plain(node: Any) -> Any:
    """Turn ruamel's containers and scalars into Python's own."""
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node
