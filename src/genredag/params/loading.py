"""Read and check the whole ``params.yaml``."""

from __future__ import annotations

from pathlib import Path

from genredag.errors import ParameterError
from genredag.params.checks import check_values
from genredag.params.groups.reading import parse_group, read_tree
from genredag.params.schema import Params


def load_params(path: Path) -> Params:
    """Read and check ``params.yaml``.

    Raises
    ------
    ParameterError
        The file is missing, isn't YAML, or contains an invalid key or value.
    """
    return parse_params(read_tree(path), source=Path(path).name)


def parse_params(tree: object, source: str = "params.yaml") -> Params:
    """Check the values of a ``params.yaml`` that has already been read.

    Raises
    ------
    ParameterError
        A key or value is invalid, or values are inconsistent.
    """
    if not isinstance(tree, dict):
        what = "is empty" if tree is None else "holds no keys"
        raise ParameterError(what, where=source, expected="keys and values (docs/parameters.md)")
    params: Params = parse_group(tree, "", Params, source)
    try:
        check_values(params)
    except ValueError as error:
        hint = "docs/parameters.md lists types, units and bounds"
        raise ParameterError(str(error), where=source, hint=hint) from None
    return params
