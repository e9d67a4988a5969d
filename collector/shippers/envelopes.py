"""Objects that shippers and clouds put around a record: where the record stands in them, and what else they know of it.

Docker, Fluent Bit, Fluentd, Filebeat, Vector, Logstash, journald, Loki, Cloud Logging, CloudWatch, Azure Monitor, Datadog, Splunk, GELF. An
object of nothing but a shipper's own keys is an envelope by its keys; any other is one when a string or object in it is a better record
than itself, which only a parser can tell: `inner` gives the candidates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from collector.gateways.reading.times import any_ns
from collector.gateways.reading.values import as_text

MAX_CANDIDATES: Final = 8
MIN_CHARS: Final = 12  # a shorter string is no log line
_BEGINNINGS: Final = tuple("{[<0123456789")
_HEAD: Final = 40
_MAX_KEYS: Final = 64
_MAX_DEPTH: Final = 6
# Where envelopes keep the line or object, the most particular first.
LINES: Final = (
    "log", "message", "MESSAGE", "line", "msg", "Log", "Log_s", "LogEntry", "LogMessage", "LogEntrySource", "textPayload", "jsonPayload",
    "resultDescription", "ResultDescription", "event", "short_message", "full_message", "_raw", "@message", "content", "body",
    "log_processed", "logEvents", "records", "streams", "values", "entries", "result", "results", "_source", "data", "properties",
    "attributes", "protoPayload", "raw", "original", "text", "value",
)  # fmt: skip
# An object of these alone says nothing itself.
OWN_KEYS: Final = frozenset(
    ("stream", "time", "log", "kubernetes", "docker", "container", "@timestamp", "agent", "ecs", "host", "input", "attrs",
     "source_type", "timestamp", "file", "container_id", "container_name", "source", "_p", "date", "tag", "offset",
     "@version", "fields", "tags", "event", "message", "MESSAGE", "_HOSTNAME", "PRIORITY", "SYSLOG_IDENTIFIER", "line", "TimeStamp", "Log",
     "Log_s", "TimeGenerated", "ContainerName_s", "ContainerAppName_s", "RevisionName_s", "Stream_s", "EnvironmentName_s", "ingestionTime",
     "eventId", "id", "ddsource", "ddtags", "hostname", "service", "sourcetype", "index", "version", "short_message", "full_message",
     "facility", "labels", "filename", "job", "namespace", "pod", "app", "node_name", "path", "logGroup", "logStream", "appname", "procid",
     "msgid", "severity", "cluster", "cloud", "pod_name", "namespace_name", "container_image", "source_host", "log_source", "log.file.path",
     "ContainerId_s", "ReplicaName_s", "_timestamp", "logtag", "time_ns")
)  # fmt: skip
_TIMES: Final = (
    "time", "timestamp", "@timestamp", "TimeStamp", "TimeGenerated", "ts", "date", "__REALTIME_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP",
    "ingestionTime", "receiveTimestamp", "_timestamp", "_time",
)  # fmt: skip
_PROGRAMS: Final = (
    "container_name", "SYSLOG_IDENTIFIER", "_SYSTEMD_UNIT", "ddsource", "service", "ContainerName_s", "ContainerAppName_s", "appname",
    "sourcetype", "tag", "app", "job", "logGroup", "source", "CONTAINER_NAME", "log_source", "filename",
)  # fmt: skip
_HOLDERS: Final = (
    ("kubernetes", "container_name"),
    ("kubernetes", "container", "name"),
    ("container", "name"),
    ("labels", "app"),
    ("stream", "app"),
)
_LEVELS: Final = ("level", "severity", "PRIORITY", "Level", "status", "Severity")
_WORDS: Final = frozenset(
    ("TRACE", "DEBUG", "INFO", "NOTICE", "WARNING", "WARN", "ERROR", "CRITICAL", "ALERT", "EMERGENCY", "FATAL", "DEFAULT", "INFORMATION",
     "INFORMATIONAL")
)  # fmt: skip


def own_line(fields: Mapping[str, Any]) -> str | None:
    """The original line, when the object holds nothing else but a shipper's own keys."""
    if len(fields) > 20 or not (_OWN(fields) or _is_journal(fields)):
        return None
    return next((line for name in LINES if isinstance(line := fields.get(name), str)), None)


