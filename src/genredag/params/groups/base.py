"""The base class of parameter groups, and the types that several groups share."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

T = TypeVar("T")


def _each_once(values: list[T]) -> list[T]:
    for i, value in enumerate(values):
        if value in values[:i]:
            raise ValueError(f"{value} is listed twice; expected each value once")
    return values


EachOnce = AfterValidator(_each_once)
Share = Annotated[float, Field(ge=0, lt=1)]
Seconds = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$")]
Names = Annotated[list[Name], Field(min_length=1), EachOnce]
Seeds = Annotated[list[Seed], Field(min_length=1), EachOnce]
Size = Annotated[list[Count], Field(min_length=2, max_length=2)]  # [height, width]


class Group(BaseModel):
    """A group of parameters: frozen, strictly typed, without extra keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
