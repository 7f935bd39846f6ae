"""Read one group of ``params.yaml``; report in one line what is wrong with it."""

from __future__ import annotations

import difflib
import io
import re
import types
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from genredag.errors import ParameterError

G = TypeVar("G", bound=BaseModel)
# Scalars as in YAML 1.2, which DVC reads: `1e-3` is a number; `on` and `12:30` are text.
_SCALARS = (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?0b[01_]+|[-+]?0o?[0-7_]+|[-+]?[0-9][0-9_]*|[-+]?0x[0-9a-fA-F_]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:\.[0-9][0-9_]*|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)"
        r"|\.(?:nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
    ("merge", r"<<", ["<"]),
)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A loader for YAML 1.2."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}


class _Dumper(yaml.SafeDumper):
    """A dumper whose text YAML 1.1, which Snakemake reads, and YAML 1.2 read alike."""


for _tag, _pattern, _first in _SCALARS:
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), _first)


def _construct_int(loader: Any, node: yaml.ScalarNode) -> int:
    digits = node.value.replace("_", "")
    return int(digits, 0 if digits.lstrip("+-")[1:2] in ("b", "o", "x") else 10)


_Loader.add_constructor("tag:yaml.org,2002:int", _construct_int)


def read_tree(path: Path) -> dict[str, Any]:
    """Read the values of a YAML file, unchecked.

    Raises
    ------
    ParameterError
        The file is missing, isn't YAML in UTF-8, or has a key twice.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ParameterError("no such file", where=str(path), hint="run from the project's folder") from None
    except UnicodeDecodeError as error:
        raise ParameterError(str(error), where=str(path), expected="text in UTF-8") from None
    return parse_yaml(text, str(path))


def parse_yaml(text: str, source: str) -> dict[str, Any]:
    """Return the values of YAML, unchecked; `source` names it in errors.

    Raises
    ------
    ParameterError
        The text isn't YAML, or has a key twice or a NUL character, which no path or program takes.
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        _check_nodes(node)
        tree: Any = None if node is None else loader.construct_document(node)
    except yaml.YAMLError as error:
        what = " ".join(f"not YAML: {error}".split())
        raise ParameterError(what, where=source, hint="check the indentation") from None
    return tree


def _check_nodes(root: yaml.Node | None) -> None:
    """Raise a ``YAMLError`` for a NUL character, and for a key twice in a map: PyYAML takes the last one."""
    waiting, seen = [root], set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.ScalarNode) and "\0" in node.value:
            what = f"a NUL character in {node.value!r}"
            raise yaml.constructor.ConstructorError(None, None, what, node.start_mark)
        if not isinstance(node, yaml.CollectionNode) or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
            continue
        keys = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in keys:
                what = f"the key {key.value!r} is there twice"
                raise yaml.constructor.ConstructorError(None, None, what, key.start_mark)
            keys.add(key.value if isinstance(key, yaml.ScalarNode) else None)
            waiting.append(value)


def format_yaml(tree: object) -> str:
    """Return values as YAML that every version of YAML reads as these values."""
    return yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


def is_plain_text(text: str) -> bool:
    """Return whether YAML 1.1 and 1.2 both read a scalar without quotes as text, not as a number or so."""
    node = _Dumper(io.StringIO()).resolve(yaml.ScalarNode, text, (True, False))
    return node == "tag:yaml.org,2002:str"


def read_group(path: Path, key: str, kind: Any) -> Any:
    """Read the group of ``params.yaml`` at a dotted key, such as ``"slices"`` or ``"leakage_audit.svm"``.

    Raises
    ------
    ParameterError
        There is no such group, or it holds a key or value that can't be used.
    """
    return parse_group(value_at(read_tree(path), key, Path(path).name), key, kind, Path(path).name)


def read_member(path: Path, key: str, kind: type[BaseModel], name: str) -> Any:
    """Read one member of a collection whose members are the fields of a group, such as a data set.

    Raises
    ------
    ParameterError
        There is no such member, or a value of the collection can't be used.
    """
    if name not in kind.model_fields:
        raise ParameterError(f"{name!r} is unknown", where=key, hint=similar(name, kind.model_fields))
    return getattr(read_group(path, key, kind), name)


def value_at(tree: dict[str, Any], key: str, source: str) -> Any:
    """Return the value at a dotted key.

    Raises
    ------
    ParameterError
        There is no such key.
    """
    value: Any = tree
    place = source
    for part in key.split("."):
        if not isinstance(value, dict) or part not in value:
            hint = similar(part, map(str, value)) if isinstance(value, dict) else ""
            raise ParameterError(f"{part!r} is unknown", where=place, hint=hint)
        value = value[part]
        place = f"{source}: {part}" if place == source else f"{place}.{part}"
    return value


