"""OpenResty: Lua's lines in the error log, as lua-resty-openidc, lua-resty-jwt and an operator's own Lua write them.

The text behind `[lua] FILE:LINE: FUNCTION(): ` is the verdict. Its access log is nginx's, which `nginx` reads.
"""

from __future__ import annotations

from typing import Final

from collector.events import Outcome, Responder
from collector.gateways.reading import error_log, topic
from collector.gateways.reading.contract import NotAuth, Texts
from collector.gateways.reading.json_fields import finish
from collector.gateways.reading.scan import has_any
from collector.records import Parsed, RawRecord

NAME: Final = "openresty"
_MARKS: Final = ("[lua] ", "lua entry thread aborted", "lua coroutine", "lua user thread aborted")
_MAX_HEAD: Final = 120  # date, level, process and connection stand before the mark
_AUTH_FILES: Final = ("openidc.lua", "jwt.lua", "jwt-validators.lua", "hmac.lua")
# What lua-resty-openidc and its like say when the provider, not the token, is at fault.
_BROKEN: Final = (
    "accessing discovery",
    "accessing jwks",
    "accessing introspection",
    "accessing token",
    "accessing userinfo",
)
TEXTS: Final = Texts(holds=(" [",))


def parse(record: RawRecord) -> Parsed | None:
    """A verdict that Lua code wrote to the error log."""
    text = record.text
    if record.fields is not None or not has_any(text[:_MAX_HEAD], _MARKS):
        return None
    line = error_log.split(text)
    if line is None:
        return None
    return finish(verdict(NAME, line, record.time_ns, is_auth=is_auth(line)), record)


def is_auth(line: error_log.Line) -> bool:
    """Whether a line speaks of authentication: by its words, or by the library that wrote it."""
    return line.source in _AUTH_FILES or topic.is_auth(line.message)


def verdict(kind: str, line: error_log.Line, near_ns: int, *, is_auth: bool) -> Parsed:
    """The refusal in a line of the error log. Raises NotAuth for every other line."""
    if line.level == "debug" or not is_auth or not error_log.is_refusal(line):
        raise NotAuth(kind, "an error log line without a verdict")
    parsed = Parsed(kind)
    error_log.read(parsed, line, near_ns)
    parsed.outcome = outcome(line.message)
    parsed.responder = Responder.GATEWAY if line.context else Responder.UNKNOWN
    return parsed


def outcome(message: str) -> Outcome:
    """ERROR when the verifier or its provider failed, or Lua itself did; else DENIED."""
    low = message[:512].lower()
    if low.startswith("lua ") or any(word in low for word in _BROKEN):
        return Outcome.ERROR
    return topic.outcome(message)
