"""An application's own log line about a refused token: text and JSON of the loggers of Python, Java, Node, .NET and Go.

A record is claimed only when it has a logger's shape and its sentence speaks of a failure of authentication. The shapes
are the defaults of logging and uvicorn, logback and log4j2, pino, bunyan and winston, .NET's console, and Go's log,
logrus, zap and slog; beyond these, any line whose beginning holds a level in capitals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from collector.events import Outcome
from collector.gateways.reading import topic
from collector.gateways.reading.json_fields import finish, mapping
from collector.gateways.reading.log_lines import (
    MAX_HEAD,
    MAX_STACK,
    challenge_status,
    condensed,
    is_exception,
    is_library_complaint,
    leading_time,
    named,
    refuses,
    words_of,
)
from collector.gateways.reading.scan import has_any, is_address, request_line, tokens
from collector.gateways.reading.times import any_ns
from collector.gateways.reading.values import MAX_KEYS, as_text, client, first_of, header_map, http_status, trace_id
from collector.records import Parsed, RawRecord

NAME: Final = "application"
_QUIET: Final = frozenset(("DEBUG", "TRACE", "DBG", "VERBOSE"))
_CALM: Final = frozenset(("INFO", "INF", "NOTICE", "INFORMATION", "DEFAULT"))
_LEVELS: Final = (
    "ERROR", "WARNING", "WARN", "CRITICAL", "FATAL", "SEVERE", "INFO", "NOTICE", "DEBUG", "TRACE", "ERR", "WRN", "INF",
    "FTL", "DBG", "PANIC",
)  # fmt: skip
_DOTNET: Final = ("fail: ", "warn: ", "crit: ", "info: ")
_SMALL: Final = ("error: ", "warn: ", "warning: ", "[error]: ", "[warn]: ", "[error] ", "[warn] ")
_LOGFMT: Final = ("time=", "level=", "ts=", "timestamp=", "lvl=", "t=")
_LOGFMT_LEVEL: Final = ("level", "lvl")
_LOGFMT_MESSAGE: Final = ("msg", "message")
_LOGFMT_ERROR: Final = ("err", "error")
_LOGFMT_TIMES: Final = ("time", "ts", "timestamp", "t")
_READ_CHARS: Final = 1024
_ACCESS: Final = "INFO:     "
_TRACEBACK: Final = ("Traceback (most recent call last)", "Unhandled exception. ", "Exception in thread ", "Uncaught ")
_CHALLENGE: Final = "www-authenticate:"
# Gateways whose loggers have these shapes too; their own parsers read them.
_OTHERS: Final = (
    "org.keycloak.", "org.springframework.", "org.wso2.", "o.s.s.", "s.o.s.", "ORY Oathkeeper", "KRAKEND", "envoy ",
    "http.handlers.", "http.log.", "http.authentication", "Unable to authenticate the request", " prefix=",
    "[GIN] ", "io.gravitee.", " i.g.", "[ENDPOINT: ", " api_id=", " granted=", "authentication_handler=", "io.grpc.Status",
    'error_uri="https://tools.ietf.org/',
)  # fmt: skip


def parse(record: RawRecord) -> Parsed | None:
    """A refusal in an application's log."""
    is_named = record.gateway == NAME
    if record.fields is None and record.text:
        if not is_named and has_any(record.text[:_READ_CHARS], _OTHERS):
            return None
        parsed = _text(record.text, record.time_ns)
    else:
        fields = mapping(record)
        parsed = _fields(fields, record.time_ns, is_named=is_named) if 0 < len(fields) <= MAX_KEYS else None
    return finish(parsed, record) if parsed else None


@dataclass(frozen=True, slots=True, repr=False)
class _Line:
    level: str
    message: str
    time_ns: int = 0


def _text(text: str, near_ns: int) -> Parsed | None:
    if text[: len(_CHALLENGE)].lower() == _CHALLENGE:
        return _challenge(text[len(_CHALLENGE) :].strip())
    if text.startswith(_ACCESS):
        return _access(text)
    line = _line(text, near_ns)
    if line is None or line.level.upper() in _QUIET:
        return None
    return _verdict(condensed(line.message), line.time_ns, is_error=line.level.upper() not in _CALM)


def _verdict(message: str, time_ns: int, *, is_error: bool) -> Parsed | None:
    if not (is_library_complaint(message) if is_error else refuses(message)):
        return None
    return Parsed(NAME, time_ns=time_ns, message=message, outcome=topic.outcome(message))


