"""Which setting stops a gateway from writing whole credentials into its log: credentials.toml of each, with its source.

`place` is the part of TokenFacts.location before the colon (authorization, header, query, cookie, message); an empty
one holds for all. gateways/any is what is said of gateways without a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from analyzer.knowledge.products import facts, families, relatives

PLACES = ("authorization", "header", "query", "cookie", "message", "")


@dataclass(frozen=True, slots=True)
class Setting:
    """What to change at a gateway for credentials in one place."""

    gateway: str
    place: str
    says: str
    source: str


@cache
def settings() -> tuple[Setting, ...]:
    """Every setting, as the files have them."""
    return tuple(
        Setting(content["gateway"], entry["place"], entry["says"], entry["source"])
        for _, content in facts("gateway", "credentials")
        for entry in content["setting"]
    )


def by_gateway() -> Iterator[tuple[str, Setting]]:
    """Every gateway that something is known for, with each of its settings; "" for any other."""
    own: dict[str, list[Setting]] = {}
    for setting in settings():
        own.setdefault(setting.gateway, []).append(setting)
    for name in sorted({*own, *families("gateway")}):
        nearest = next((near for near in relatives("gateway", name) if near in own), None)
        yield from ((name, setting) for setting in own.get(nearest or "", ()) if nearest is not None)


def setting_for(gateway: str, place: str) -> Setting:
    """The most specific one: of the gateway or of one that shares its log format; of the place or of any."""
    found = {(setting.gateway, setting.place): setting for setting in settings()}
    near = (*relatives("gateway", gateway), "")
    return next(found[name, where] for name in near for where in (place, "") if (name, where) in found)
