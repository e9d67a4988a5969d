"""The error log of nginx and of the gateways that are built on it.

Format after ngx_log.c and ngx_http_core_module: `2026/03/03 10:00:00 [level] pid#tid: *connection message, client: …`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from collector.gateways.reading.scan import has_any, is_address, request_line
from collector.gateways.reading.times import rfc3339_ns
from collector.gateways.reading.values import client
from collector.records import Parsed

QUIET: Final = ("info", "notice")  # lines without a verdict are the rule there
_CLIENT: Final = ", client: "
_MAX_FUNCTION: Final = 200
_REFUSALS: Final = (
    "fail", "denied", "invalid", "expired", "reject", "unauthori", "missing", "mismatch", "not ", "no token", "no bearer", "no jwt", "no auth",
    "no credential", "no session", "no api", "no mandatory", "no key", "no matching", "no such", "no valid", "no consumer", "no user", "forbidden",
    "error", "exits with",
)  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class Line:
    """One line; `source` is the Lua file or the plugin that wrote it, `context` begins with `, client: `.

    `connection` is `PID*NUMBER`, the same in every line about one connection; "" outside of one.
    """

    time: str
    level: str
    connection: str
    source: str
    message: str
    context: str

    @property
    def server(self) -> str:
        """The `server_name` of the block that served the request; "" outside of a request."""
        return self.context.partition(", server: ")[2].partition(",")[0]


def split(text: str) -> Line | None:
    """The parts of a line; None when it is not of this shape."""
    if text[:1] == "*":
        return _without_head(text)
    if text[4:5] != "/" or text[19:21] != " [":
        return None
    level, bracket, _ = text[21:40].partition("] ")
    process, colon, message = text[21 + len(level) + 2 :].partition(": ")
    if not bracket or not colon or "#" not in process or len(process) > 40:
        return None
    connection = ""
    if message.startswith("*"):
        number, _, message = message.partition(" ")
        connection = process.partition("#")[0] + number[:20]
    message, context = _split_context(message)
    source, message = _split_source(message)
    return Line(text[:19], level, connection, source, message, context)


def _without_head(text: str) -> Line | None:
    """A line that was copied without its time and level begins with its connection."""
    number, _, message = text.partition(" ")
    if not number[1:].isdigit() or _CLIENT not in message or ", server: " not in message:
        return None
    message, context = _split_context(message)
    return Line("", "error", number[:20], "", message, context)


def _split_context(message: str) -> tuple[str, str]:
    """Message and context. The first `, client: ADDRESS` outside of quotes: clients write the quoted parts of both."""
    first, at, quotes, seen = -1, message.find(_CLIENT), 0, 0
    while at >= 0:
        quotes += message.count('"', seen, at)
        seen = at
        value = message[at + len(_CLIENT) : at + 60].partition(",")[0]
        if is_address(value) or value.startswith("unix:"):
            first = at if first < 0 else first
            if quotes % 2 == 0:
                return message[:at], message[at:]
        at = message.find(_CLIENT, at + 1)
    return (message[:first], message[first:]) if first >= 0 else (message, "")


def _split_source(message: str) -> tuple[str, str]:
    """`[lua] file.lua:12: func(): text` and Kong's `[kong] file.lua:12 [plugin] text`."""
    if message.startswith("[lua] "):
        place, colon, text = message[6:].partition(": ")
        file, _, number = place.rpartition(":")  # `access_by_lua(nginx.conf:71):9` has a colon of its own
        if not colon or not number.isdigit():
            return "lua", message[6:]
        function, found, _ = text[:_MAX_FUNCTION].partition("(): ")
        return file, text[len(function) + 4 :] if found else text
    if message.startswith("[kong] "):
        _, _, text = message[7:].partition(" ")
        plugin, bracket, rest = text[1:].partition("] ")
        return ("kong:" + plugin, rest) if text[:1] == "[" and bracket and len(plugin) < 80 else ("kong", text)
    return "", message


def is_refusal(line: Line) -> bool:
    """Whether the line's words refuse something; at quiet levels other sentences about tokens are progress."""
    low = line.message[:2048].lower()
    return line.level not in QUIET or has_any(low, _REFUSALS)


def read(parsed: Parsed, line: Line, near_ns: int) -> None:
    """Time, message and what the context tells of the request."""
    parsed.is_fragment = True
    parsed.thread = line.connection
    parsed.time_ns = rfc3339_ns(line.time, near_ns)
    parsed.message = line.message
    context = line.context
    parsed.client = client(context[len(_CLIENT) :].partition(", ")[0])
    parsed.method, parsed.path = request_line(_quoted(context, ', request: "'))
    server = line.server
    parsed.host = _quoted(context, ', host: "') or ("" if server in ("_", "localhost", "kong") else server)
    parsed.request_id = _quoted(context, ', request_id: "')


def _quoted(context: str, mark: str) -> str:
    return context.partition(mark)[2].partition('"')[0]
