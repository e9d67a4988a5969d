"""An application's own log line about a refused credential, in the layout of any logger, as text, pairs or JSON.

`reading/shapes.toml` has the layouts, `reading/log_objects.py` the keys of JSON. A line is claimed when its sentence speaks of a refusal
(`reading/admission.py`), or when it is an access line of a framework. A line of a known layout that does neither is left out by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from msgspec.structs import replace

from collector.events import Outcome
from collector.gateways.reading import combined_log, topic
from collector.gateways.reading.abroad import refuses_abroad
from collector.gateways.reading.access_lines import access
from collector.gateways.reading.admission import is_admitted, is_negative, probability
from collector.gateways.reading.answers import answer, page
from collector.gateways.reading.contract import NotAdmitted
from collector.gateways.reading.debug_loggers import speaks_at_debug
from collector.gateways.reading.errors_said import error_text
from collector.gateways.reading.fragments import announces, is_fragment
from collector.gateways.reading.json_fields import finish, flatten, mapping, plan, value_at
from collector.gateways.reading.log_lines import challenge_status, condensed, is_exception
from collector.gateways.reading.log_objects import is_log_object, read_object
from collector.gateways.reading.loose_access import NO_FIELDS
from collector.gateways.reading.scan import has_any
from collector.gateways.reading.shapes import Line, read_line
from collector.gateways.reading.tails import read_pairs
from collector.gateways.reading.values import MAX_KEYS, as_text, client, header_map, http_status, trace_id
from collector.records import Parsed, RawRecord
from collector.redaction.patterns import compiled

NAME: Final = "application"
_TRACEBACK: Final = ("Traceback (most recent call last)", "Unhandled exception. ", "Exception in thread ", "Uncaught ")
_PAIRS: Final = ("time=", "level=", "ts=", "timestamp=", "lvl=", "t=", "date=", "severity=")
# Logfmt in another order: it begins with a pair, and names its level all the same.
_LEVELS: Final = (" level=", " lvl=", " severity=")
_LOGFMT: Final = compiled(rb"\A[A-Za-z_@][\w.@-]{0,40}=\S[^\n]* (?:level|lvl|severity)=\"?[A-Za-z]{1,12}\"?(?:[\s]|\z)")
_MAX_BEFORE_LEVEL: Final = 512
_WORDS: Final = ("Error ", "Warning ", "Failure ", "Fault ", "Exception ")  # they begin a sentence, too
_CREDENTIALS: Final = frozenset(("authorization", "Authorization"))
_HOLDERS: Final = ("meta", "metadata", "http", "context", "data", "extra")
_CHALLENGE: Final = "www-authenticate:"
_PLAIN: Final = 0.9  # how likely a sentence without a layout has to be about a refused credential
_NAMED_PLAIN: Final = 0.65  # where it names tokens, issuers or the like
_PLAIN_CHARS: Final = 2048
_MAX_KEY: Final = 64
_REFUSED: Final = (401, 403, 407)
_NO_SENTENCE: Final = ("", "{", "<", "#", "/", "$", "|", "}", ")")


def parse(record: RawRecord) -> Parsed | None:
    """A refusal in an application's log. Raises NotAdmitted for a line of a known layout that reports none."""
    is_named = record.gateway == NAME
    if record.fields is None and record.text:
        parsed = _text(record)
    else:
        fields = mapping(record)
        parsed = _fields(fields, record, is_named=is_named) if 0 < len(fields) <= MAX_KEYS else None
    return finish(parsed, record) if parsed else None


def _text(record: RawRecord) -> Parsed | None:
    text = record.text
    if combined_log.split(text):  # a server's, whichever it is
        return None
    if text[: len(_CHALLENGE)].lower() == _CHALLENGE:
        return _challenge(text[len(_CHALLENGE) :].strip())
    line = _with_level(_line(text, record.time_ns, record.observed_ns), record)
    source = record.origin.source
    if line is None:
        return _access(text, 0, source) or _printed(text) or _shapeless(text)
    return _access(line.message, line.time_ns, source, line.fields) or _told(line, line.fields)


def is_quiet(text: str) -> bool:
    """Whether a text is a logger's line at a level below INFO."""
    line = _line(text, 0, 0)
    return line is not None and line.is_quiet


def _with_level(line: Line | None, record: RawRecord) -> Line | None:
    """The level of a shipper's wrapping where the line has none; what a shipper carried is a log line, in whatever layout."""
    if not record.level:
        return line
    if line is None:
        return Line(message=record.text, level=record.level)
    return replace(line, level=record.level) if line.shape and not line.level else line


