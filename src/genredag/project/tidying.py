"""The layout of ``params.yaml``: no map repeats merged values, and short lists are on one line."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.mergevalue import merge_attrib
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarfloat import ScalarFloat

from genredag.params.groups.reading import format_yaml, is_plain_text

# Where a comment is attached: a key of a map or an item of a list.
Place = tuple[CommentedMap | CommentedSeq, Any]
# Lists up to this column stay on one line. ruamel.yaml breaks a longer one after the item that crosses it.
WIDTH = 104
# Numbers that every version of YAML reads as these numbers.
PLAIN_INT = re.compile(r"-?(?:0|[1-9][0-9]*)")
PLAIN_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:e[-+][0-9]+)?")


def tidied(text: str) -> str:
    """Return the YAML of `text` in our layout, with the same values and comments.

    ``dvc exp run -S`` writes every key that a map merges (``<<``) into the map itself, and every list with
    one item per line. This function undoes both.
    """
    tree = load(text)
    tidy(tree)
    return dump(tree)


def load(text: str) -> Any:
    """Parse YAML with its comments, anchors and merge keys."""
    return _yaml().load(text)


def dump(tree: CommentedMap) -> str:
    """Return what `load` returned as YAML text."""
    buffer = io.StringIO()
    _yaml().dump(tree, buffer)
    return re.sub(r" +$", "", buffer.getvalue(), flags=re.MULTILINE)


class _Representer(RoundTripRepresenter):
    """Writes scalars that YAML 1.1, which Snakemake reads, and YAML 1.2 read alike."""

    def represent_scalar(self, tag: Any, value: Any, style: Any = None, anchor: Any = None) -> Any:
        if str(tag).endswith(":str") and not style and not is_plain_text(value):
            style = "'"
        if str(tag).endswith(":int") and not PLAIN_INT.fullmatch(value):
            value = str(int(value.replace("_", ""), 0 if value.strip("+-")[1:2] in ("b", "o", "x") else 10))
        return super().represent_scalar(tag, value, style, anchor)

    def represent_number(self, number: float) -> Any:
        """Keep how a number was written if it is a plain decimal one."""
        kept = self.represent_scalar_float(number).value if isinstance(number, ScalarFloat) else ""
        if not PLAIN_FLOAT.fullmatch(kept) or float(kept) != number:
            kept = format_yaml(float(number)).split("\n")[0]
        anchor = number.yaml_anchor() if isinstance(number, ScalarFloat) else None
        return self.represent_scalar("tag:yaml.org,2002:float", kept, anchor=anchor)


for _kind in (float, ScalarFloat):
    _Representer.add_representer(_kind, _Representer.represent_number)
_Representer.add_representer(
    type(None), lambda representer, _: representer.represent_scalar("tag:yaml.org,2002:null", "null")
)


def _yaml() -> YAML:
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.width = WIDTH
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def own(node: CommentedMap) -> dict[str, Any]:
    """Return the items of a map itself, without those that it merges."""
    return dict(node.non_merged_items())


def inherited(node: CommentedMap) -> dict[str, Any]:
    """Return the items that a map merges, including those that it overrides."""
    found: dict[str, Any] = {}
    for source in getattr(node, merge_attrib, ()):
        found = inherited(source) | own(source) | found
    return found


def plain(node: Any) -> Any:
    """Convert ruamel.yaml's containers and scalars to plain Python, with merge keys resolved."""
    if isinstance(node, CommentedMap):
        return {str(key): plain(value) for key, value in (inherited(node) | own(node)).items()}
    if isinstance(node, list):
        return [plain(value) for value in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def put(node: CommentedMap, key: str, value: Any) -> None:
    """Set a key in a map itself; a new key is placed in the order of the merged map, before other keys."""
    is_new, merged = key not in own(node), list(inherited(node))
    node[key] = value
    if is_new and key in merged:
        earlier = merged[: merged.index(key)]
        others = [other for other in own(node) if other != key]
        while others and others[0] in earlier:
            others.pop(0)
        for other in others:
            node.move_to_end(other)


def tidy(tree: CommentedMap) -> None:
    """Apply the layout of `tidied` in place."""
    for node in list(_maps(tree)):
        if anchor := node.yaml_anchor():
            anchor.always_dump = True
        merged = inherited(node)
        for key, value in own(node).items():
            if key in merged and _same(value, merged[key]):
                _leave_out(node, key)
            elif isinstance(value, CommentedSeq) and value:
                _lay_out(node, key, value)


def _maps(node: Any) -> Iterator[CommentedMap]:
    if isinstance(node, CommentedMap):
        yield node
        for value in own(node).values():
            yield from _maps(value)


def _same(one: Any, other: Any) -> bool:
    """Compare values and their types."""
    return json.dumps(plain(one), sort_keys=True) == json.dumps(plain(other), sort_keys=True)


def _leave_out(node: CommentedMap, key: str) -> None:
    """Remove a key from a map that merges the same value, unless that would lose a comment."""
    others = [other for other in own(node) if other != key]
    if any(node.ca.items.get(key, ())):
        end = _end(node, others[-1]) if others else (node, key)
        if any(end[0].ca.items.get(end[1], ())) or not _is_below(node.ca.items[key]):
            return
        _move_comment((node, key), end)
    # Deleting the key would not bring the merged value back.
    node._ok.discard(key)


def _lay_out(node: CommentedMap, key: str, items: CommentedSeq) -> None:
    """Put a list on one line if it fits or has only numbers, otherwise one item per line."""
    old, inside = _end(node, key), [items, *(item for item in items if isinstance(item, CommentedMap))]
    comments = [(part, place) for part in inside for place in part.ca.items if any(part.ca.items[place])]
    if any(part is not old[0] or place != old[1] for part, place in comments):
        return
    values = plain(items)
    width = node.lc.col + len(f"{key}: {json.dumps(values, ensure_ascii=False)}".replace('"', ""))
    if width <= WIDTH or all(isinstance(value, int | float) for value in values):
        items.fa.set_flow_style()
    else:
        items.fa.set_block_style()
    for part in inside[1:]:
        part.fa.set_flow_style()
    if comments:
        _move_comment(old, _end(node, key))


def _end(node: CommentedMap | CommentedSeq, key: Any) -> Place:
    """Return where ruamel.yaml keeps the comment after a value: at its last scalar or one-line part."""
    value = node[key]
    if isinstance(value, CommentedMap) and own(value) and not value.fa.flow_style():
        return _end(value, list(own(value))[-1])
    if isinstance(value, CommentedSeq) and value and not value.fa.flow_style():
        return _end(value, len(value) - 1)
    return node, key


def _is_below(comment: list[Any]) -> bool:
    """Return whether a comment is on the lines below a value, not on the same line."""
    return bool(comment[2] and comment[2].value.startswith("\n") and not any((*comment[:2], *comment[3:])))


def _move_comment(old: Place, new: Place) -> None:
    comment = old[0].ca.items.pop(old[1])
    token = comment[0 if isinstance(old[0], CommentedSeq) else 2]
    new[0].ca.items[new[1]] = [token, None] if isinstance(new[0], CommentedSeq) else [None, None, token, None]
