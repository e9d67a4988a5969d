"""Marks in a raw record by which lines of one request, one thread and one program are told apart.

Parsers read what their gateway names. These marks are those that any program may write: the id of a request or trace under
one of its usual names, the thread or process of a program that serves one request with each, and the line's own shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, Final

import re2

from collector.gateways.reading.json_fields import mapping
from collector.gateways.reading.scan import has_any
from collector.gateways.reading.values import MAX_KEYS, as_text
from collector.records import RawRecord

MAX_CHARS: Final = 2048
MAX_IDS: Final = 4
_MAX_ID: Final = 100
_MIN_ID: Final = 3
_HEAD: Final = 200
# `req_id=…`, `"requestId": "…"`, AWS's `trace-id: Root=…`; W3C's traceparent; a UUID in brackets, as tagged loggers set it first.
_ID: Final = re2.compile(
    r'(?:req|request|correlation|trace|transaction|txn|invocation|unique|call)[-_. ]?(?:id|uuid|guid)"?\s?[=:]\s?"?(?:root=)?'
    rf"([\w.:/+-]{{{_MIN_ID},{_MAX_ID}}})"
    r'|\bcf-ray"?\s?[=:]\s?"?([0-9a-f]{16})\b'
    r"|\b00-([0-9a-f]{32})-[0-9a-f]{16}-"
    r"|[\[(]([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})[\])]"
)
# A format that has a place for the id, and nothing in it.
_NO_ID: Final = re2.compile(r'(?:req|request|correlation|trace)[-_. ]?id"?\s?[=:]\s?"?-?(?:["\s,}]|$)')
# What servers of mail, files and shells call the connection in which somebody logs in: `session=<…>`, `(user,10.0.0.1,<…>)`.
_CONNECTION: Final = re2.compile(r'session(?:[-_. ]?id)?"?\s?[=:]\s?<([\w+/=-]{8,64})>|[,(]<([\w+/=-]{12,64})>[,)]')
_SESSION: Final = re2.compile(r'\b(?:session[-_. ]?id|sid)"?\s?[=:]\s?"?([\w+/.-]{8,100})')
_IN_CONNECTIONS: Final = ("=<", ": <", ",<", "(<")  # one is in each
_IN_SESSIONS: Final = ("sid", "sessionid", "session-id", "session_id", "session.id", "session id")
_MIN_SESSION: Final = 8
SESSION: Final = "session "  # before an id that several requests may share
_NAMES_OF_SESSIONS: Final = frozenset(("session", "sessionid", "xsessionid", "sid"))
_NAMES_OF_IDS: Final = frozenset(
    (
        "reqid", "requestid", "xrequestid", "httprequestid", "awsrequestid", "xamznrequestid", "requuid", "requestuuid", "requestguid",
        "correlationid", "xcorrelationid", "traceid", "ddtraceid", "oteltraceid", "xb3traceid", "xamzntraceid", "traceidentifier",
        "transactionid", "xtransactionid", "txnid", "invocationid", "uniqueid", "callid", "activityid", "cfray", "xfapiinteractionid",
    )
)  # fmt: skip
_NOT_IN_NAMES: Final = {ord(char): None for char in "-_. @"}
_NONE: Final = frozenset(("", "-", "null", "none", "nil", "undefined", "unknown", "n/a"))
# Erlang's process, and the worker threads of servlet containers: each serves one request at a time.
_THREAD: Final = re2.compile(
    r"<\d{1,6}\.\d{1,9}\.\d{1,6}>|\b(?:[\w.]+-){0,4}exec-\d{1,5}\b|\b(?:default|XNIO-\d{1,3}) task-\d{1,5}\b"
    r"|\bqtp\d{1,12}-\d{1,5}\b|\bexecutor-thread-\d{1,5}\b"
)
_IN_THREADS: Final = ("<", "exec-", "task-", "qtp", "executor-thread-")  # one is in each
_THREAD_KEYS: Final = ("thread_name", "thread", "threadName", "process.thread.name")
_PARTS: Final = {code: " " for code in range(128) if not (chr(code).isalnum() or chr(code) in "_/@%:.-")}
_MAX_WORDS: Final = 24
_SHAPE_KEYS: Final = ("logger", "logger_name", "loggerName", "caller", "Category", "msg", "message", "Message", "event")


def ids(record: RawRecord) -> tuple[str, ...]:
    """What the record calls its request or trace, at most MAX_IDS; and its session, behind the word SESSION."""
    found = _in_text(record.text[:MAX_CHARS].lower()) if record.fields is None else [*_in_fields(mapping(record))]
    return tuple(dict.fromkeys([value for value in found if _is_id(value)]))[:MAX_IDS] if found else ()


def is_anonymous(record: RawRecord) -> bool:
    """Whether the record has a place for an id and none in it: it is not about a request that has one."""
    if record.fields is None:
        low = record.text[:MAX_CHARS].lower()
        return "id" in low and _NO_ID.search(low) is not None
    fields = mapping(record)
    return any(_names_id(name) and as_text(value).lower() in _NONE for name, value in list(fields.items())[:MAX_KEYS])


def _in_text(low: str) -> list[str]:
    found: list[str] = []
    if "id" in low or "00-" in low or "-" in low[:_HEAD]:
        found += _found(_ID, low)
    if has_any(low, _IN_CONNECTIONS):
        found += [value for value in _found(_CONNECTION, low) if not value.isalpha()]
    if has_any(low, _IN_SESSIONS):
        found += map(_session, _found(_SESSION, low))
    return found


def _found(pattern: Any, low: str) -> Iterator[str]:
    return (value for match in pattern.finditer(low) for value in match.groups() if value)


def _in_fields(fields: Mapping[str, Any]) -> Iterator[str]:
    for name, value in list(fields.items())[:MAX_KEYS]:
        if isinstance(value, Mapping):
            yield from (as_text(inner) for key, inner in list(value.items())[:MAX_KEYS] if _names_id(key, name))
        elif _names_id(name):
            yield as_text(value)
        elif _bare(name[:_MAX_ID]) in _NAMES_OF_SESSIONS:
            yield _session(as_text(value).strip("<>"))


def _names_id(name: str, outer: str = "") -> bool:
    word = _bare(name[:_MAX_ID])
    return word in _NAMES_OF_IDS or (word == "id" and outer in ("req", "request", "trace", "http_request"))


def _session(value: str) -> str:
    """The id behind SESSION; "" for a word: "session: terminated"."""
    return SESSION + value if len(value) >= _MIN_SESSION and not value.isalpha() else ""


@lru_cache(maxsize=4096)
def _bare(name: str) -> str:
    return name.lower().translate(_NOT_IN_NAMES)


def _is_id(value: str) -> bool:
    return len(value) <= _MAX_ID and value.lower() not in _NONE and bool(value.strip("0-"))


def thread(record: RawRecord) -> str:
    """The thread or process that wrote the line, when it serves one request at a time; "" when that is not known."""
    if record.fields is None:
        head = record.text[:_HEAD]
        found = _THREAD.search(head) if any(part in head for part in _IN_THREADS) else None
        return found.group() if found else ""
    fields = mapping(record)
    names = (as_text(fields[name])[:_HEAD] for name in _THREAD_KEYS if name in fields)
    return next((name for name in names if _THREAD.fullmatch(name)), "")


_OBJECT: Final = "object"  # a sentence in one is not the statement that prints it bare


def shape(record: RawRecord, words: Iterable[str]) -> str:
    """What is the same in each line that this statement of a program writes: its words without values.

    `words`: the sentences that were read in it.
    """
    if record.fields is None:
        head = record.text[:_HEAD]
    else:
        fields = mapping(record)
        head = " ".join((_OBJECT, *(as_text(fields[name])[:_HEAD] for name in _SHAPE_KEYS if name in fields)))
    parts = f"{head} {' '.join([word[:_HEAD] for word in words])}".translate(_PARTS).split()
    return " ".join(islice(filter(None, map(_word, parts)), _MAX_WORDS))


@lru_cache(maxsize=8192)
def _word(part: str) -> str:
    """The bare word; "" for a value."""
    bare = part.strip(":.-_")
    return bare if bare.replace("_", "").isalpha() else ""
