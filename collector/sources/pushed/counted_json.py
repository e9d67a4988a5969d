"""JSON of a request, counted before anything is built of it: two bytes on the wire can be seventy in memory."""

from __future__ import annotations

from typing import Any, Final

import orjson

from collector.sources.otlp.protobuf_decoder import check_depth
from collector.sources.otlp.receiver import MAX_RECORD_BYTES, Harvest, Refusal, Refused

_SIGNS: Final = 4  # a log line has commas, too
_VALUE_BYTES: Final = 2  # what a value in an object or array takes at least


def parsed(body: bytes, harvest: Harvest) -> Any:
    """The value of a body, whose values are counted in the harvest. Raises Refused."""
    count(body, harvest)
    return read(body)


def count(body: bytes, harvest: Harvest) -> None:
    """Count the values of a body. Raises Refused when they are too many."""
    harvest.values = (body.count(b"{") + body.count(b"[") + body.count(b",")) // _SIGNS
    harvest.make_room()


def read(text: bytes | str) -> Any:
    """One value. Raises Refused."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Refused(Refusal.BAD_DATA, f"not JSON: {error.msg} at byte {error.pos}") from None


def bounded(value: Any) -> Any:
    """The value, when it is as deep and as large as a record's may be. Raises Refused."""
    left = MAX_RECORD_BYTES
    level = [value]
    depth = 0
    while level:
        check_depth(depth)
        depth += 1
        below: list[Any] = []
        for each in level:
            left -= len(each) if isinstance(each, str) else _VALUE_BYTES
            if isinstance(each, dict):
                below += [*each.keys(), *each.values()]
            elif isinstance(each, list):
                below += each
        if left < 0:
            raise Refused(Refusal.TOO_LARGE, f"the record is larger than {MAX_RECORD_BYTES} bytes")
        level = below
    return value


def text_of(value: Any, where: str) -> str:
    """A string. Raises Refused."""
    if not isinstance(value, str):
        raise Refused(Refusal.BAD_DATA, "expected a string", where=where)
    return value
