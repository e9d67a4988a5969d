"""Any product: the expectations and open routes that its reader found, by their patterns. Which route goes first is not known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from why401.expectations.told import Expectation, Route, Told
from why401.trace.walked import Asked, Part, Step, Walked, provided


def walk(parts: Sequence[Part], asked: Asked) -> Walked:
    """Whatever holds for this path."""
    here = _route(parts, asked.path)
    steps = (Step(name="route", says=here.pattern.text, place=here.pattern.place),) if here else ()
    if here and not here.is_checked:
        return Walked(steps=steps, open=here.why)
    mine = tuple(one for part in parts for one in part.document.expectations if _holds(one, asked.path))
    unknown = () if here else (f"which route of {parts[0].document.title} serves the request",)
    if not mine:
        return Walked(steps=steps, elsewhere=_elsewhere(parts), unknown=unknown)
    return Walked(steps=(*steps, *map(provided, mine)), expectations=mine, unknown=unknown)


def _route(parts: Sequence[Part], path: str) -> Route | None:
    """The one with the longest pattern."""
    routes = (one for part in parts for one in part.document.routes if _matches(one.pattern.text, path))
    return max(routes, key=lambda one: len(one.pattern.text), default=None)


def _elsewhere(parts: Sequence[Part]) -> str:
    """The reader's own words, where it found who checks."""
    said = [f"{one.says} ({one.place})" for part in parts for one in part.document.remarks]
    return "; ".join(said[:3]) or "the configuration names no check that why401 reads"


def _holds(one: Expectation, path: str) -> bool:
    return not one.routes or any(_matches(route.text, path) for route in one.routes) or not _is_path(one.routes)


def _is_path(routes: Iterable[Told]) -> bool:
    return any(route.text.startswith(("/", "*")) for route in routes)


def _matches(pattern: str, path: str) -> bool:
    return pattern == "*" or (pattern.startswith("/") and fnmatchcase(path, pattern))
