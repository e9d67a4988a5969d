"""JSON of any other gateway: by a configured mapping (`[[formats]]`), or by what keys usually mean.

The guess claims a record only when it clearly is an HTTP request (a status, and a method or a path or a credential)
or a sentence about authentication.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from collector import outcomes
from collector.errors import UnreadableRecord
from collector.events import Outcome, Responder
from collector.gateways.reading import combined_log, exchange, topic
from collector.gateways.reading.abroad import reports_fault
from collector.gateways.reading.admission import is_admitted, is_negative
from collector.gateways.reading.contract import NotAuth, Parser
from collector.gateways.reading.errors_said import said
from collector.gateways.reading.json_fields import fill, finish, flatten, mapping, plan, value_at
from collector.gateways.reading.scan import has_any
from collector.gateways.reading.times import any_ns
from collector.gateways.reading.values import (
    MAX_DEPTH,
    as_text,
    client,
    count,
    header_map,
    http_status,
    is_object,
    trace_id,
)
from collector.records import Parsed, RawRecord
from collector.settings import FormatSettings

NAME: Final = "generic"
_MAX_PATH_PARTS: Final = 16
_QUIET_LEVELS: Final = frozenset(("debug", "trace", "info", "notice", "d", "i"))
_REFUSALS: Final = (
    "fail",
    "denied",
    "invalid",
    "expired",
    "reject",
    "unauthori",
    "missing",
    "not ",
    "forbidden",
    "error",
)
_LISTS: Final = ("messages", "errors")
_LEAST_ANSWER: Final = 200
_LEAST_ERROR: Final = 400
_REFUSED: Final = (401, 403)  # of whatever level the log is: requests are logged at INFO
_VERDICTS: Final = frozenset(
    ("denied", "deny", "denegado", "block", "blocked", "reject", "rejected", "refused", "unauthorized", "forbidden")
)
_FEW: Final = 3  # words; fewer say little
_MAX_SENTENCE: Final = 2_000  # characters
_MAX_SCHEME: Final = 12
_MAX_LISTED: Final = 8
_MAX_TEXTS: Final = 32  # that are weighed, about 50 µs each
_ABSENT: Final = object()


def parse(record: RawRecord) -> Parsed | None:
    """The guess: a request or a refusal in JSON or OTLP attributes of a gateway that nobody described."""
    fields = mapping(record)
    if not fields:
        return _access_line(record)
    flat = flatten(fields)
    keys = plan(flat)
    parsed = fill(Parsed(NAME), flat, keys, record.time_ns)
    if (
        parsed.status < _LEAST_ANSWER and not parsed.method
    ):  # the code of an error of its own: {"code": 101, "error": "…"}
        parsed.status = 0
    _add_listed(parsed, fields)
    _add_body(parsed, fields)
    _add_unnamed(parsed, flat)
    if parsed.status and (parsed.method or parsed.path or parsed.credential_logged):
        if parsed.upstream_status:
            parsed.responder = Responder.UPSTREAM
        return finish(parsed, record)
    refusal = _refusal(parsed, record, as_text(value_at(flat, keys.level)).lower())
    return finish(refusal, record) if refusal else None


def unknown(record: RawRecord) -> Parsed | None:
    """An object whose keys nobody knows, and in which no record stands: a sentence that refuses, beside a status that does.

    >>> from collector.records import RawRecord
    >>> from collector.events import Origin
    >>> unknown(RawRecord(Origin("file"), 0, fields={"st": 401, "why": "token is too old"})).status
    401
    """
    flat = flatten(record.fields) if record.fields is not None else {}
    status = next(filter(_REFUSED.__contains__, map(http_status, flat.values())), 0)
    if not (status or _VERDICTS.intersection(as_text(value).lower() for value in flat.values())):
        return None
    said = _telling(flat, is_refused=bool(status))
    if not said:
        return None
    parsed = fill(Parsed(NAME), flat, plan(flat), record.time_ns)
    parsed.status, parsed.outcome = parsed.status or status, parsed.outcome or topic.outcome(said)
    _also_say(parsed, said)
    return finish(parsed, record)


def _add_listed(parsed: Parsed, fields: Mapping[str, Any]) -> None:
    """What a list of errors says beside a sentence that holds for all of them."""
    _also_say(
        parsed, said(next((fields[name] for name in _LISTS if isinstance(fields.get(name), list)), ""), MAX_DEPTH)
    )


def _add_body(parsed: Parsed, fields: Mapping[str, Any]) -> None:
    """What the answer said, beside a log's own `HTTP response`."""
    if parsed.status >= _LEAST_ERROR:
        _also_say(parsed, exchange.sentence(fields.get("body")))


def _add_unnamed(parsed: Parsed, flat: Mapping[str, Any]) -> None:
    """What an operator or a product says of a refusal under a key of its own, where nothing else does: `"customField": "jwt_error=EXPIRED"`."""
    if parsed.status < _LEAST_ERROR or parsed.reason or parsed.challenge or not _says_little(parsed.message):
        return
    _also_say(parsed, _telling(flat, is_refused=parsed.status in _REFUSED))


def _telling(flat: Mapping[str, Any], *, is_refused: bool) -> str:
    """The first text that says why, whatever its key is; of many, the first are looked at."""
    some = islice(_texts(flat), _MAX_TEXTS)
    return next((text for name, text in some if _tells(name, text, is_refused=is_refused)), "")