_OWN: Final = OWN_KEYS.issuperset


def _is_journal(fields: Mapping[str, Any]) -> bool:
    """`journalctl -o json`: a MESSAGE and fields of the journal's own."""
    return "MESSAGE" in fields and "__REALTIME_TIMESTAMP" in fields


def inner(fields: Mapping[str, Any], *, with_sentences: bool) -> Iterator[str | Mapping[str, Any]]:
    """What may be the record itself, the likeliest first: at most MAX_CANDIDATES lines and objects.

    A sentence is one only where the object has no level of its own: else it is a logger's message, and was judged as that.
    """
    with_sentences = with_sentences and not level_of(fields)
    found = (each for each in _candidates(fields, _MAX_DEPTH) if with_sentences or not _is_sentence(each))
    return islice(found, MAX_CANDIDATES)


def _is_sentence(candidate: str | Mapping[str, Any]) -> bool:
    """A text that begins like no record: neither with an object, a bracket, a number nor a pair."""
    if not isinstance(candidate, str):
        return False
    head = candidate[:_HEAD]
    return head[:1] not in _BEGINNINGS and not head[1:5].isdigit() and "=" not in head


def _candidates(fields: Mapping[str, Any], depth: int) -> Iterator[str | Mapping[str, Any]]:
    if len(fields) > _MAX_KEYS or depth <= 0:
        return
    for name in LINES:
        if name in fields:
            yield from _of_value(fields[name], depth)
    yield from (value for name, value in fields.items() if name not in _NAMED and _may_be_record(value))


_NAMED: Final = frozenset(LINES)


def _of_value(value: Any, depth: int) -> Iterator[str | Mapping[str, Any]]:
    if isinstance(value, str):
        if len(value) >= MIN_CHARS:
            yield value
    elif isinstance(value, Mapping):
        yield value
        yield from _candidates(value, depth - 1)
    elif isinstance(value, list) and len(value) == 1:  # a batch of one; of several, sources make records
        yield from _of_value(value[0], depth - 1) if depth > 1 else ()
    elif isinstance(value, list) and len(value) == 2 and isinstance(value[1], str):  # Loki's [time, line]
        yield value[1]


def _may_be_record(text: Any) -> bool:
    """An object in a string, whatever the key is called."""
    return isinstance(text, str) and len(text) >= MIN_CHARS and text[:1] == "{" and text[-1:] == "}"


def time_of(fields: Mapping[str, Any]) -> int:
    """The envelope's time in Unix nanoseconds; 0 when it has none."""
    return next((ns for name in _TIMES if (ns := any_ns(fields.get(name)))), 0)


def program_of(fields: Mapping[str, Any]) -> str:
    """Whose line it is: a container, a unit, a service; "" when the envelope does not say."""
    for path in _HOLDERS:
        if found := _at(fields, path):
            return found
    return next((text for name in _PROGRAMS if (text := as_text(fields.get(name)))), "")


def _at(fields: Mapping[str, Any], path: tuple[str, ...]) -> str:
    value: Any = fields
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return as_text(value)


def level_of(fields: Mapping[str, Any]) -> str:
    """The envelope's level in capitals; "" when it has none."""
    found = next((as_text(fields[name]).upper() for name in _LEVELS if name in fields), "")
    if found.isdigit() and len(found) == 1:  # journald's and GELF's, after syslog
        return "ERROR" if found in "0123" else "WARNING" if found == "4" else "INFO" if found in "56" else "DEBUG"
    return found if found in _WORDS else ""
