"""A log line that is a JSON object (or a line of `key=value` pairs): its level, time, logger, sentence, and the error's own words.

Loggers name these keys after a handful of conventions; errors are nested in as many. A sentence is the message and what the error says,
found down to MAX_DEPTH: `error.message`, `detail`, a list under `errors`. Stacks are condensed to their exceptions by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from collector.gateways.reading.errors_said import ERRORS, error_text, said
from collector.gateways.reading.log_lines import named
from collector.gateways.reading.shapes import Line, level_of
from collector.gateways.reading.times import any_ns
from collector.gateways.reading.values import as_text

LEVELS: Final = (
    "level", "levelname", "log.level", "LogLevel", "Level", "@l", "severity", "level_name", "lvl", "loglevel", "logLevel", "log_level",
    "severityText", "Severity", "PRIORITY", "levelStr", "log_level_name", "@level",
)  # fmt: skip
MESSAGES: Final = (
    "msg", "message", "Message", "event", "@m", "RenderedMessage", "renderedMessage", "@mt", "MessageTemplate", "@message", "textPayload",
    "short_message", "resultDescription",
    "ResultDescription", "Log_s", "LogMessage", "log", "line", "text", "body", "log_message", "MESSAGE",
    "content", "_msg", "Msg", "MSG", "logMessage", "formatted_message", "formattedMessage", "description",
)  # fmt: skip
TIMES: Final = (
    "time", "timestamp", "@timestamp", "ts", "@t", "asctime", "Timestamp", "instant", "timeMillis", "datetime", "t", "eventTime",
    "TimeStamp", "date",
)  # fmt: skip
LOGGERS: Final = (
    "logger", "logger_name", "loggerName", "log.logger", "name", "Category", "SourceContext", "target", "channel", "module", "component",
)  # fmt: skip
THREADS: Final = ("thread", "thread_name", "threadName", "process.thread.name")


def is_log_object(fields: Mapping[str, Any]) -> bool:
    """Whether the object has a level and a sentence, as every logger's has; a request's has neither or a status beside them."""
    names = fields.keys()
    return not names.isdisjoint(LEVELS) and not (names.isdisjoint(MESSAGES) and names.isdisjoint(ERRORS))


def read_object(fields: Mapping[str, Any], near_ns: int = 0) -> Line:
    """The parts of a line; `fields` stays whole."""
    level = next((fields[name] for name in LEVELS if name in fields), "")
    return Line(
        message=sentence(fields),
        time_ns=next((ns for name in TIMES if (ns := _time(fields.get(name), near_ns))), 0),
        level=level_of(as_text(level)),
        logger=_first(fields, LOGGERS),
        thread=_first(fields, THREADS),
        fields=fields,
    )


def sentence(fields: Mapping[str, Any]) -> str:
    """The message and what the error says, each once."""
    error = error_text(fields)
    kind = named(fields, "err", "error", "exception", "thrown")
    if kind and error and kind not in error:
        error = f"{kind}: {error}"
    message = _message(fields)
    return ": ".join(dict.fromkeys(filter(None, (message, error if error not in message else ""))))


def _message(fields: Mapping[str, Any]) -> str:
    """The first key that says something; one that is empty ("" under Grafana's `msg`) gives way."""
    return next((text for name in MESSAGES if (text := said(fields.get(name), 1))), "")


def _time(value: Any, near_ns: int) -> int:
    if isinstance(value, Mapping):  # log4j2's instant
        return any_ns(value.get("epochSecond"), near_ns)
    return any_ns(value, near_ns)


def _first(fields: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := as_text(fields.get(name)))), "")
