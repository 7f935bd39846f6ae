"""Values that the options of builders may have: shared types, and the check against them.

pydantic checks each value in ``params.yaml`` against the annotation of the builder's keyword argument. An
argument without an annotation takes any value.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from genredag.errors import ParameterError
from genredag.params.groups.base import Count as Count
from genredag.params.groups.base import Share as Share

Ratio = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
# Of standardised values: far below one deviation nothing but the sign is left, far above it nothing changes.
Limit = Annotated[float, Field(ge=0.001, le=1000)]
# 0 omits something, or leaves its size to the builder.
CountOrZero = Annotated[int, Field(ge=0)]
Gamma = Positive | Literal["scale", "auto"]
Kernel = Literal["rbf", "linear", "sigmoid"]
Criterion = Literal["gini", "entropy", "log_loss"]

_STRICT = ConfigDict(strict=True, allow_inf_nan=False, arbitrary_types_allowed=True)


def check_values(
    where: str, build: Callable[..., object], options: Mapping[str, object], lists: bool
) -> None:
    """Reject values that don't have the types of a builder's arguments.

    Parameters
    ----------
    lists
        Whether a list holds candidates, which are checked one by one.

    Raises
    ------
    ParameterError
        A value is of another type or out of bounds.
    """
    for name, value in options.items():
        adapter = _adapter(build, name)
        for candidate in value if lists and isinstance(value, list) else [value]:
            try:
                adapter.validate_json(json.dumps(candidate))
            except ValidationError as error:
                what = ", or ".join(e["msg"][0].lower() + e["msg"][1:] for e in error.errors())
                raise ParameterError(f"{candidate!r}: {what}", where=f"{where}.{name}") from None


@functools.cache
def _adapter(build: Callable[..., object], name: str) -> TypeAdapter[Any]:
    return TypeAdapter(annotation(build, name), config=_STRICT)


def annotation(build: Callable[..., object], name: str) -> Any:
    """Return the type of one argument; `Any` if it has none, or one that only type checkers can resolve."""
    try:
        alone = SimpleNamespace(__annotations__={name: build.__annotations__[name]})
        return get_type_hints(alone, build.__globals__, include_extras=True)[name]
    except (KeyError, NameError):
        return Any