def _access(text: str) -> Parsed | None:
    """The access log of uvicorn, `INFO:     client:port - "METHOD path HTTP/1.1" status phrase`, or a message."""
    address, dash, rest = text[len(_ACCESS) :].partition(' - "')
    request, quote, status = rest.partition('" ')
    method, path = request_line(request)
    if not dash or not quote or not method or not is_address(client(address.strip())):
        line = _levelled(text, 0)
        return _verdict(condensed(line.message), 0, is_error=False) if line else None
    found = http_status(status[:3])
    return Parsed(NAME, status=found, client=client(address.strip()), method=method, path=path) if found else None


def _challenge(value: str) -> Parsed | None:
    if value[:7].lower() not in ("bearer", "bearer ", "dpop al", "dpop er"):
        return None
    parsed = Parsed(NAME, status=challenge_status(value), challenge=value, outcome=Outcome.DENIED)
    if "error=" not in value:
        parsed.message = f"WWW-Authenticate: {value}"  # alone it says that no credential was sent
    return parsed


def _line(text: str, near_ns: int) -> _Line | None:
    """The first shape that fits, the most particular first."""
    if text.startswith(_LOGFMT):
        return _logfmt(text, near_ns)
    if text.startswith(_DOTNET):
        return _Line(text[:4], text[6:])
    if text.startswith(_TRACEBACK) or is_exception(text):
        return _Line("", text)
    return _levelled(text, near_ns) or _small(text, near_ns) or _go(text, near_ns) or _with_exception(text)


def _with_exception(text: str) -> _Line | None:
    """An exception below a line without a level: Django's `Internal Server Error: /x`, the place that Node prints first."""
    below = text[:MAX_STACK].split("\n")[1:]
    return _Line("", text) if any(line.startswith(_TRACEBACK) or is_exception(line) for line in below) else None


def _levelled(text: str, near_ns: int) -> _Line | None:
    """A level in capitals within the first line's beginning: what follows it is logger and message."""
    head = text[:MAX_HEAD].partition("\n")[0]
    found = ((at, level) for level in _LEVELS if level in head and (at := _word_at(head, level)) >= 0)
    at, level = min(found, key=lambda pair: (pair[0], -len(pair[1])), default=(-1, ""))
    if at < 0 or (at > 60 and not leading_time(text)):
        return None
    return _Line(level, text[at + len(level) :].lstrip(" \t:-|])>"), leading_time(text, near_ns))


def _word_at(head: str, word: str) -> int:
    at = head.find(word)
    before, after = head[at - 1 : at] if at > 0 else "", head[at + len(word) : at + len(word) + 1]
    return at if at >= 0 and not (before.isalnum() or after.isalnum() or "_" in (before, after)) else -1


def _small(text: str, near_ns: int) -> _Line | None:
    """The `simple` and `printf` formats of winston: `[TIME] error: message`."""
    head = text[:64]
    mark = next((mark for mark in _SMALL if mark in head), "")
    at = head.find(mark) if mark else -1
    is_first = at == 0 or (at > 18 and leading_time(text) > 0 and text[4:5] == "-" and _is_clock(head[19:at]))
    return _Line("error", text[at + len(mark) :], leading_time(text, near_ns)) if is_first else None


def _is_clock(text: str) -> bool:
    return not any(char.isalpha() for char in text.replace("Z", ""))


def _go(text: str, near_ns: int) -> _Line | None:
    """Go's log package: `2026/03/03 10:00:00 [file.go:12:] message`; nginx puts a level in brackets there."""
    if text[4:5] != "/" or text[19:20] not in (" ", ".") or text[20:21] == "[":
        return None
    _, _, message = text[19:].partition(" ")
    return _Line("", message, leading_time(text, near_ns)) if not message.startswith("[") else None


def _logfmt(text: str, near_ns: int) -> _Line | None:
    """`time=… level=error msg="…" err="…"` (logrus, slog, go-kit)."""
    values: dict[str, str] = {}
    for name, value in tokens(text.partition("\n")[0]):
        values.setdefault(name, value)
    if values.keys().isdisjoint(_LOGFMT_LEVEL) or values.keys().isdisjoint(_LOGFMT_MESSAGE):
        return None
    when = next((ns for name in _LOGFMT_TIMES if (ns := any_ns(values.get(name), near_ns))), 0)
    level, message, error = (first_of(values, names) or "" for names in (_LOGFMT_LEVEL, _LOGFMT_MESSAGE, _LOGFMT_ERROR))
    return _Line(level.upper(), ": ".join(filter(None, (message, error))), when) if when else None


