"""Change values of ``params.yaml`` in place: check them before writing, and keep comments."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from genredag.errors import ParameterError
from genredag.params.groups.reading import parse_yaml, read_tree
from genredag.params.loading import parse_params
from genredag.params.schema import Params
from genredag.params.tree import Leaf, differences
from genredag.project.tidying import dump, inherited, load, own, plain, put, tidy
from genredag.project.validation import check_valid
from genredag.runtime.files import alone_with, write_text
from genredag.runtime.folders import is_unicode, printable


def set_values(path: Path, assignments: list[str]) -> dict[Leaf, tuple[Any, Any]]:
    """Apply assignments such as ``slices.seconds=5.0`` or ``matrix.model=[crnn]`` to the YAML file at `path`.

    A key that a map merges (``<<``) is set in that map only. Setting it to the merged value removes it again.
    A value that isn't YAML, or isn't YAML of the wanted type, is taken as text where the key accepts text.

    Returns
    -------
    dict
        The leaves that changed, as `genredag.params.tree.differences` has them: a value that several maps
        share changes in all of them.

    Raises
    ------
    ParameterError
        An assignment has no key or no ``=``, names an unknown key or one that another assignment sets, or
        gives an invalid value. The file is left unchanged.
    OSError
        The file can't be written.
    """
    with alone_with(path):  # so that commands that run at once don't undo each other
        return _set_values(path, assignments)


def _set_values(path: Path, assignments: list[str]) -> dict[Leaf, tuple[Any, Any]]:
    before = read_tree(path)  # an error says more than ruamel's
    tree, given = load(path.read_text(encoding="utf-8")), list[str]()
    for assignment in assignments:
        if not is_unicode(assignment):
            raise ParameterError(
                f"{printable(assignment)} is not UTF-8", hint="rename the file or its folder"
            )
        key, equals, text = assignment.partition("=")
        if not equals or not key.strip():
            raise ParameterError(
                f"{assignment!r} is not an assignment", expected="KEY=VALUE", hint="slices.seconds=5.0"
            )
        keys = key.strip().split(".")
        _check_new(key.strip(), given)
        given.append(key.strip())
        value, *others = readings(text.strip())
        _assign(tree, keys, value, path.name)
        for other in others:
            if _refused(tree, keys):
                _assign(tree, keys, other, path.name)
        if others and _refused(tree, keys):
            _assign(tree, keys, value, path.name)
    tidy(tree)
    text = dump(tree)
    after = parse_yaml(text, path.name)
    check_valid(parse_params(after, source=path.name), path)
    if not os.access(path, os.W_OK):  # a new file would take its place
        raise PermissionError(errno.EACCES, "can't be written to", str(path))
    write_text(path.resolve(), text)
    return differences(before, after)


def _check_new(key: str, given: list[str]) -> None:
    for other in given:
        if key == other:
            raise ParameterError("is set twice", where=key, expected="one value")
        if f"{key}.".startswith(f"{other}.") or f"{other}.".startswith(f"{key}."):
            what = "is set together with its group"
            raise ParameterError(what, where=max(key, other, key=len), expected="one of them")


def readings(text: str) -> list[Any]:
    """Return what the text of a value may mean, likeliest first: a value in YAML, and the text itself."""
    if not text:
        return [None]
    try:
        value, node = parse_yaml(text, ""), load(text)
    except (ParameterError, YAMLError):
        return [text]
    if isinstance(value, dict | list):
        return [node, text]
    if value == text:
        return [text]
    # YAML would drop a comment, a tag or a line break.
    if text[0] not in "'\"" and (isinstance(value, str) or not re.fullmatch(r"[-+.\w~]+", text)):
        return [text]
    if text[0] in "'\"" and _first_scalar(text).end_mark.index < len(text):
        return [text]
    return [node if plain(node) == value else value, text]


def _first_scalar(text: str) -> yaml.ScalarToken:
    return next(token for token in yaml.scan(text) if isinstance(token, yaml.ScalarToken))


def _refused(tree: CommentedMap, keys: list[str]) -> bool:
    """Return whether the value at a key is of a wrong type or out of bounds, whatever else is wrong."""
    try:
        Params.model_validate(plain(tree))
    except ValidationError as error:
        return any([str(part) for part in one["loc"]][: len(keys)] == keys for one in error.errors())
    return False


def _assign(tree: CommentedMap, keys: list[str], value: Any, source: str) -> None:
    node: Any = tree
    for depth, key in enumerate(keys):
        known = inherited(node) | own(node) if isinstance(node, CommentedMap) else {}
        if key not in known:
            raise ParameterError(
                "no such key",
                where=f"{source}: {'.'.join(keys[: depth + 1])}",
                hint=f"one of {', '.join(known)}" if known else "this is a value, not a group",
            )
        old = known[key]
        if depth == len(keys) - 1 and isinstance(old, CommentedMap) and _has_keys_of(value, old):
            # Values change one by one: comments below the group belong to its last line.
            for name in value:
                _assign(tree, [*keys, str(name)], value[name], source)
        elif depth == len(keys) - 1:
            # The user may write a whole number for a float; params.yaml keeps the decimal point.
            put(node, key, float(value) if isinstance(old, float) and type(value) is int else value)
        elif isinstance(old, CommentedMap) and key not in own(node):
            put(node, key, _copy(old))
            old = node[key]
        node = old


def _has_keys_of(value: Any, old: CommentedMap) -> bool:
    return isinstance(value, CommentedMap) and {*inherited(value), *own(value)} == {
        *inherited(old),
        *own(old),
    }


def _copy(merged: CommentedMap) -> CommentedMap:
    """Return an independent copy of a map that other maps also merge."""
    copy = CommentedMap(plain(merged))
    copy.fa.set_flow_style()
    return copy
