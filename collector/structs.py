"""Records that are made for every line are `msgspec.Struct`s: seventeen times cheaper to make than a frozen dataclass (decision 0023).

For whoever uses them they stay dataclasses: `dataclasses.replace`, `fields` and `asdict` work on them.
"""

from __future__ import annotations

from dataclasses import Field, field, make_dataclass
from dataclasses import fields as dataclass_fields
from functools import lru_cache
from typing import Any

from msgspec import NODEFAULT, Struct
from msgspec.structs import fields


class _Fields:
    """What the standard library asks a dataclass for."""

    def __get__(self, _one: object, kind: type[Struct]) -> dict[str, Field[Any]]:
        return _fields_of(kind)


class Dataclass:
    """A struct that the standard library's functions take for a dataclass.

    >>> from dataclasses import asdict, replace
    >>> class Point(Dataclass, Struct, frozen=True, gc=False):
    ...     x: int
    ...     y: int = 0
    >>> asdict(replace(Point(x=1), y=2))
    {'x': 1, 'y': 2}
    """

    __slots__ = ()
    __dataclass_fields__ = _Fields()  # not annotated: type hints of a struct are its fields


class Unshown(Dataclass):
    """A record of raw values: `repr` shows none of them, so that a traceback shows none either.

    >>> class Raw(Unshown, Struct):
    ...     text: str
    >>> "secret" in repr(Raw("secret"))
    False
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return object.__repr__(self)


@lru_cache(maxsize=256)
def _fields_of(kind: type[Struct]) -> dict[str, Field[Any]]:
    named = [(each.name, each.type, _default(each.default, each.default_factory)) for each in fields(kind)]
    return {each.name: each for each in dataclass_fields(make_dataclass(kind.__name__, named, kw_only=True))}


def _default(value: Any, factory: Any) -> Any:
    if factory is not NODEFAULT:
        return field(default_factory=factory)
    return field() if value is NODEFAULT else field(default=value)