def parse_group(value: object, key: str, kind: Any, source: str) -> Any:
    """Check the values of a group that has already been read; `key` is its place in `source`, or "".

    Raises
    ------
    ParameterError
        A key or value can't be used.
    """
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        raise _parameter_error(error, value, key, kind, source) from None


def similar(name: str, names: Iterable[str]) -> str:
    """Return a hint: the most similar name, or all names."""
    names = list(names)
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {close[0]!r}?" if close else f"one of {', '.join(sorted(names))}"


def _parameter_error(
    error: ValidationError, tree: object, key: str, kind: Any, source: str
) -> ParameterError:
    # pydantic also reports a misspelt key as missing: report the misspelling first.
    first, *more = sorted(error.errors(), key=lambda e: e["type"] != "extra_forbidden")

    def place(one: Any) -> str:
        return ".".join([*filter(None, [key]), *_place(one, tree)])

    where = f"{source}: {place(first)}" if place(first) else source
    hint = f"also wrong: {', '.join(map(place, more))}" if more else ""
    if first["type"] == "extra_forbidden":
        fields = _fields_at(kind, first["loc"][:-1])
        known = similar(str(first["loc"][-1]), fields) if fields else ""
        return ParameterError("unknown key", where=where, hint="; ".join(filter(None, [known, hint])))
    if first["type"] == "missing":
        return ParameterError("missing", where=where, hint=hint or "every value must be in params.yaml")
    if first["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return _tag_error(first["ctx"], where)
    what = first["msg"].removeprefix("Value error, ")
    if first["type"] != "value_error":
        what = f"{first['input']!r}: {what[0].lower()}{what[1:]}"
    hint = "; ".join(filter(None, [hint, "docs/parameters.md lists types, units and bounds"]))
    return ParameterError(what, where=where, hint=hint)


def _tag_error(context: Any, where: str) -> ParameterError:
    """Return the error of a value, such as `kind`, that is missing or names no member of a union."""
    where += "." + context["discriminator"].strip("'")
    if "tag" not in context:
        return ParameterError("missing", where=where, hint="every value must be in params.yaml")
    known = [tag.strip("'") for tag in context["expected_tags"].split(", ")]
    return ParameterError(f"{context['tag']!r} is unknown", where=where, hint=similar(context["tag"], known))


def _place(error: Any, tree: Any) -> list[str]:
    """Return the keys in `tree` that lead to an error; pydantic inserts names of union members."""
    path = []
    for key in error["loc"]:
        if isinstance(key, int) if isinstance(tree, list) else isinstance(tree, dict) and key in tree:
            path.append(str(key))
            tree = tree[key]
    return [*path, str(error["loc"][-1])] if error["type"] == "missing" else path


def _fields_at(kind: Any, place: Sequence[int | str]) -> list[str]:
    """Return the fields of the group at pydantic's `place` inside a type, or [] if there is none."""
    for part in place:
        origin, members = get_origin(kind), list(_members(kind))
        groups = [member for member in members if isinstance(member, type) and issubclass(member, BaseModel)]
        tagged = [group for group in groups if part in _tags(group)]
        if tagged:  # `part` names a member of a union
            kind = tagged[0]
        elif any(part in group.model_fields for group in groups):
            kind = next(g.model_fields[part].annotation for g in groups if part in g.model_fields)
        elif origin in (dict, list):
            kind = get_args(kind)[-1]
        else:
            containers = [member for member in members if get_origin(member) in (dict, list)]
            kind = get_args(containers[0])[-1] if containers else None
    found = [
        member for member in _members(kind) if isinstance(member, type) and issubclass(member, BaseModel)
    ]
    return list(found[0].model_fields) if found else []


def _members(kind: Any) -> Iterator[Any]:
    """Yield the members of a union, or the type itself, without annotations."""
    if get_origin(kind) is Annotated:
        yield from _members(get_args(kind)[0])
    elif get_origin(kind) in (Union, types.UnionType):
        for member in get_args(kind):
            yield from _members(member)
    else:
        yield kind


def _tags(group: type[BaseModel]) -> list[str]:
    """Return the names that identify a group in a discriminated union."""
    annotations = [field.annotation for field in group.model_fields.values()]
    return [tag for a in annotations if get_origin(a) is Literal for tag in get_args(a)]
