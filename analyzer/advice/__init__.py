"""Which setting stops a gateway from writing whole credentials into its log: one file a gateway, each with its source.

`place` is the part of TokenFacts.location before the colon (authorization, header, query, cookie, message); an empty
one holds for all. any.toml is what is said of gateways without a file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from analyzer.knowledge.load import kin

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
    return tuple(setting for name in _names() for setting in _read(name))


def by_gateway() -> Iterator[tuple[str, Setting]]:
    """Every gateway that something is known for, with each of its settings; "" for any other."""
    own: dict[str, list[Setting]] = {}
    for setting in settings():
        own.setdefault(setting.gateway, []).append(setting)
    for name in sorted({*own, *kin("gateway")}):
        nearest = next((near for near in (name, *kin("gateway").get(name, ())) if near in own), None)
        yield from ((name, setting) for setting in own.get(nearest or "", ()) if nearest is not None)


def setting_for(gateway: str, place: str) -> Setting:
    """The most specific one: of the gateway or of one that shares its log format; of the place or of any."""
    found = {(setting.gateway, setting.place): setting for setting in settings()}
    near = (gateway, *kin("gateway").get(gateway, ()), "")
    return next(found[name, where] for name in near for where in (place, "") if (name, where) in found)


def _names() -> list[str]:
    return sorted(file.name for file in files("analyzer.advice").iterdir() if file.name.endswith(".toml"))


def _read(name: str) -> Iterator[Setting]:
    data = tomllib.loads(files("analyzer.advice").joinpath(name).read_text(encoding="utf-8"))
    for entry in data["setting"]:
        yield Setting(data["gateway"], entry["place"], entry["says"], entry["source"])
