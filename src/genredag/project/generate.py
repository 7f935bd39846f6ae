"""Files that are generated from other files of the repository: write them, or find outdated ones."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from genredag.errors import GenredagError
from genredag.models.options import annotation
from genredag.models.registry import learner, options_of
from genredag.params.groups.reading import read_tree
from genredag.params.schema import Params
from genredag.params.stages import STAGES
from genredag.params.tree import SHARED
from genredag.project.adopted_results import PAGES, filled
from genredag.project.check_params.reruns import reruns_page
from genredag.project.conda import conda_environment
from genredag.runtime.files import write_text


def generated_files(project: Path) -> Iterator[tuple[Path, str]]:
    """Yield the generated files of a project with the text that each should have.

    ``params.schema.json`` and ``docs/parameters.md`` come from the pydantic model, ``envs/genredag.yaml``
    from the lock, the README's diagram from the Snakefile, and tables of results from ``docs/results``.
    """
    yield project / "params.schema.json", json.dumps(Params.model_json_schema(), indent=1) + "\n"
    yield project / "docs/parameters.md", parameters_page(project / "params.yaml")
    yield (
        project / "docs/reruns.md",
        reruns_page(project, read_tree(project / "params.yaml")),
    )
    yield project / "envs/genredag.yaml", conda_environment(project)
    for page in PAGES[1:]:
        yield project / page, filled(project, page)
    yield project / "README.md", readme(project)


def write_generated(project: Path) -> list[Path]:
    """Write the generated files of a project that are out of date, and return their paths."""
    written = []
    for path, text in generated_files(project):
        if _differs(path, text):
            write_text(path, text)
            written.append(path)
    return written


def drift(project: Path) -> list[Path]:
    """Return the generated files that are out of date."""
    return [path for path, text in generated_files(project) if _differs(path, text)]


def _differs(path: Path, text: str) -> bool:
    return not path.is_file() or path.read_text(encoding="utf-8") != text


def parameters_page(params_file: Path) -> str:
    """Return a Markdown page of every parameter: key, value, type and bounds, meaning."""
    tree = read_tree(params_file)
    schema = Params.model_json_schema()
    schema["properties"]["models"]["properties"] = {
        name: _recipe(schema, name, recipe) for name, recipe in tree["models"].items()
    }
    lines = [
        "# Parameters",
        "",
        "Every parameter with its current value, its type and bounds, and what it means. `genredag generate`",
        "writes this page from `params.yaml` and the pydantic models in `src/genredag/params`. There are no",
        "hidden defaults: every value is in `params.yaml`. Values that a model copies from `shared` are",
        "listed under the model.",
    ]
    for key, value in tree.items():
        if key == SHARED:
            continue
        rows = list(_rows(schema, schema["properties"][key], key, value))
        lines += [
            "",
            f"## {key}",
            "",
            "| key | value | type and bounds | meaning |",
            "|---|---|---|---|",
            *rows,
        ]
    return "\n".join(lines) + "\n"


def _recipe(schema: dict, name: str, recipe: dict[str, Any]) -> dict:
    """Return the schema of one entry of `models`, with the option types that its builders declare."""
    known = schema["$defs"][recipe["kind"].capitalize()]
    found = learner(name)
    options = {"options": _options(found.build, found.name, recipe["kind"] == "estimator")}
    if found.classifier:
        options["classifier"] = _options(found.classifier, found.classifier.__name__, searched=True)
    return {**known, "properties": known["properties"] | options}


def _options(build: Callable[..., Any], name: str, searched: bool) -> dict:
    """Return the schema of a builder's options; each may also be a list if a search selects from it."""
    where = f"argument of `{name}` in `{build.__module__}`"
    options = {}
    for name in options_of(build):
        one = TypeAdapter(annotation(build, name)).json_schema()
        either = {"anyOf": [one, {"type": "array", "items": one}]} if searched else one
        options[name] = {**either, "description": where}
    return {"properties": options}


def _rows(schema: dict, node: dict, key: str, value: Any) -> Iterator[str]:
    node, meaning = _resolve(schema, node, value), node.get("description", "")
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            child = node.get("properties", {}).get(name) or next(
                iter(node.get("patternProperties", {}).values()), node.get("additionalProperties")
            )
            yield from _rows(schema, child if isinstance(child, dict) else {}, f"{key}.{name}", inner)
        return
    shown = json.dumps(value, ensure_ascii=False).replace("|", "\\|")
    meaning = meaning or node.get("description", "")
    yield f"| `{key}` | `{shown}` | {_bounds(schema, node)} | {meaning} |"


def _resolve(schema: dict, node: dict, value: Any) -> dict:
    """Follow references; in a discriminated union, take the member that `value` names."""
    if "discriminator" in node and value is not None:
        union = node["discriminator"]
        node = {"$ref": union["mapping"][value[union["propertyName"]]]}
    elif "anyOf" in node and isinstance(value, dict):
        node = next((member for member in node["anyOf"] if "$ref" in member), node)
    elif "oneOf" in node and isinstance(value, dict):
        node = {"$ref": f"#/$defs/{value['kind'].capitalize()}"}
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
    return node


_BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def _bounds(schema: dict, node: dict) -> str:
    if "enum" in node or "const" in node:
        return " or ".join(f"`{value}`" for value in node.get("enum", [node.get("const")]))
    if "discriminator" in node:
        return " or ".join(f"{{kind: {kind}, ...}}" for kind in node["discriminator"]["mapping"])
    for union in ("anyOf", "oneOf"):
        if union in node:
            return " or ".join(_bounds(schema, member) for member in node[union])
    if "$ref" in node:
        return f"{{kind: {node['$ref'].rsplit('/', 1)[1].lower()}, ...}}"
    kind = node.get("type", "value")
    if kind == "array":
        return f"list of {_bounds(schema, _resolve(schema, node.get('items', {}), None))}"
    limits = [f"{sign} {node[word]}" for word, sign in _BOUNDS.items() if word in node]
    return ", ".join([kind, *limits])


def readme(project: Path) -> str:
    """Return the README with its diagram of the DAG and its tables of results updated."""
    text = filled(project, "README.md")
    return between(text, "dag", f"```mermaid\n{rule_graph(project)}\n```")


def between(text: str, name: str, content: str, where: str = "README.md") -> str:
    """Return `text` with `content` between the two marks called `name`; `where` names the file in errors.

    Raises
    ------
    GenredagError
        A mark is missing.
    """
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    if begin not in text or end not in text:
        raise GenredagError(f"no {begin} ... {end}", where=where, hint="restore the two marks")
    head, _, rest = text.partition(begin)
    return f"{head}{begin}\n{content}\n{end}{rest.partition(end)[2]}"


def rule_graph(project: Path) -> str:
    """Return Snakemake's rule graph as a Mermaid flow chart from left to right."""
    command = [sys.executable, "-m", "snakemake", "--rulegraph", "mermaid-js", "--forceall", "--cores", "1"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    if done.returncode:
        raise GenredagError(f"snakemake --rulegraph failed: {done.stderr.strip().splitlines()[-1]}")
    labels = dict(re.findall(r'(id\d+)\["?([a-z_]+)"?\]', done.stdout))
    edges = re.findall(r"(id\d+) *-->(?:\|.*?\|)? *(id\d+)", done.stdout)
    pairs = {(labels[a], labels[b]) for a, b in edges if labels[b] in STAGES}
    ordered = sorted(pairs, key=lambda pair: [STAGES.index(rule) for rule in pair])
    return "\n".join(["flowchart LR", *(f"    {a} --> {b}" for a, b in ordered)])
