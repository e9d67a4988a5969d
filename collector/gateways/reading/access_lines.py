"""Access lines of servers and frameworks whose format is no combined log: method, path, status and client of one answered request.

One RE2 expression for each layout, anchored at the beginning. They are looked for in the message of a log line,
behind its time, level and logger, as well as in a line of their own. What fits none of them may be an access line all the same
(`loose_access.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from collector.gateways.reading import combined_log, loose_access
from collector.gateways.reading.exchange import sentence
from collector.gateways.reading.named import Named, first_of
from collector.gateways.reading.values import client, http_status
from collector.records import Parsed

_MAX_LINE: Final = 4096
_REFUSED_FROM: Final = 400
_VERB: Final = r"(?P<method>[A-Z]{3,10})"
_TARGET: Final = r"(?P<path>[/*h]\S*)"
_STATUS: Final = r"(?P<status>[1-9]\d\d)"
_IP: Final = r"(?P<client>[0-9a-fA-F:.\[\]]{3,60})"
_EXPRESSIONS: Final = (
    # uvicorn, hypercorn: 10.0.0.1:54321 - "GET /x HTTP/1.1" 401 Unauthorized
    rf'{_IP} - "{_VERB} {_TARGET}(?: HTTP/[\d.]+)?" {_STATUS}\b',
    # Django's runserver, behind its time: "GET /x HTTP/1.1" 401 58
    rf'"{_VERB} {_TARGET} HTTP/[\d.]+" {_STATUS} (?:\d+|-)\z',
    # actix-web: 10.0.0.1 "GET /x HTTP/1.1" 401 12 "-" "curl/8" 0.001
    rf'{_IP} "{_VERB} {_TARGET} HTTP/[\d.]+" {_STATUS} \d+ "',
    # chi: "GET http://host/x HTTP/1.1" from 10.0.0.1:55 - 401 12B in 1.2ms
    rf'"{_VERB} (?:https?://(?P<host>[^/ ]+))?{_TARGET} HTTP/[\d.]+" from {_IP} - {_STATUS} ',
    # koa-logger (xxx: an error was thrown), Hono and morgan's old dev: --> GET /x 401 3ms 12b; GET /x 401 3ms - 12b
    rf"(?:(?:-->|xxx|-x-) )?{_VERB} {_TARGET} {_STATUS} [\d.]+ ?m?s(?: -)?(?: (?:[\d.]+k?b|-))?\z",
    # morgan dev, tiny and short: GET /x 401 3.245 ms - 12
    rf"(?:{_IP} (?:-|\w+) )?{_VERB} {_TARGET}(?: HTTP/[\d.]+)? {_STATUS} (?:[\d.]+ ms - (?:\d+|-)|(?:\d+|-) - [\d.-]+ ms)\z",
    # Sanic: 10.0.0.1:54321 GET http://host/x 401 57 1.2ms, before 23: GET http://host/x 401 57
    rf"(?:{_IP} )?{_VERB} https?://(?P<host>[^/ ]+){_TARGET} +{_STATUS} (?:\d+|-)(?: +[\d.]+ms)?\z",
    # tornado: 401 GET /x (10.0.0.1) 1.21ms
    rf"{_STATUS} {_VERB} {_TARGET} \({_IP}\) [\d.]+ms",
    # fiber, behind its time: | 401 |  1.2ms | 10.0.0.1 | GET | /x | -
    rf"(?:\| )?{_STATUS} \| [^|]+ \| +{_IP} \| {_VERB} +\| {_TARGET}",
    # beego: |     10.0.0.1| 401 |    383.796µs|   match| GET     /v2/   r:/v2/*
    rf"\| *{_IP}\| {_STATUS} \|[^|]+\| *(?:no)?match\| {_VERB} +{_TARGET}",
    # ASP.NET Core: Request finished HTTP/1.1 GET http://host/x - 401 0 - 1.2ms
    rf"Request finished HTTP/[\d.]+ {_VERB} (?:https?://(?P<host>[^/ ]+))?{_TARGET} .*?- {_STATUS} ",
    # uWSGI: [pid: 7|app: 0|req: 1/1] 10.0.0.1 () {30 vars} [date] GET /x => generated 12 bytes in 3 msecs (HTTP/1.1 401)
    rf"\[pid: [^\]]+\] {_IP} \([^)]*\) \{{[^}}]*\}} \[[^\]]+\] {_VERB} {_TARGET} => [^(]+\(HTTP/[\d.]+ {_STATUS}\)",
    # Rails: Completed 401 Unauthorized in 3ms (…); Phoenix: Sent 401 in 3ms; macaron: Completed /x 401 Unauthorized in 3ms
    rf"(?:Completed|Sent) (?:{_TARGET} )?{_STATUS}\b[A-Za-z ]* in [\d.]+ ?(?:ms|µs|us|ns|s)",
    # Ktor: 401 Unauthorized: GET - /x in 3ms
    rf"{_STATUS} [A-Z][A-Za-z -]*: {_VERB} - {_TARGET}(?: in \d+ ?ms)?\z",
    # PHP's built-in server, behind its time: 10.0.0.1:54321 [401]: GET /x
    rf"{_IP} \[{_STATUS}\]: {_VERB} {_TARGET}",
    # hapi's good: [response] http://host:80: get /x {} 401 (12ms)
    rf"\[response\] (?:\S+: )?(?P<method>[a-z]{{3,7}}) {_TARGET} (?:\{{[^{{}}]*\}} )?{_STATUS} \(\d+ms\)",
    # formats of users, of gunicorn and others: what is quoted names the request, and the status stands behind it
    rf'[^"]{{0,200}}"{_VERB} {_TARGET} HTTP/[\d.]+" (?:status=)?{_STATUS}(?: |\z)',
)
# Each layout begins with one of these characters, or has a quotation.
_FIRST: Final = frozenset("0123456789abcdefxABCDEFGHIJKLMNOPQRSTUVWXYZ:.[]|-")
_LAYOUTS: Final = tuple(map(Named, _EXPRESSIONS))
_FITTING: Final = first_of(_EXPRESSIONS)


def access(
    kind: str, text: str, source: str | None = None, fields: Mapping[str, object] = loose_access.NO_FIELDS
) -> Parsed | None:
    """The request of an access line; None when the text is not one. Raises NotAuth as `combined_log.read` does.

    `source`: the file or topic, whose lines have the same columns. `fields`: what stands behind the text, by name.
    """
    line = combined_log.split(text)
    if line is not None:
        return combined_log.read(kind, line)
    parsed = _of_request(kind, text.lstrip(" "), source, fields)
    if parsed is not None and parsed.status >= _REFUSED_FROM and text[-1:] == "}":
        _read_body(parsed, text)
    return parsed


def _of_request(kind: str, text: str, source: str | None, fields: Mapping[str, object]) -> Parsed | None:
    """The request in a layout that is known, or in any other, with what its columns say."""
    parsed = _in_layout(kind, text)
    if parsed is not None:
        columns = loose_access.columns(text) if _has_columns(text[:_MAX_LINE]) else []
    elif found := loose_access.read(kind, text, fields):
        parsed, columns = found
    if parsed is not None and columns:
        sender = parsed.client
        combined_log.read_columns(parsed, columns, source)
        parsed.client = sender or parsed.client
    return parsed


def _read_body(parsed: Parsed, text: str) -> None:
    """The answer's body behind the line, where it is an object: `… 403 88 {"message": "not authorized for topic a"}`."""
    at = text.find(" {", 0, _MAX_LINE)
    said = sentence(text[at + 1 :]) if at >= 0 and not parsed.message else ""
    if said and said[:1] != "{":
        parsed.message = said


def _has_columns(text: str) -> bool:
    """Whether something is quoted beside the request, or may be a token."""
    return text.count('"') > 2 or "eyJ" in text


def _in_layout(kind: str, text: str) -> Parsed | None:
    if text[:1] not in _FIRST and '"' not in text[:_MAX_LINE]:
        return None
    first = text[:_MAX_LINE].partition("\n")[0]
    fitting = _FITTING(first)
    parts = _LAYOUTS[fitting[0]].match(first) if fitting else {}
    status = http_status(parts.get("status"))
    if not status:
        return None
    return Parsed(
        kind, status=status, method=parts.get("method", ""), path=parts.get("path", ""), host=parts.get("host", ""),
        client=client(parts.get("client", "")),
    )  # fmt: skip