def _texts(flat: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The texts by their keys' last names; of a list, its members as one."""
    for name, value in flat.items():
        text = " ".join(map(as_text, value[:_MAX_LISTED])) if isinstance(value, list) else value
        if type(text) is str:
            yield name.rpartition(".")[2], text


def _says_little(message: str) -> bool:
    """A status' phrase, or a heading: "Unauthorized", "Validation error"."""
    return len(message.split(None, _FEW)) < _FEW


def _tells(name: str, value: str, *, is_refused: bool) -> bool:
    """A sentence about a refused credential (what reports a fault is one where the status refuses), or a code that names one."""
    if len(value) > _MAX_SENTENCE or value[:1] in "/{[<" or "://" in value[:_MAX_SCHEME]:
        return False
    if value.count(" ") < _FEW - 1:
        return combined_log.tells_why(name, value.replace("=", " ").replace(".", " "))
    return is_admitted(value) or (is_refused and (is_negative(value) or reports_fault(value)))


def _also_say(parsed: Parsed, text: str) -> None:
    """Behind the message, unless that says it."""
    if text and text not in parsed.message:
        parsed.message = f"{parsed.message}: {text}" if parsed.message else text


def _access_line(record: RawRecord) -> Parsed | None:
    """The combined log of a server that nothing names: many write it."""
    line = combined_log.split(record.text) if record.fields is None else None
    if line is None:
        return None
    parsed = combined_log.read(NAME, line, record.origin.source)
    parsed.body_bytes = count(line.size)
    return finish(parsed, record)


def _refusal(parsed: Parsed, record: RawRecord, level: str) -> Parsed | None:
    """A sentence that refuses something; the text beside OTLP attributes is one."""
    parsed.message = parsed.message or (record.text if record.fields is None else "")
    if not _is_refusal(parsed, level):
        return None
    if not parsed.status or (parsed.status >= 400 and outcomes.by_status(parsed) is Outcome.ALLOWED):
        parsed.outcome = parsed.outcome or topic.outcome(parsed.message)
    return parsed


def _is_refusal(parsed: Parsed, level: str) -> bool:
    if not parsed.message or (level in _QUIET_LEVELS and parsed.status not in _REFUSED):
        return False
    low = parsed.message[:2048].lower()
    is_said = topic.is_auth(low) and has_any(low, _REFUSALS)
    return is_admitted(parsed.message, is_calm=not is_said) or (parsed.status in _REFUSED and is_negative(low))


def by_format(settings: FormatSettings) -> Parser:
    """A parser for one configured format."""

    def parse_format(record: RawRecord) -> Parsed | None:
        fields = mapping(record)
        if not fields or not (record.gateway == settings.name or _matches(settings, fields)):
            return None
        return finish(_read(settings, fields, record.time_ns), record)

    return parse_format


def _matches(settings: FormatSettings, fields: Mapping[str, Any]) -> bool:
    if not settings.match:
        return http_status(dig(fields, settings.status)) > 0
    return all(_has(fields, path, wanted) for path, wanted in settings.match.items())


def _has(fields: Mapping[str, Any], path: str, wanted: str) -> bool:
    found = dig(fields, path, _ABSENT)
    if found is _ABSENT:
        return False
    return wanted in ("*", found) or (not isinstance(found, Mapping) and as_text(found) == wanted)


def _read(settings: FormatSettings, fields: Mapping[str, Any], near_ns: int) -> Parsed:
    status = http_status(dig(fields, settings.status))
    parsed = Parsed(settings.name, status=status, time_ns=any_ns(dig(fields, settings.time), near_ns))
    for name in _TEXTS:
        setattr(parsed, name, as_text(dig(fields, getattr(settings, name))))
    if not status:
        parsed.outcome = _outcome(parsed, dig(fields, settings.status, _ABSENT))
    parsed.client = client(parsed.client)
    parsed.trace_id = trace_id(parsed.trace_id)
    parsed.upstream_status = http_status(dig(fields, settings.upstream_status))
    if settings.upstream_status:
        parsed.responder = Responder.UPSTREAM if parsed.upstream_status else Responder.GATEWAY
    _read_headers(parsed, settings, fields)
    return parsed


_TEXTS: Final = (
    "method", "path", "host", "client", "user_agent", "request_id", "trace_id", "reason", "message", "challenge", "instance",
)  # fmt: skip


def _outcome(parsed: Parsed, found: object) -> Outcome:
    """Without a status, the sentence decides. Raises NotAuth or UnreadableRecord without one."""
    if parsed.message and topic.is_auth(parsed.message):
        return topic.outcome(parsed.message)
    if found in (0, "0", "000", "-"):
        raise NotAuth(parsed.gateway, "no answer was sent")
    raise UnreadableRecord(parsed.gateway, "no HTTP status under the configured path")


def _read_headers(parsed: Parsed, settings: FormatSettings, fields: Mapping[str, Any]) -> None:
    headers = header_map(dig(fields, settings.headers))
    if settings.authorization:
        headers["authorization"] = as_text(dig(fields, settings.authorization))
    parsed.headers = headers
    parsed.credential_logged = "authorization" in headers
    parsed.user_agent = parsed.user_agent or headers.get("user-agent", "")
    parsed.host = parsed.host or headers.get("host", "")


def dig(fields: Mapping[str, Any], path: str, default: Any = None) -> Any:
    """The value under a dotted path; keys that contain dots themselves (OTLP's) are found too.

    >>> dig({"http.request": {"header.x": 1}}, "http.request.header.x")
    1
    """
    if not path:
        return default
    if path in fields:
        return fields[path]
    parts = path.split(".", _MAX_PATH_PARTS)
    for at in range(1, len(parts)):
        inner = fields.get(".".join(parts[:at]))
        if is_object(inner):
            found = dig(inner, ".".join(parts[at:]), default)
            if found is not default:
                return found
    return default
