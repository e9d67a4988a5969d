"""KrakenD: the endpoint of this method and path, then its validator (krakend.io/docs/endpoints)."""

from __future__ import annotations

from collections.abc import Sequence

from why401.expectations.nodes import Node
from why401.expectations.readers import krakend
from why401.trace.walked import Asked, Part, Step, Walked, provided


def walk(parts: Sequence[Part], asked: Asked) -> Walked:
    """Fixed segments go before parameters, as in gin's tree."""
    found = [(part, one) for part in parts for one in part.root.get("endpoints").each() if _serves(one, asked)]
    if not found:
        return Walked(open=f"no endpoint serves {asked.method} {asked.path}: KrakenD answers 404")
    part, endpoint = min(found, key=lambda pair: pair[1].get("endpoint").text.count("{"))
    name, place = f"endpoint {endpoint.get('endpoint').text}", endpoint.get("endpoint").place
    route = Step(name="route", says=name, place=place)
    mine = tuple(one for one in part.document.expectations if one.name == name)
    if not mine:
        return Walked(steps=(route,), open=f"no {krakend.VALIDATORS[0]}")
    return Walked(steps=(route, *map(provided, mine)), expectations=mine)


def _serves(endpoint: Node, asked: Asked) -> bool:
    method = endpoint.get("method").text or "GET"
    pattern, path = endpoint.get("endpoint").text.split("/"), asked.path.split("/")
    if pattern[-1:] == ["*"]:  # wildcard endpoints
        path, pattern = path[: len(pattern) - 1], pattern[:-1]
    is_same = len(pattern) == len(path) and all(map(_is_segment, pattern, path))
    return method == asked.method and is_same


def _is_segment(pattern: str, segment: str) -> bool:
    return pattern == segment or (pattern.startswith("{") and pattern.endswith("}") and bool(segment))