def _line(text: str, near_ns: int, observed_ns: int) -> Line | None:
    """The parts of a line; a stack trace alone is its own sentence."""
    if text.startswith(_PAIRS) or _is_logfmt(text[:_MAX_BEFORE_LEVEL]):
        first, _, below = text.partition("\n")
        line = read_object(read_pairs(first), near_ns)
        return replace(line, message=f"{line.message}\n{below}" if below else line.message) if line.level else None
    if text.startswith(_TRACEBACK) or (is_exception(text) and not text.startswith(_WORDS)):
        return Line(message=text)
    return read_line(text, near_ns, observed_ns)


def _is_logfmt(text: str) -> bool:
    return has_any(text, _LEVELS) and _LOGFMT.find(text.encode("ascii", "replace"))[0] == 0


def _printed(text: str) -> Parsed | None:
    """An answer, or a page, that a client printed."""
    if (found := answer(text)) and "\n" in text:
        return Parsed(NAME, status=found.status, challenge=found.challenge, message=found.message)
    message = page(text)
    return _refusal(message, is_calm=True) if message else None


def _shapeless(text: str) -> Parsed | None:
    """A sentence in no logger's layout: a program printed it. It has to leave no doubt, unless an exception stands below it."""
    sentences = condensed(text)
    below = sentences.split("\n")[1:]
    if any(line.startswith(_TRACEBACK) or is_exception(line) for line in below):
        return _refusal(sentences, is_calm=False)
    bar = _NAMED_PLAIN if topic.is_auth(sentences) else _PLAIN
    is_likely = _is_plain(text) and (probability(sentences) >= bar or refuses_abroad(sentences))
    return _refusal(sentences, is_calm=True) if is_likely else None


def _is_plain(text: str) -> bool:
    """A sentence of words: no frame, code, markup or object, and nothing that a program says of its start."""
    low = text[:_PLAIN_CHARS].lower()
    return (
        (low[:1] not in _NO_SENTENCE or _is_printed_object(low))
        and " " in low.strip()
        and not announces(low)
        and not is_fragment(text)
    )


def _is_printed_object(text: str) -> bool:
    """An object as a program printed it: `{ code: 'x', message: 'y' }` by Node, `{'detail': 'y'}` by Python. JSON is read by its keys."""
    name, colon, _ = text[1:_MAX_KEY].lstrip().partition(":")
    return text[:1] == "{" and bool(colon) and (name.isidentifier() or name[:1] == name[-1:] == "'")


def _told(line: Line, fields: Mapping[str, Any]) -> Parsed:
    """What the line tells of a request. Raises NotAdmitted when it tells of none."""
    return _admitted(_of_line(line, fields))


def _admitted(parsed: Parsed | None) -> Parsed:
    if parsed is None:
        raise NotAdmitted(NAME, "a log line without a refusal")
    return parsed


def _of_line(line: Line, fields: Mapping[str, Any]) -> Parsed | None:
    """A refusal, or a request that says nothing of one."""
    if line.is_quiet and not speaks_at_debug(line.logger):
        return None
    parsed = _refusal(condensed(line.message), is_calm=line.is_calm, is_loud=line.is_loud or not line.shape)
    if not fields:
        return _at(parsed, line.time_ns)
    parsed = _with_error(_with_request(parsed or Parsed(NAME), fields), fields)
    names = (parsed.method, parsed.path, parsed.request_id)  # Fastify's last line about a request has its id alone
    return _at(parsed, line.time_ns) if parsed.message or (parsed.status and any(names)) else None


def _with_error(parsed: Parsed, fields: Mapping[str, Any]) -> Parsed:
    """Where the line's own status says that the request was refused, its error says why, in whatever words."""
    if parsed.status in _REFUSED and not parsed.message:
        parsed.message = error_text(fields)
    return parsed


def _at(parsed: Parsed | None, time_ns: int) -> Parsed | None:
    if parsed:
        parsed.time_ns = time_ns
    return parsed


def _refusal(message: str, *, is_calm: bool, is_loud: bool = True) -> Parsed | None:
    """`is_loud`: the level says that something is wrong; where it does not, the words have to."""
    judge = _remembered if len(message) <= _PLAIN_CHARS else _outcome
    outcome = judge(message, is_calm, is_loud)
    return None if outcome is None else Parsed(NAME, message=message, outcome=outcome)