_SHAPES: Final = (
    frozenset(("pid", "hostname", "msg", "level")),  # pino, bunyan
    frozenset(("level", "message", "timestamp")),  # winston
    frozenset(("level", "message", "service")),  # winston with defaultMeta
    frozenset(("logger_name", "message")),  # logstash-logback-encoder
    frozenset(("loggerName", "message")),  # log4j2 JsonLayout, Quarkus
    frozenset(("log.level", "message")),  # Elastic Common Schema
    frozenset(("log.logger", "message")),
    frozenset(("levelname", "message")),  # python-json-logger
    frozenset(("asctime", "message")),
    frozenset(("event", "level", "timestamp")),  # structlog
    frozenset(("event", "level", "logger")),
    frozenset(("caller", "msg", "level")),  # zap
    frozenset(("LogLevel", "Category", "Message")),  # .NET's JSON console
    frozenset(("@t", "@mt")),  # Serilog's compact format
    frozenset(("@t", "@m")),
    frozenset(("Level", "MessageTemplate")),
    frozenset(("record", "text")),  # loguru
    frozenset(("channel", "level_name", "message")),  # monolog
    frozenset(("logName", "textPayload")),  # Cloud Logging
    frozenset(("logName", "jsonPayload")),
)
_SLOG: Final = frozenset(("time", "level", "msg"))
_SLOG_LEVELS: Final = frozenset(("ERROR", "WARN", "INFO"))
_MESSAGES: Final = (
    "msg", "message", "Message", "event", "@m", "RenderedMessage", "@mt", "MessageTemplate", "textPayload", "text",
)  # fmt: skip
_ERRORS: Final = (
    "err", "error", "exception", "exc_info", "stack_trace", "error.message", "Exception", "@x", "thrown", "stack",
    "error.stack_trace", "errorVerbose", "reason",
)  # fmt: skip
_TIMES: Final = (
    "time",
    "timestamp",
    "@timestamp",
    "ts",
    "@t",
    "asctime",
    "Timestamp",
    "instant",
    "timeMillis",
    "datetime",
)
_CREDENTIALS: Final = frozenset(("authorization", "Authorization"))
_LEVEL_KEYS: Final = ("level", "levelname", "log.level", "LogLevel", "Level", "@l", "severity", "level_name")


def _fields(fields: Mapping[str, Any], near_ns: int, *, is_named: bool) -> Parsed | None:
    if not is_named and (not _has_shape(fields) or _is_anothers(fields)):
        return None
    if isinstance(inner := fields.get("jsonPayload"), Mapping) and len(inner) <= MAX_KEYS:
        fields = {**fields, **inner}
    if _level(fields) in _QUIET:
        return None
    parsed = _verdict(_sentences(fields), _time(fields, near_ns), is_error=_level(fields) not in _CALM)
    return _with_request(parsed, fields) if parsed else _request(fields, near_ns)


def _request(fields: Mapping[str, Any], near_ns: int) -> Parsed | None:
    """A line about a request that says nothing of a refusal."""
    request = _with_request(Parsed(NAME, time_ns=_time(fields, near_ns)), fields)
    return request if request.status and request.method else None


def _has_shape(fields: Mapping[str, Any]) -> bool:
    names = fields.keys()
    if names >= _SLOG and as_text(fields["level"]) in _SLOG_LEVELS:
        return True
    return any(names >= shape for shape in _SHAPES)


def _is_anothers(fields: Mapping[str, Any]) -> bool:
    logger = words_of(fields, "logger_name", "loggerName", "log.logger", "logger", "Category", "msg")
    return logger.startswith(_OTHERS) or "middlewareName" in fields or "module" in fields


def _level(fields: Mapping[str, Any]) -> str:
    level = next((fields[name] for name in _LEVEL_KEYS if name in fields), None)
    if type(level) is int:  # pino and bunyan: 10 trace, 20 debug, 30 info
        return "DEBUG" if level <= 20 else "INFO" if level <= 30 else "ERROR"
    return as_text(level).upper()


def _sentences(fields: Mapping[str, Any]) -> str:
    """The message, the error's class and its message; a stack is condensed to its exceptions."""
    error = words_of(fields, *_ERRORS)
    kind = named(fields, "err", "error", "exception", "thrown")
    if kind and error and kind not in error:
        error = f"{kind}: {error}"
    said = words_of(fields, *_MESSAGES)
    return condensed(": ".join(dict.fromkeys(filter(None, (said, error)))))


def _time(fields: Mapping[str, Any], near_ns: int) -> int:
    return next((ns for name in _TIMES if (ns := any_ns(fields.get(name), near_ns))), 0)


def _with_request(parsed: Parsed, fields: Mapping[str, Any]) -> Parsed:
    """pino-http and its like log the request beside the error."""
    request, response = fields.get("req", fields.get("request")), fields.get("res", fields.get("response"))
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
    if parsed.status in (401, 403):
        parsed.outcome = Outcome.DENIED
    return parsed
