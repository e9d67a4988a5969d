"""What a gateway's own validator accepts and requires where standards say otherwise (`accepts.toml` of its folder)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from analyzer.knowledge.products import facts, relatives

ANY_TYPE: Final[tuple[str, ...]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepts:
    """One gateway's rules; the default says that nothing particular is known of it."""

    forms: frozenset[str] = frozenset()  # anomalies of the Authorization header that are no fault here
    key_schemes: frozenset[str] = (
        frozenset()
    )  # in front of an API key in the Authorization header, in lower case; "": none
    types: tuple[str, ...] = ANY_TYPE  # of the header's `typ`, in lower case; a token without one is refused too
    algorithms: tuple[str, ...] = ()  # all that the validator implements; (): not known
    claims: tuple[str, ...] = ()  # that it requires whatever its configuration
    unchecked: frozenset[tuple[str, str]] = frozenset()  # code and discriminant of faults that it does not look for
    ignored: frozenset[str] = frozenset()  # of an audience when two are compared: "scheme", "slash"
    says: Mapping[str, str] = field(default_factory=dict)  # requirement (typ, alg, a claim) -> the fact as a sentence

    def bare(self, audience: str) -> str:
        """An audience as the gateway compares it.

        >>> Accepts(ignored=frozenset({"scheme", "slash"})).bare("https://api.example.com/")
        'api.example.com'
        """
        if "scheme" in self.ignored:
            audience = audience.removeprefix("https://").removeprefix("http://")
        return audience.removesuffix("/") if "slash" in self.ignored else audience


NOTHING: Final = Accepts()


def accepts(kind: str) -> Accepts:
    """The rules of a gateway, its own or its nearest relative's; NOTHING where none are known."""
    return next((found for name in relatives("gateway", kind) if (found := _all().get(name))), NOTHING)


@cache
def _all() -> Mapping[str, Accepts]:
    return {content["gateway"]: _of(content) for _, content in facts("gateway", "accepts")}


def _of(content: Mapping[str, Any]) -> Accepts:
    requires = {row["name"]: row for row in content.get("requires", ())}
    return Accepts(
        forms=frozenset(row["anomaly"] for row in content.get("form", ())),
        key_schemes=frozenset(row["scheme"] for row in content.get("api_key", ())),
        types=tuple(requires.get("typ", {}).get("values", ())),
        algorithms=tuple(requires.get("alg", {}).get("values", ())),
        claims=tuple(name for name, row in requires.items() if row.get("is_claim", False)),
        unchecked=frozenset(_unchecked(content)),
        ignored=frozenset(part for row in content.get("audience", ()) for part in row["ignores"]),
        says={name: row["says"] for name, row in requires.items()},
    )


def _unchecked(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from ((row["code"], what) for row in content.get("unchecked", ()) for what in row["of"])