def _outcome(message: str, is_calm: bool, is_loud: bool) -> Outcome | None:
    """What the words report; None for no refusal."""
    if not is_admitted(message, is_calm=is_calm) or not (is_loud or is_negative(message) or refuses_abroad(message)):
        return None
    if not is_loud and announces(message[:_PLAIN_CHARS].lower()):
        return None
    return topic.outcome(message)


_remembered: Final = lru_cache(maxsize=2048)(_outcome)  # programs say the same of many requests


def _access(text: str, time_ns: int, source: str, fields: Mapping[str, Any] = NO_FIELDS) -> Parsed | None:
    parsed = access(NAME, text, source, fields)
    return _at(parsed, parsed.time_ns or time_ns) if parsed else None


def _challenge(value: str) -> Parsed | None:
    if value[:7].lower() not in ("bearer", "bearer ", "dpop al", "dpop er"):
        return None
    parsed = Parsed(NAME, status=challenge_status(value), challenge=value, outcome=Outcome.DENIED)
    if "error=" not in value:
        parsed.message = f"WWW-Authenticate: {value}"  # alone it says that no credential was sent
    return parsed


def _fields(fields: Mapping[str, Any], record: RawRecord, *, is_named: bool) -> Parsed | None:
    if isinstance(inner := fields.get("jsonPayload"), Mapping) and len(inner) <= MAX_KEYS:
        fields = {**fields, **inner}
    if not is_named and (not is_log_object(fields) or _is_request(fields)):
        return None
    line = read_object(fields, record.time_ns)
    parsed = _of_line(line, fields)
    if (parsed is None or not parsed.path) and "/" in line.message:  # the sentence is an access line
        parsed = _access(line.message, line.time_ns, record.origin.source) or parsed
    return _admitted(parsed)


def _is_request(fields: Mapping[str, Any]) -> bool:
    """An access record that has a level too: the guess by what keys mean reads more of it."""
    keys = plan(fields)
    return bool(
        (keys.method or keys.path or keys.headers or keys.credentials) and http_status(value_at(fields, keys.status))
    )


def _with_request(parsed: Parsed, fields: Mapping[str, Any]) -> Parsed:
    """The request beside the sentence: pino-http's objects, or keys of their own."""
    request, response = _exchange(fields)
    if isinstance(response, Mapping):
        parsed.status = http_status(response.get("statusCode", response.get("status")))
    if isinstance(request, Mapping):
        parsed.method, parsed.path = as_text(request.get("method")), as_text(request.get("url"))
        parsed.client = client(as_text(request.get("remoteAddress")))
        parsed.headers = header_map(request.get("headers"))
        parsed.user_agent, parsed.host = parsed.headers.get("user-agent", ""), parsed.headers.get("host", "")
    own = {name.lower(): as_text(fields[name]) for name in _CREDENTIALS & fields.keys()}
    parsed.headers = {**own, **parsed.headers} if own else parsed.headers
    parsed.credential_logged = "authorization" in parsed.headers
    parsed.trace_id = trace_id(as_text(fields.get("trace_id", fields.get("traceId"))))
    _fill_named(parsed, fields)
    if parsed.status in (401, 403):
        parsed.outcome = Outcome.DENIED
    return parsed


def _exchange(fields: Mapping[str, Any]) -> tuple[Any, Any]:
    """Request and response, as pino-http and bunyan name them, or below the key that holds what a logger calls its metadata."""
    for there in (fields, *(fields.get(name) for name in _HOLDERS)):
        if isinstance(there, Mapping) and ("req" in there or "request" in there):
            return there.get("req", there.get("request")), there.get("res", there.get("response"))
    return None, fields.get("res", fields.get("response"))


def _fill_named(parsed: Parsed, fields: Mapping[str, Any]) -> None:
    """What keys of their own tell; a status counts beside the request's method or path, else it may be another answer's."""
    flat = flatten(fields)
    keys = plan(flat)
    parsed.request_id = parsed.request_id or as_text(value_at(flat, keys.request_id))
    parsed.client = parsed.client or client(as_text(value_at(flat, keys.client)))
    parsed.method = parsed.method or _verb(as_text(value_at(flat, keys.method)))
    parsed.path = parsed.path or _target(as_text(value_at(flat, keys.path)))
    if parsed.method and parsed.path and not parsed.status:
        parsed.status = http_status(value_at(flat, keys.status))


def _verb(text: str) -> str:
    return text if text.isupper() and text.isalpha() else ""


def _target(text: str) -> str:
    return text if text.startswith(("/", "http")) else ""
